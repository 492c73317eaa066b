"""`reconcile resume`: a key that may have leaked is not activated again, unless that is requested explicitly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.aws.applied_state import DynamoAppliedStates
from reconciler.core.applied_state import AppliedState, RevokedUser
from support.runs import Checkout, an_entry
from support.world import World


@pytest.fixture
def declared(world: World, checkout: Checkout) -> Checkout:
    """Two active users, crm and wiki."""
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    return checkout


def test_a_key_that_may_have_leaked_is_not_activated(world: World, declared: Checkout) -> None:
    keys = declared.reconcile(world, "revoke", "crm", "--reason", "leaked") and world.access_keys("crm")
    outcome = declared.reconcile(world, "resume", "crm", "--yes")
    assert (outcome.code, outcome.writes) == (1, [])
    assert "crm: its key may have leaked; resuming would activate it again" in outcome.err
    assert "raise `credential` in its manifest, run reconcile apply, then resume" in outcome.err
    assert world.access_keys("crm") == keys


def test_a_key_is_kept_on_request_only_and_the_declaration_counts_again(world: World, declared: Checkout) -> None:
    keys = world.access_keys("crm")
    declared.reconcile(world, "revoke", "crm", "--reason", "a false alarm")
    unconfirmed = declared.run("resume", "crm", "--keep-key")
    assert (unconfirmed.code, unconfirmed.writes) == (1, [])
    assert "--keep-key needs a confirmation" in unconfirmed.err
    outcome = declared.reconcile(world, "resume", "crm", "--keep-key", "--yes")
    assert outcome.code == 0
    assert "crm: its old password works again" in outcome.out
    assert world.access_keys("crm") == keys
    assert world.record("crm").status == "active"
    assert "revoked" not in declared.run("plan").out


@pytest.mark.parametrize(("answer", "kept"), [(True, True), (False, False)])
def test_a_person_at_a_terminal_confirms_that_the_key_is_kept(
    world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch, answer: bool, kept: bool
) -> None:
    declared.reconcile(world, "revoke", "crm", "--reason", "a false alarm")
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answer

    for module in ("cli.operator", "output.prompt"):
        monkeypatch.setattr(f"reconciler.{module}.can_ask", lambda: True)
    monkeypatch.setattr("click.confirm", confirm)
    assert declared.run("resume", "crm", "--keep-key").code == (0 if kept else 1)
    assert asked == ["Lift the revocation of crm in test? Its old password works again."]
    assert (world.record("crm").revoked is None) is kept


def test_a_revocation_that_is_not_carried_out_yet_is_not_lifted(declared: Checkout) -> None:
    """The leaked key could still be active: a new one would replace it with an overlap."""
    declared.declare(an_entry("crm", credential=2), an_entry("wiki"))
    declared.run("revoke", "crm", "--reason", "leaked")
    declared.run()
    outcome = declared.run("resume", "crm")
    assert (outcome.code, outcome.writes) == (1, [])
    assert "crm is pending: its revocation is not complete" in outcome.err


def test_a_user_without_a_key_has_none_to_keep(world: World, declared: Checkout) -> None:
    declared.declare(an_entry("crm"), an_entry("wiki"), an_entry("shop", enabled=False))
    declared.reconcile(world)
    declared.reconcile(world, "revoke", "shop", "--reason", "not yet")
    assert declared.reconcile(world, "resume", "shop").code == 0
    assert world.record("shop").revoked is None


def test_a_credential_raised_meanwhile_is_a_new_one(world: World, declared: Checkout) -> None:
    leaked = set(world.access_keys("crm"))
    world.pass_time(minutes=2)
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    declared.declare(an_entry("crm", credential=2), an_entry("wiki"))
    declared.reconcile(world)
    assert world.access_keys("crm") == {}
    outcome = declared.reconcile(world, "resume", "crm")
    assert outcome.code == 0
    assert "its old password" not in outcome.out
    keys = world.access_keys("crm")
    assert list(keys.values()) == ["Active"]
    assert not leaked & set(keys)


@pytest.fixture
def deleted(world: World, declared: Checkout) -> Checkout:
    """crm was revoked and then deleted; its entry is back."""
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    declared.declare(an_entry("wiki"))
    declared.reconcile(world)
    assert world.users() == ["smtp-test-wiki"]
    declared.declare(an_entry("crm"), an_entry("wiki"))
    return declared


def test_a_user_that_was_deleted_while_it_was_revoked_comes_back_after_resume_only(
    world: World, deleted: Checkout
) -> None:
    refused = deleted.run()
    assert (refused.code, refused.writes) == (1, [])
    assert "hint: reconcile resume crm" in refused.err
    outcome = deleted.run("resume", "crm", "--yes")
    assert (outcome.code, outcome.writes) == (0, [])
    assert outcome.calls.count("UpdateItem APPLIED#state") == 1
    assert "crm may be declared again; it gets a new password" in outcome.out
    assert deleted.reconcile(world).code == 0
    assert list(world.access_keys("crm").values()) == ["Active"]
    again = deleted.run("resume", "crm", "--yes")
    assert (again.code, again.writes) == (1, [])
    assert "crm is not revoked" in again.err


def test_of_two_that_change_the_remembered_names_one_has_to_run_again(
    deleted: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = DynamoAppliedStates.save_revoked

    def after_another(states: DynamoAppliedStates, state: AppliedState) -> AppliedState:
        found = states.load()
        save(states, replace(found, revoked={**found.revoked, "shop": RevokedUser("ann", "leaked", "")}))
        return save(states, state)

    monkeypatch.setattr(DynamoAppliedStates, "save_revoked", after_another)
    outcome = deleted.run("resume", "crm", "--yes")
    assert outcome.code == 1
    assert "run the command again" in outcome.err
    monkeypatch.undo()
    assert "hint: reconcile resume crm" in deleted.run().err


def test_a_record_that_was_created_manually_under_a_remembered_name_can_be_adopted_after_resume(
    world: World, deleted: Checkout
) -> None:
    world.put_row("crm", status="pending", allowed_from_addresses=["crm@example.com"])
    assert "hint: reconcile resume crm" in deleted.run().err
    assert deleted.run("resume", "crm", "--yes").code == 0
    assert deleted.reconcile(world).code == 0
    assert world.record("crm").managed_by == "reconciler:test"


def test_a_previous_key_may_have_leaked_too(world: World, declared: Checkout) -> None:
    """The record of a revoked user in the overlap has lost its credentials."""
    declared.declare(an_entry("crm", credential=2), an_entry("wiki"))
    declared.reconcile(world)
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    row = {**(world.row("crm") or {})}
    del row["encrypted_credentials"]
    world.table.put_item(Item=row)
    outcome = declared.reconcile(world, "resume", "crm", "--yes")
    assert (outcome.code, outcome.writes) == (1, [])
    assert set(world.access_keys("crm").values()) == {"Inactive"}

"""I16: what a run does with users that are revoked, or become so while it runs."""

from __future__ import annotations

import pytest

from reconciler.engine import reconcile
from reconciler.planning.plan import Plan
from support.runs import Checkout, an_entry
from support.world import World


@pytest.fixture
def declared(world: World, checkout: Checkout) -> Checkout:
    """Two active users, crm and wiki."""
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    return checkout


def test_a_rename_does_not_lift_a_revocation(world: World, declared: Checkout) -> None:
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    declared.declare(an_entry("crm2", "crm@example.com"), an_entry("wiki"))
    outcome = declared.run()
    assert (outcome.code, outcome.writes) == (1, [])
    assert "refused: crm is revoked and would be deleted, but crm2 may send as the same address" in outcome.err
    assert "hint: first run reconcile resume crm" in outcome.err
    assert "stays revoked after its deletion" in declared.run("plan").out


def test_a_user_revoked_between_plan_and_deletion_is_not_deleted(
    world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I11: its name would not be remembered. The write is conditional on the revision; the next run knows."""
    declared.declare(an_entry("wiki"))

    def meanwhile(_: Plan) -> None:
        world.revoke("crm")

    monkeypatch.setattr(reconcile, "show_plan", meanwhile)
    outcome = declared.run()
    assert outcome.code == 3
    assert "crm: not written: changed by another run in the meantime; run again" in outcome.err
    record = world.record("crm")
    assert (record.status, record.revoked is not None) == ("pending", True)


@pytest.mark.parametrize("by", ["deletion", "status"])
def test_a_record_that_disappears_leaves_its_revocation_behind(world: World, declared: Checkout, by: str) -> None:
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    stored = declared.run()
    assert (stored.code, stored.writes, stored.stored) == (0, [], True)
    if by == "deletion":
        world.remove_row("crm")
    else:
        world.put_row("crm", **{**(world.row("crm") or {}), "status": "deleting"})
    world.converge("crm")
    assert world.users() == ["smtp-test-wiki"]
    outcome = declared.reconcile(world)
    assert (outcome.code, outcome.writes) == (1, [])
    assert "crm was revoked by" in outcome.err
    assert "hint: reconcile resume crm" in outcome.err

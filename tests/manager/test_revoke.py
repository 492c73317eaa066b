"""Break-glass: the keys of a revoked user are deactivated at once and stay inactive until it is resumed."""

from __future__ import annotations

import pytest

from support.world import START, World, a_user

NAME = "billing-mailer"


@pytest.fixture
def revoked(world: World) -> World:
    world.ask(a_user())
    world.converge()
    world.revoke()
    assert world.converge().result == "disabled"
    return world


def test_revoking_switches_the_key_off_and_deletes_nothing(revoked: World) -> None:
    record = revoked.record()
    assert revoked.access_keys() == {record.smtp_username: "Inactive"}
    assert record.revoked
    assert (record.revoked.actor, record.revoked.reason) == ("somebody", "leaked")
    assert record.encrypted_credentials
    assert revoked.converge().result == "unchanged"


def test_the_key_goes_before_anything_else(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.revoke()
    assert world.converge().steps[0] == "SetKey"


def test_revoking_in_an_overlap_switches_both_keys_off(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.ask(a_user(credential=2))
    world.converge()
    world.revoke()
    world.converge()
    assert list(world.access_keys().values()) == ["Inactive", "Inactive"]


def test_a_revocation_survives_a_change_of_the_declaration(revoked: World) -> None:
    """A later merge must not activate an exposed key."""
    revoked.ask(a_user(NAME, "new@example.com"))
    assert revoked.converge().result == "disabled"
    assert revoked.record().revoked
    assert set(revoked.access_keys().values()) == {"Inactive"}
    statement = revoked.policy()["Statement"][0]
    assert statement["Condition"]["StringLike"]["ses:FromAddress"] == ["new@example.com"]


def test_no_key_is_issued_while_a_user_is_revoked(revoked: World) -> None:
    keys = revoked.access_keys()
    revoked.ask(a_user(rotation={"every_days": 30}))
    revoked.converge()
    revoked.pass_time(days=60)
    revoked.audit()
    assert revoked.access_keys() == keys
    revoked.ask(a_user(credential=2, rotation={"every_days": 30}))
    revoked.converge()
    assert revoked.access_keys() == {}, "it is replaced, and may have leaked"
    assert revoked.audit().result == "unchanged"


def test_a_user_that_is_revoked_before_it_was_made_gets_no_key(world: World) -> None:
    world.ask(a_user())
    world.revoke()
    assert world.converge().result == "disabled"
    assert world.access_keys() == {}


def test_resuming_brings_the_key_back(revoked: World) -> None:
    key = revoked.record().smtp_username
    revoked.resume()
    assert revoked.converge().result == "active"
    assert revoked.access_keys() == {key: "Active"}
    assert revoked.record().revoked is None


def test_resuming_with_a_new_credential_does_not_bring_the_leaked_key_back(revoked: World) -> None:
    leaked = revoked.record().smtp_username
    revoked.pass_time(minutes=2)
    revoked.ask(a_user(credential=2))
    revoked.converge()
    revoked.resume()
    assert revoked.converge().result == "active"
    assert revoked.access_keys() == {revoked.record().smtp_username: "Active"}
    assert leaked not in revoked.access_keys()


def test_resuming_a_user_that_may_not_send_activates_nothing(revoked: World) -> None:
    revoked.ask(a_user(enabled=False))
    revoked.converge()
    revoked.resume()
    assert revoked.converge().result == "disabled"
    assert set(revoked.access_keys().values()) == {"Inactive"}


def test_a_key_of_a_revoked_user_that_was_activated_manually_is_off_again(revoked: World) -> None:
    key = revoked.record().smtp_username
    revoked.pass_time(hours=1)
    revoked.iam.update_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key, Status="Active")
    assert revoked.audit().differences == (f"access key {key} was activated",)
    assert revoked.access_keys() == {key: "Inactive"}


def test_the_previous_key_of_a_revoked_user_is_deleted_in_its_time(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.ask(a_user(credential=2))
    world.converge()
    world.revoke()
    world.converge()
    world.pass_time(days=7)
    world.audit()
    world.pass_time(days=1)
    world.audit()
    assert world.access_keys() == {world.record().smtp_username: "Inactive"}


@pytest.mark.parametrize("value", [True, "leaked", {"reason": "leaked"}])
def test_a_revocation_written_manually_counts_at_the_next_look(world: World, value: object) -> None:
    world.ask(a_user())
    world.converge()
    row = world.row()
    assert row
    world.put_row(NAME, **{**row, "revoked": value})
    assert world.converge().result == "disabled"
    assert set(world.access_keys().values()) == {"Inactive"}


def test_a_revocation_holds_where_the_record_cannot_be_processed(revoked: World) -> None:
    """The key was activated manually, and the record is nonsense."""
    key = revoked.record().smtp_username
    revoked.iam.update_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key, Status="Active")
    row = revoked.row()
    assert row
    revoked.put_row(NAME, **{**row, "status": "pending", "enabled": "yes"})
    report = revoked.converge()
    assert report.result == "failed"
    assert revoked.access_keys() == {key: "Inactive"}


def test_a_revoked_user_is_torn_down_like_any_other(revoked: World) -> None:
    """I4."""
    revoked.ask_delete()
    assert revoked.converge().result == "removed"
    assert revoked.users() == []


def test_a_revocation_is_not_lost_when_a_failed_record_is_reprocessed(revoked: World) -> None:
    row = revoked.row()
    assert row
    revoked.put_row(NAME, **{**row, "status": "failed"})
    revoked.retry()
    assert revoked.converge().result == "disabled"
    assert revoked.now == START


def test_what_was_deactivated_is_reported_also_where_the_record_fails(revoked: World) -> None:
    key = revoked.record().smtp_username
    revoked.iam.update_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key, Status="Active")
    row = revoked.row()
    assert row
    revoked.put_row(NAME, **{**row, "status": "pending", "enabled": "yes"})
    assert revoked.converge().steps == ("SetKey",)

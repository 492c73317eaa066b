"""Edit, disable, enable, expire: what each changes in the IAM user, and what it leaves unchanged."""

from __future__ import annotations

import pytest

from reconciler.core.policy import build
from reconciler.errors import Retryable
from support.world import SENDING, World, a_user

NAME = "billing-mailer"


def converged(world: World, **fields: object) -> str:
    """A user that is active; returns its access key id."""
    world.ask(a_user(**fields))  # type: ignore[arg-type]
    world.converge()
    record = world.store.get(NAME)
    assert record
    return record.smtp_username


def test_an_edited_grant_changes_the_policy_and_keeps_the_credential(world: World) -> None:
    key = converged(world)
    row = world.row()
    wider = a_user(NAME, "billing@example.com", "*@news.example.com")
    world.ask(wider)
    assert world.converge().result == "active"
    assert world.policy() == build(wider, SENDING)
    assert world.access_keys() == {key: "Active"}
    after = world.row()
    assert row
    assert after
    assert after["encrypted_credentials"] == row["encrypted_credentials"]


def test_disabling_makes_the_key_inactive_and_deletes_nothing(world: World) -> None:
    key = converged(world)
    world.ask(a_user(enabled=False))
    assert world.converge().result == "disabled"
    assert world.access_keys() == {key: "Inactive"}
    world.ask(a_user())
    assert world.converge().result == "active"
    assert world.access_keys() == {key: "Active"}


def test_a_user_that_is_declared_disabled_gets_its_key_when_it_is_enabled(world: World) -> None:
    converged(world, enabled=False)
    assert world.access_keys() == {}
    world.ask(a_user())
    world.converge()
    assert list(world.access_keys().values()) == ["Active"]


def test_expiry_ends_sending_with_the_day_in_utc(world: World) -> None:
    key = converged(world, expires="2026-06-02")
    world.pass_time(hours=35)
    assert world.converge().result == "unchanged"
    world.pass_time(hours=1)
    assert world.converge().result == "disabled"
    assert world.access_keys() == {key: "Inactive"}
    world.ask(a_user(expires="2026-12-31"))
    assert world.converge().result == "active"
    assert world.access_keys() == {key: "Active"}


def test_a_key_whose_stored_credential_is_gone_is_replaced(world: World) -> None:
    """I3."""
    key = converged(world)
    row = world.row()
    assert row
    del row["encrypted_credentials"]
    world.put_row(NAME, **{**row, "status": "pending"})
    world.converge()
    assert list(world.access_keys().values()) == ["Active"]
    assert key not in world.access_keys()


def test_a_status_set_manually_is_not_believed(world: World) -> None:
    """I3: the status is disabled, but the key is active."""
    key = converged(world)
    row = world.row()
    assert row
    world.put_row(NAME, **{**row, "status": "disabled"})
    assert world.converge().result == "active"
    assert world.access_keys() == {key: "Active"}


def test_a_key_that_no_record_knows_is_deleted(world: World) -> None:
    """I2."""
    key = converged(world)
    world.iam.create_access_key(UserName="smtp-test-billing-mailer")
    world.ask(a_user(NAME, "touched@example.com"))
    world.converge()
    assert world.access_keys() == {key: "Active"}


def test_a_key_that_was_deleted_manually_is_replaced(world: World) -> None:
    key = converged(world)
    world.pass_time(minutes=3)
    world.iam.delete_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key)
    world.ask(a_user(NAME, "touched@example.com"))
    world.converge()
    record = world.store.get(NAME)
    assert record
    assert world.access_keys() == {record.smtp_username: "Active"}
    assert record.smtp_username != key


def test_a_key_that_iam_does_not_list_yet_is_waited_for_and_not_replaced(world: World) -> None:
    """Reading IAM is eventually consistent: a password that was just issued must stay valid."""
    key = converged(world)
    world.iam.delete_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key)
    world.ask(a_user(NAME, "touched@example.com"))
    with pytest.raises(Retryable, match="is not listed"):
        world.converge()
    assert world.access_keys() == {}


def test_a_user_that_was_deleted_manually_is_made_again(world: World) -> None:
    key = converged(world)
    world.iam.delete_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key)
    world.iam.delete_user_policy(UserName="smtp-test-billing-mailer", PolicyName="smtp-send")
    world.iam.delete_user(UserName="smtp-test-billing-mailer")
    world.ask(a_user(NAME, "touched@example.com"))
    assert world.converge().result == "active"
    assert len(world.access_keys()) == 1


def test_a_lost_boundary_is_put_back(world: World) -> None:
    key = converged(world)
    world.pass_time(minutes=3)
    world.iam.delete_user_permissions_boundary(UserName="smtp-test-billing-mailer")
    world.iam.delete_access_key(UserName="smtp-test-billing-mailer", AccessKeyId=key)
    world.ask(a_user(NAME, "touched@example.com"))
    world.converge()
    user = world.iam.get_user(UserName="smtp-test-billing-mailer")["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("smtp-boundary-test")


def test_a_record_edited_manually_without_a_new_revision_is_still_seen(world: World) -> None:
    """Level-triggered: the hash of the declaration decides, not the revision."""
    converged(world)
    row = world.row()
    assert row
    attributes = {k: v for k, v in row.items() if k not in ("PK", "SK")}
    world.put_row(NAME, **{**attributes, "allowed_from_addresses": ["other@example.com"]})
    assert world.converge().result == "active"
    assert world.policy() == build(a_user(NAME, "other@example.com"), SENDING)

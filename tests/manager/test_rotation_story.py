"""Rotation by credential number and by schedule: two keys during the overlap, then one; never three, never none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import aws_rules
from reconciler.core.record import parse_timestamp
from reconciler.core.smtp import smtp_password
from support.world import REGION, World, a_user

NAME = "billing-mailer"
IAM_USER = "smtp-test-billing-mailer"
ROTATION = {"every_days": 90, "overlap_days": 3}


def converged(world: World, **fields: Any) -> str:
    """A user that is active; returns its access key id."""
    world.ask(a_user(**fields))
    world.converge()
    return world.record().smtp_username


def has_working_credential(world: World) -> bool:
    """I3: the stored password belongs to an active key, and IAM has at most two keys."""
    record, keys = world.record(), world.access_keys()
    assert len(keys) <= 2
    assert record.encrypted_credentials
    stored = world.vault.decrypt(NAME, record.smtp_username, record.encrypted_credentials)
    secret = aws_rules.secrets_seen[record.smtp_username]
    return keys[record.smtp_username] == "Active" and stored.passwords == {REGION: smtp_password(secret, REGION)}


@pytest.mark.parametrize("audit", [False, True], ids=["event", "sweep"])
def test_from_the_first_key_to_the_second(world: World, audit: bool) -> None:
    """Issued, overlap, inactive, deleted; nothing to do on the days between."""

    def look() -> tuple[str, dict[str, str]]:
        report = world.audit() if audit else world.converge()
        assert report.differences == ()
        assert has_working_credential(world)
        return ",".join(report.steps), world.access_keys()

    first = converged(world, rotation=ROTATION)
    world.pass_time(hours=1)
    world.ask(a_user(credential=2, rotation=ROTATION))
    world.converge()
    record = world.record()
    second = record.smtp_username
    assert (record.previous_key, record.previous_key_deletes_at) == (first, "")
    assert parse_timestamp(record.previous_key_retires_at) == world.now + timedelta(days=3)
    assert look() == ("", {first: "Active", second: "Active"})
    world.pass_time(days=2, hours=23)
    assert look() == ("", {first: "Active", second: "Active"})

    world.pass_time(hours=1)
    steps, keys = look()
    assert ("SetKey" in steps, keys) == (True, {first: "Inactive", second: "Active"})
    record = world.record()
    assert record.previous_key == first
    assert parse_timestamp(record.previous_key_deletes_at) == world.now + timedelta(days=1)
    assert look() == ("", {first: "Inactive", second: "Active"})
    world.pass_time(hours=23)
    assert look() == ("", {first: "Inactive", second: "Active"})

    world.pass_time(hours=1)
    steps, keys = look()
    assert ("DeleteKey" in steps, keys) == (True, {second: "Active"})
    row = world.row()
    assert row
    assert not [name for name in row if name.startswith("previous_key")]
    assert look() == ("", {second: "Active"})


def test_a_scheduled_rotation_tells_the_same_story_by_itself(world: World) -> None:
    first = converged(world, rotation={"every_days": 30, "overlap_days": 3})
    world.pass_time(days=29)
    assert world.converge().result == "unchanged"
    counts = []
    for _ in range(70):
        world.pass_time(days=1)
        world.audit()
        assert has_working_credential(world)
        counts.append(len(world.access_keys()))
    assert first not in world.access_keys()
    assert counts[:5] == [2, 2, 2, 2, 1]
    assert counts[30:35] == [2, 2, 2, 2, 1]


def test_a_sweep_that_slept_for_a_year_finds_its_way(world: World) -> None:
    """Every stage is overdue: still never a third key, and the key in use stays valid."""
    converged(world, rotation=ROTATION)
    world.ask(a_user(credential=2, rotation=ROTATION))
    world.converge()
    used = world.record().smtp_username
    world.pass_time(days=365)
    world.audit()
    assert world.access_keys()[used] == "Active"
    for _ in range(10):
        assert has_working_credential(world)
        world.pass_time(days=1)
        world.audit()
    assert world.access_keys() == {world.record().smtp_username: "Active"}


def test_an_inactive_previous_key_does_not_come_back_with_a_change_of_the_grant(world: World) -> None:
    first = converged(world, rotation=ROTATION)
    world.ask(a_user(credential=2, rotation=ROTATION))
    world.converge()
    world.pass_time(days=3)
    world.converge()
    world.ask(a_user(NAME, "new@example.com", credential=2, rotation=ROTATION))
    world.converge()
    assert world.access_keys()[first] == "Inactive"


def test_a_second_rotation_forgets_the_day_on_which_the_first_key_was_to_be_deleted(world: World) -> None:
    """Otherwise the second previous key would be deleted on the wrong day."""
    converged(world, rotation=ROTATION)
    world.ask(a_user(credential=2, rotation=ROTATION))
    world.converge()
    second = world.record().smtp_username
    world.pass_time(days=3)
    world.converge()
    assert world.record().previous_key_deletes_at
    world.ask(a_user(credential=3, rotation=ROTATION))
    world.converge()
    assert (world.record().previous_key, world.record().previous_key_deletes_at) == (second, "")
    world.pass_time(days=2)
    assert world.converge().result == "unchanged"
    assert world.access_keys()[second] == "Active"


def test_a_previous_key_that_someone_deleted_is_forgotten_at_the_end_of_its_overlap(world: World) -> None:
    first = converged(world, rotation=ROTATION)
    world.ask(a_user(credential=2, rotation=ROTATION))
    world.converge()
    world.iam.delete_access_key(UserName=IAM_USER, AccessKeyId=first)
    world.pass_time(days=3)
    world.converge()
    row = world.row()
    assert row
    assert not [name for name in row if name.startswith("previous_key")]
    assert has_working_credential(world)


def test_disabling_during_an_overlap_makes_both_keys_inactive(world: World) -> None:
    converged(world)
    world.ask(a_user(credential=2))
    world.converge()
    world.ask(a_user(credential=2, enabled=False))
    world.converge()
    assert list(world.access_keys().values()) == ["Inactive", "Inactive"]


def test_a_key_that_was_deactivated_gets_no_overlap_when_it_is_rotated(world: World) -> None:
    """It may have leaked: enabling with a new credential must not bring it back."""
    first = converged(world)
    world.ask(a_user(enabled=False))
    world.converge()
    world.ask(a_user(credential=2))
    world.converge()
    record = world.store.get(NAME)
    assert record
    assert world.access_keys() == {record.smtp_username: "Active"}
    assert record.smtp_username != first


def test_rotating_again_during_an_overlap_never_needs_a_third_key(world: World) -> None:
    converged(world)
    for credential in (2, 3, 4):
        world.ask(a_user(credential=credential))
        assert world.converge().result == "active"
        assert len(world.access_keys()) == 2

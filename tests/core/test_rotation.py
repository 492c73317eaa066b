from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import Decision, DeleteKey, Identity, IssueKey, SetKey, Settle
from reconciler.core.lifecycle import decide
from reconciler.core.record import Status, timestamp
from reconciler.core.record_state import RecordState
from support.rows import ACTIVE, DISABLED, EARLIER, K0, K1, LATER, NOW, grant, iam, run, served, settled
from support.world import SENDING, a_user


def test_raising_the_credential_issues_a_key_beside_the_old_one() -> None:
    user = a_user(credential=2, rotation={"every_days": 90, "overlap_days": 3})
    retires_at = timestamp(NOW + timedelta(days=3))
    assert run(served(user), iam(K1)) == Decision(ACTIVE, (grant(user), IssueKey(2, K1, retires_at)))


def test_a_rotation_without_a_declared_overlap_leaves_a_week() -> None:
    user = a_user(credential=2)
    (_, issue) = run(served(user), iam(K1)).steps
    assert issue == IssueKey(2, K1, timestamp(NOW + timedelta(days=7)))


ROTATED = a_user(rotation={"every_days": 90, "overlap_days": 3})
MADE = NOW - timedelta(days=90)


def test_a_scheduled_rotation_issues_a_key_beside_the_old_one_on_its_day() -> None:
    """With the declared credential number: the manifest did not change."""
    record = settled(ROTATED, key_created_at=timestamp(MADE))
    before = NOW - timedelta(seconds=1)
    assert not RecordState.of(record, SENDING, before).due
    assert RecordState.of(record, SENDING, before).settled
    assert decide(RecordState.of(record, SENDING, before), iam(K1)) == Decision(ACTIVE, (grant(ROTATED),))
    assert RecordState.of(record, SENDING, NOW).due
    assert not RecordState.of(record, SENDING, NOW).settled
    retires_at = timestamp(NOW + timedelta(days=3))
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(ROTATED), IssueKey(1, K1, retires_at)))


def test_a_scheduled_rotation_overlaps_by_a_week_unless_declared_otherwise() -> None:
    user = a_user(rotation={"every_days": 90})
    (_, issue) = run(settled(user, key_created_at=timestamp(MADE)), iam(K1)).steps
    assert issue == IssueKey(1, K1, timestamp(NOW + timedelta(days=7)))


def test_a_scheduled_rotation_that_was_missed_for_long_makes_room_for_its_key() -> None:
    """IAM allows two keys: the previous one is due for deletion, even if its deletion was missed."""
    record = settled(ROTATED, key_created_at=timestamp(MADE), previous_key=K0, previous_key_retires_at=timestamp(MADE))
    issue = IssueKey(1, K1, timestamp(NOW + timedelta(days=3)))
    assert run(record, iam(K0, K1)) == Decision(Settle(Status.ACTIVE, True), (grant(ROTATED), DeleteKey(K0), issue))


def test_a_scheduled_rotation_of_a_key_that_is_gone_replaces_it_without_overlap() -> None:
    record = settled(ROTATED, key_created_at=timestamp(MADE))
    assert run(record, iam()) == Decision(ACTIVE, (grant(ROTATED), IssueKey(1)))


@pytest.mark.parametrize("change", [{"enabled": False}, {"expires": "2026-05-31"}], ids=str)
def test_no_key_is_rotated_for_a_user_that_may_not_send(change: dict[str, Any]) -> None:
    user = a_user(rotation={"every_days": 90}, **change)
    record = settled(user, status="disabled", key_created_at=timestamp(MADE))
    assert not RecordState.of(record, SENDING, NOW).due
    assert RecordState.of(record, SENDING, NOW).settled
    assert run(record, iam(inactive=(K1,))) == Decision(DISABLED, (grant(user),))


@pytest.mark.parametrize("made", ["", "some day"])
def test_a_key_of_unknown_age_is_not_rotated_by_schedule(made: str) -> None:
    """I5: otherwise it would be due again at every check."""
    record = settled(ROTATED, key_created_at=made)
    assert not RecordState.of(record, SENDING, NOW).due
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(ROTATED),))


@pytest.mark.parametrize("made", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_no_age_of_a_key_can_stop_the_credential_manager_with_an_exception(made: str) -> None:
    """I8: a record created manually may date its key at the end of the calendar."""
    record = settled(ROTATED, key_created_at=made)
    due = made.startswith("0001")
    assert RecordState.of(record, SENDING, NOW).due is due
    assert any(isinstance(step, IssueKey) for step in run(record, iam(K1)).steps) is due


def test_a_key_without_a_schedule_is_never_due() -> None:
    assert not RecordState.of(settled(key_created_at=timestamp(NOW - timedelta(days=4000))), SENDING, NOW).due


def test_a_second_rotation_within_the_overlap_ends_the_first_one() -> None:
    """IAM allows two keys: the oldest is deleted."""
    user = a_user(credential=3)
    record = served(user, key_credential=2, previous_key=K0, previous_key_retires_at=LATER)
    steps = run(record, iam(K0, K1)).steps
    assert steps == (grant(user), DeleteKey(K0), IssueKey(3, K1, timestamp(NOW + timedelta(days=7))))


def test_a_credential_raised_while_disabled_waits() -> None:
    user = a_user(enabled=False, credential=2)
    assert run(served(user), iam(inactive=(K1,))) == Decision(DISABLED, (SetKey(K1, False), grant(user)))


def test_a_credential_raised_while_disabled_leaves_no_overlap_when_enabled() -> None:
    user = a_user(credential=2)
    assert run(served(user), iam(inactive=(K1,))) == Decision(ACTIVE, (grant(user), DeleteKey(K1), IssueKey(2)))


def test_a_lost_key_under_rotation_is_replaced_without_overlap() -> None:
    user = a_user(credential=2)
    assert run(served(user), iam()) == Decision(ACTIVE, (grant(user), IssueKey(2)))


def test_a_previous_key_becomes_inactive_at_the_end_of_its_overlap() -> None:
    """Not deleted yet: after a missed rotation, one call activates it again."""
    record = served(status="active", previous_key=K0, previous_key_retires_at=timestamp(NOW))
    retire = Settle(Status.ACTIVE, retire_previous=True)
    assert run(record, iam(K0, K1)) == Decision(retire, (grant(), SetKey(K0, False)))
    assert run(record, iam(K1, inactive=(K0,))) == Decision(retire, (grant(),))


@pytest.mark.parametrize("found", [iam(K0, K1), iam(K1, inactive=(K0,))], ids=["active", "inactive"])
def test_a_previous_key_is_deleted_and_forgotten_on_the_day_that_was_noted(found: Identity) -> None:
    fields = {"previous_key": K0, "previous_key_retires_at": EARLIER}
    record = served(status="active", previous_key_deletes_at=timestamp(NOW), **fields)
    assert run(record, found) == Decision(Settle(Status.ACTIVE, True), (grant(), DeleteKey(K0)))


def test_a_previous_key_that_is_to_be_deleted_does_not_become_active_again() -> None:
    fields = {"previous_key": K0, "previous_key_retires_at": LATER, "previous_key_deletes_at": LATER}
    record = served(status="active", **fields)
    assert run(record, iam(K1, inactive=(K0,))) == Decision(ACTIVE, (grant(),))
    assert run(record, iam(K0, K1)) == Decision(ACTIVE, (grant(), SetKey(K0, False)))


def test_a_previous_key_that_vanished_before_it_was_due_is_not_noted_for_deletion() -> None:
    record = served(status="active", previous_key=K0, previous_key_retires_at=EARLIER)
    assert run(record, iam(K1)) == Decision(Settle(Status.ACTIVE, True), (grant(),))


def test_a_previous_key_that_is_not_due_stays() -> None:
    record = served(status="active", previous_key=K0, previous_key_retires_at=LATER)
    assert run(record, iam(K0, K1)) == Decision(ACTIVE, (grant(),))


def test_a_previous_key_that_is_gone_is_forgotten() -> None:
    record = served(previous_key=K0, previous_key_retires_at=LATER)
    assert run(record, iam(K1)).end == Settle(Status.ACTIVE, True)


def test_both_keys_of_an_overlap_follow_disable_and_enable() -> None:
    record = served(a_user(enabled=False), previous_key=K0, previous_key_retires_at=LATER)
    off = run(record, iam(K0, K1))
    assert off.steps == (SetKey(K0, False), SetKey(K1, False), grant())
    record = served(previous_key=K0, previous_key_retires_at=LATER)
    on = run(record, iam(inactive=(K0, K1)))
    assert on.steps == (grant(), SetKey(K0, True), SetKey(K1, True))


@pytest.mark.parametrize("day", ["", "some day"])
def test_a_previous_key_without_a_day_to_retire_is_not_kept_forever(day: str) -> None:
    record = served(previous_key=K0, previous_key_retires_at=day)
    assert run(record, iam(K0, K1)).steps == (grant(), SetKey(K0, False))
    marked = replace(record, previous_key_deletes_at="some day")
    assert run(marked, iam(K0, K1)).steps == (grant(), DeleteKey(K0))

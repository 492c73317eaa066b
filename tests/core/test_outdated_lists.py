"""Keys are decided from the record where IAM may list what was before the last result: for a minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decision import Decision, DeleteKey, Identity, IssueKey, Key, SetKey, Settle
from reconciler.core.lifecycle import decide
from reconciler.core.record import Record, timestamp
from reconciler.core.record_state import RecordState
from support.rows import ACTIVE, EARLIER, K0, K1, LATER, NOW, grant, iam, run, served
from support.world import SENDING, a_user

WEEK = timestamp(NOW + timedelta(days=7))
ROTATED = a_user(credential=2)


def left(status: str, seconds: int = 10, user: Any = None, **fields: Any) -> Record:
    """A pending record. The result before that is so many seconds old."""
    at = timestamp(NOW - timedelta(seconds=seconds))
    return served(user, settled_at=at, settled_status=status, **fields)


def test_a_rotation_right_after_enabling_keeps_the_key_that_is_listed_as_inactive() -> None:
    """I18"""
    found = iam(inactive=(K1,))
    assert run(left("active", user=ROTATED), found) == Decision(ACTIVE, (grant(ROTATED), IssueKey(2, K1, WEEK)))


def test_a_scheduled_rotation_right_after_enabling_keeps_it_too() -> None:
    user = a_user(rotation={"every_days": 90})
    record = left("active", user=user, key_created_at=timestamp(NOW - timedelta(days=90)))
    for status in ("pending", "active"):
        found = run(replace(record, status=status), iam(inactive=(K1,)))
        assert found == Decision(ACTIVE, (grant(user), IssueKey(1, K1, WEEK)))


@pytest.mark.parametrize(
    "record",
    [left("disabled", user=ROTATED), left("active", 60, user=ROTATED), left("", user=ROTATED)],
    ids=["disabled before", "long ago: it was deactivated", "written by an earlier version"],
)
def test_a_key_that_is_inactive_indeed_leaves_no_overlap(record: Record) -> None:
    assert run(record, iam(inactive=(K1,))) == Decision(ACTIVE, (grant(ROTATED), DeleteKey(K1), IssueKey(2)))


def test_a_revoked_key_that_is_still_listed_as_active_leaves_no_overlap() -> None:
    """Otherwise the sweep would activate a leaked key again."""
    assert run(left("disabled", user=ROTATED), iam(K1)) == Decision(
        ACTIVE, (grant(ROTATED), DeleteKey(K1), IssueKey(2))
    )


def test_a_user_enabled_right_after_disabling_is_activated_although_its_key_is_listed_as_active() -> None:
    assert run(left("disabled"), iam(K1)) == Decision(ACTIVE, (grant(), SetKey(K1, True)))
    assert run(left("disabled", 60), iam(K1)) == Decision(ACTIVE, (grant(),))


def test_a_change_right_after_another_needs_no_call_for_a_key() -> None:
    assert run(left("active"), iam(K1)) == Decision(ACTIVE, (grant(),))


def test_an_overlap_that_ends_right_after_enabling_ends_whatever_is_listed() -> None:
    record = left("active", previous_key=K0, previous_key_retires_at=EARLIER)
    assert run(record, iam(K1, inactive=(K0,))).steps == (grant(), SetKey(K0, False))


def test_a_retired_key_needs_no_call() -> None:
    record = left("active", previous_key=K0, previous_key_retires_at=EARLIER, previous_key_deletes_at=LATER)
    assert run(record, iam(K1, inactive=(K0,))) == Decision(ACTIVE, (grant(),))


def test_a_lost_race_leaves_nothing_that_is_listed_certain() -> None:
    decision = decide(RecordState.of(served(), SENDING, NOW), iam(K1), lost_race=True)
    assert decision == Decision(ACTIVE, (grant(), SetKey(K1, True)))


@given(
    status=st.sampled_from(["active", "disabled"]),
    seconds=st.integers(0, 59),
    enabled=st.booleans(),
    credential=st.integers(1, 2),
    previous=st.booleans(),
    listed=st.tuples(st.booleans(), st.booleans()),
)
def test_whatever_is_listed_the_keys_end_as_declared_and_none_in_use_is_deleted(
    status: str, seconds: int, enabled: bool, credential: int, previous: bool, listed: tuple[bool, bool]
) -> None:
    """I3, I18"""
    user = a_user(enabled=enabled, credential=credential)
    overlap = {"previous_key": K0, "previous_key_retires_at": LATER} if previous else {}
    ids = (K1, K0) if previous else (K1,)
    real = dict.fromkeys(ids, status == "active")
    shown = Identity(owned=True, keys=tuple(Key(id_, active) for id_, active in zip(ids, listed, strict=False)))
    decision = run(left(status, seconds, user, **overlap), shown)
    assert isinstance(decision.end, Settle)
    for step in decision.steps:
        match step:
            case SetKey(key_id, active):
                real[key_id] = active
            case DeleteKey(key_id):
                assert key_id == K0 or status == "disabled", "a key in use was deleted"
                del real[key_id]
            case IssueKey():
                real["new"] = True
                assert step.replaces == (K1 if status == "active" else "")
    if not enabled:
        assert not any(real.values())
    else:
        assert real["new" if credential == 2 else K1]
        assert "new" in real or all(real.values())
        assert status == "disabled" or real[K1]

"""The steps of a user's history in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.record import Failure, Record, Revocation
from reconciler.core.user import User
from reconciler.planning.user_history import (
    Event,
    HistoryEntry,
    Origin,
    Version,
    describe_step,
    find_pull_request,
    merge,
    record_entries,
)
from support.world import a_user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
INVALID = Version("crm", None, "users/test/a.yaml", 2)


def version(user: User | None = None, manifest: str = "users/test/a.yaml", name: str = "crm") -> Version:
    return Version(name, user or a_user("crm"), manifest, 2)


def step(old: Version | None, new: Version | None) -> HistoryEntry | None:
    return describe_step(old, new, NOW, Origin())


@pytest.mark.parametrize(
    ("old", "new", "event", "details"),
    [
        (None, version(), Event.CREATED, ()),
        (None, INVALID, Event.CREATED, ("the entry is not valid",)),
        (version(), None, Event.REMOVED, ()),
        (version(), version(name="crm2"), Event.RENAMED, ("renamed from crm: a new password",)),
        (
            version(), version(manifest="users/test/b.yaml"), Event.MOVED,
            ("moved from users/test/a.yaml to users/test/b.yaml",),
        ),
        (version(), INVALID, Event.CHANGED, ("the entry is not valid",)),
        (INVALID, version(), Event.CHANGED, ("the entry is valid again",)),
        (version(), version(a_user("crm", enabled=False)), Event.CHANGED, ("disabled",)),
        (version(a_user("crm", enabled=False)), version(), Event.CHANGED, ("enabled",)),
        (version(), version(a_user("crm", expires="2027-01-01")), Event.CHANGED, ("expires: never → 2027-01-01",)),
        (version(), version(a_user("crm", credential=2)), Event.CHANGED, ("credential 1 → 2: a new password",)),
        (
            version(), version(a_user("crm", rotation={"every_days": 90, "overlap_days": 7})), Event.CHANGED,
            ("rotation: every 90 days",),
        ),
        (version(a_user("crm", rotation={"every_days": 90})), version(), Event.CHANGED, ("no rotation",)),
        (version(), version(a_user("crm", owner="a@example.com")), Event.CHANGED, ("owner: (none) → a@example.com",)),
        (version(), version(a_user("crm", description="x")), Event.CHANGED, ("description changed",)),
        (version(), version(a_user("crm", "new@example.com")), Event.CHANGED, ()),
    ],
)  # fmt: skip
def test_each_step_says_what_changed(
    old: Version | None, new: Version | None, event: Event, details: tuple[str, ...]
) -> None:
    found = step(old, new)
    assert found
    assert (found.event, found.details, found.version) == (event, details, new or old)


def test_what_changes_nothing_is_no_step() -> None:
    assert step(version(), version()) is None
    assert step(None, None) is None


def test_the_permission_is_that_of_the_time_of_the_commit() -> None:
    found = step(None, version(a_user("crm", expires="2026-06-02")))
    assert found
    assert found.change.gains == ("may send as billing@example.com until 2026-06-02",)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Merge pull request #12 from example/crm\n\nGrant crm", "#12"),
        ("Grant crm (#12)", "#12"),
        ('Revert "Grant crm (#12)" (#14)\n\nx', "#14"),
        ("Merged in crm (pull request #7)", "#7"),
        ("Merge branch 'crm' into 'main'\n\nGrant crm\n\nSee merge request mail/users!34\n", "mail/users!34"),
        ("Grant crm, see #12", ""),
        ("Grant crm\n\nMerge pull request #12", ""),
        ("", ""),
    ],
)
def test_the_pull_request_of_a_message(message: str, expected: str) -> None:
    assert find_pull_request(message) == expected


def test_the_record_adds_its_own_times() -> None:
    record = Record(
        name="crm",
        requested_at="2026-06-01T00:00:00Z",
        actor="arn:aws:sts::111122223333:assumed-role/ci",
        commit="c" * 40,
        pull_request="https://example.com/pull/1",
        approver="alice bob",
        key_created_at="2026-06-01T00:00:01Z",
        settled_at="2026-06-01T00:00:02Z",
        settled_status="active",
        previous_key_retires_at="no time",
        failure=Failure("Denied", "no", "2026-06-01T00:00:03Z"),
        revoked=Revocation("", "", "2026-06-01T00:00:04Z"),
    )
    assert [entry.details for entry in record_entries(record)] == [
        (
            "requested by arn:aws:sts::111122223333:assumed-role/ci, commit cccccccccccc, pull request "
            "https://example.com/pull/1, approved by alice, bob",
        ),
        ("access key issued for credential 1",),
        ("processed: active",),
        ("failed: Denied: no",),
        ("revoked by unknown: no reason given",),
    ]
    assert record_entries(Record(name="crm")) == []


def test_both_are_merged_by_time_and_the_order_of_git_stays() -> None:
    def at(hours: int, event: Event = Event.CHANGED) -> HistoryEntry:
        return HistoryEntry(event, NOW + timedelta(hours=hours))

    git = (at(3), at(1), at(2))  # a clock was wrong
    merged = merge(git, [at(4, Event.RECORD), at(0, Event.RECORD), at(1, Event.RECORD)])
    assert [entry.at.hour - NOW.hour for entry in merged] == [4, 3, 1, 1, 2, 0]

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.policy import Sending, grant_hash
from reconciler.core.record import Failure, Record, Revocation, timestamp
from reconciler.core.user import Declaration, User, spec_hash
from reconciler.planning.diff import Adopt, Create, Delete, Diff, Update, diff
from support.world import MARK, SENDING, START, a_user

EDITED = "the record was modified manually; restoring the declared values"
MANUAL = "the status was modified manually; reprocessing"
OVER = "the overlap ended: the previous password stops working"


def declared(user: User | None = None) -> dict[str, Declaration]:
    user = user or a_user()
    return {user.name: Declaration(user, "users/test/billing.yaml", 2)}


def row(user: User | None = None, **changes: Any) -> Record:
    """A managed record that was processed."""
    user = user or a_user()
    made = Record(
        name=user.name,
        status="active" if user.enabled else "disabled",
        user=user,
        revision=1,
        spec_hash=spec_hash(user),
        managed_by=MARK,
        requested_at=timestamp(START),
        observed_revision=1,
        observed_hash=grant_hash(user, SENDING),
    )
    if changes.get("revoked"):
        made = replace(made, observed_hash=f"{made.observed_hash}-revoked")
    return replace(made, **changes)


def compare(desired: dict[str, Declaration], *actual: Record, sending: Sending = SENDING) -> Diff:
    return diff(desired, actual, MARK, sending, START)


def test_nothing_declared_and_nothing_there_is_no_difference() -> None:
    assert compare({}) == Diff() == Diff((), (), (), ())


def test_what_is_declared_only_is_created() -> None:
    found = compare(declared())
    assert found.changes == (Create(declared()["billing-mailer"]),)
    assert found.changes[0].name == "billing-mailer"


def test_what_is_there_only_is_deleted() -> None:
    found = compare({}, row())
    assert found.changes == (Delete(row()),)
    assert found.changes[0].name == "billing-mailer"


def test_what_is_as_declared_is_left_alone() -> None:
    assert compare(declared(), row()) == Diff((), ("billing-mailer",), (), ())


def test_what_differs_is_updated() -> None:
    wanted = declared(a_user("billing-mailer", "crm@example.com"))
    (change,) = compare(wanted, row()).changes
    assert change == Update(wanted["billing-mailer"], row())
    assert change.name == "billing-mailer"


def test_an_unmanaged_record_is_listed_and_not_changed() -> None:
    """I7"""
    unmanaged = row(managed_by="console")
    assert compare({}, unmanaged) == Diff((), (), (), (unmanaged,))


@pytest.mark.parametrize("managed_by", ["", "reconciler:prod", "console"])
def test_a_declared_unmanaged_record_is_adopted(managed_by: str) -> None:
    (change,) = compare(declared(), row(managed_by=managed_by)).changes
    assert isinstance(change, Adopt)
    assert change.name == "billing-mailer"


def reasons(
    record: Record, desired: dict[str, Declaration] | None = None, sending: Sending = SENDING
) -> tuple[str, ...]:
    (change,) = compare(declared() if desired is None else desired, record, sending=sending).changes
    assert isinstance(change, Update | Delete)
    return change.reasons


def test_a_pending_record_is_left_alone_for_15_minutes() -> None:
    asked_at = timestamp(START - timedelta(minutes=15))
    assert compare(declared(), row(status="pending", requested_at=asked_at)).unchanged == ("billing-mailer",)


@pytest.mark.parametrize(
    ("requested_at", "since"),
    [
        ("2026-06-01T11:44:59Z", "2026-06-01T11:44:59Z"),
        ("2026-06-01T12:15:01Z", "2026-06-01T12:15:01Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00"),
        ("", "an unknown time"),
        ("noon", "noon"),
    ],
)
def test_a_stuck_record_is_reprocessed(requested_at: str, since: str) -> None:
    assert reasons(row(status="pending", requested_at=requested_at)) == (f"stuck: pending since {since}",)


def test_a_failed_record_is_reprocessed_with_its_reason() -> None:
    failure = Failure("LimitExceeded", "iam:CreateUser was refused: too many users", "t")
    assert reasons(row(status="failed", failure=failure)) == ("failed: iam:CreateUser was refused: too many users",)
    assert reasons(row(status="failed")) == ("failed",)


def test_a_record_modified_manually_is_restored() -> None:
    wider = a_user("billing-mailer", "billing@example.com", "crm@example.com")
    assert reasons(replace(row(), user=wider)) == (EDITED,)
    assert reasons(replace(row(), user=None, problems=("enabled must be true or false",))) == (EDITED,)


def test_a_record_modified_manually_to_the_declared_values_is_reported() -> None:
    """I10"""
    manual = ("the record was modified manually to these values before they were declared",)
    for status in ("active", "disabled", "pending"):
        assert reasons(row(status=status, spec_hash="of another wish")) == manual


@pytest.mark.parametrize("status", ["", "paused", "Active"])
def test_an_unknown_status_is_reprocessed(status: str) -> None:
    assert reasons(row(status=status)) == (f"unknown status '{status}'; reprocessing",)


def test_a_modified_record_is_restored_whatever_its_status() -> None:
    wider = a_user("billing-mailer", "billing@example.com", "crm@example.com")
    for status in ("", "paused", "pending", "active", "disabled", "failed", "deleting"):
        assert reasons(replace(row(status=status), user=wider)) == (EDITED,)


def test_a_status_modified_manually_is_not_trusted() -> None:
    """I3"""
    assert reasons(row(observed_revision=None)) == (MANUAL,)
    assert reasons(row(revision=2)) == (MANUAL,)


def test_disabled_on_an_enabled_user_is_not_trusted() -> None:
    """I3: the access key is still active although the status says disabled."""
    assert reasons(row(status="disabled")) == (MANUAL,)


def test_active_on_a_disabled_user_is_not_trusted() -> None:
    """I3"""
    off = a_user(enabled=False)
    assert reasons(row(off, status="active"), declared(off)) == (MANUAL,)


def test_a_status_modified_manually_takes_precedence_over_changed_settings() -> None:
    moved = replace(SENDING, configuration_set="smtp-other")
    assert reasons(row(status="disabled"), sending=moved) == (MANUAL,)
    assert reasons(row(observed_revision=None), sending=moved) == (MANUAL,)


@pytest.mark.parametrize(
    "change",
    [
        {"configuration_set": "smtp-other"},
        {"regions": ("eu-central-1", "eu-west-1")},
        {"regions": ("eu-west-1",)},
        {"account_id": "444455556666"},
    ],
    ids=str,
)
def test_a_changed_setting_of_the_environment_reaches_every_policy(change: dict[str, Any]) -> None:
    """The declaration is the same, the policy that it stands for is not."""
    moved = replace(SENDING, **change)
    off, ended = a_user("off", enabled=False), a_user("ended", expires="2026-05-31")
    desired = {**declared(), **declared(off), **declared(ended)}
    rows = [row(), row(off), row(ended, status="disabled")]
    assert compare(desired, *rows) == Diff(unchanged=("billing-mailer", "ended", "off"))
    found = compare(desired, *rows, sending=moved)
    assert found.unchanged == ()
    for change_of_row in found.changes:
        assert isinstance(change_of_row, Update)
        through = f"{', '.join(moved.regions)} with {moved.configuration_set}"
        assert change_of_row.reasons == (f"environment settings changed: the policy now allows {through}",)


def test_changed_settings_are_no_separate_reason_while_a_record_is_being_processed() -> None:
    """It will be processed with the new settings anyway."""
    moved = replace(SENDING, configuration_set="smtp-other")
    assert compare(declared(), row(status="pending"), sending=moved).unchanged == ("billing-mailer",)
    assert reasons(row(status="failed"), sending=moved) == ("failed",)
    wanted = declared(a_user("billing-mailer", "crm@example.com"))
    assert reasons(row(), wanted, sending=moved) == ()


def test_what_is_due_by_time_is_reprocessed() -> None:
    ended = a_user(expires="2026-05-31")
    assert reasons(row(ended), declared(ended)) == ("expired: its access key becomes inactive",)
    assert reasons(row(previous_key="AKIAEXAMPLE0", previous_key_retires_at=timestamp(START))) == (OVER,)


def test_a_scheduled_rotation_is_due_when_its_days_are_over() -> None:
    rotated = a_user(rotation={"every_days": 90})
    made = timestamp(START - timedelta(days=90))
    assert reasons(row(rotated, key_created_at=made), declared(rotated)) == (
        "scheduled rotation is due: gets a new password",
    )
    later = timestamp(START - timedelta(days=90) + timedelta(seconds=1))
    assert compare(declared(rotated), row(rotated, key_created_at=later)).unchanged == ("billing-mailer",)


@pytest.mark.parametrize("made", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_no_age_of_a_key_can_stop_a_plan(made: str) -> None:
    """I8"""
    rotated = a_user(rotation={"every_days": 90})
    found = compare(declared(rotated), row(rotated, key_created_at=made))
    assert (found.unchanged == ()) is made.startswith("0001")


def test_a_user_that_expired_and_was_disabled_for_it_is_at_rest() -> None:
    ended = a_user(expires="2026-05-31")
    assert compare(declared(ended), row(ended, status="disabled")).unchanged == ("billing-mailer",)


def test_a_deletion_under_way_is_neither_repeated_nor_a_change() -> None:
    assert compare({}, row(status="deleting")) == Diff((), (), ("billing-mailer",), ())


def test_a_stuck_or_failed_deletion_is_retried() -> None:
    stuck = row(status="deleting", requested_at="2026-06-01T10:00:00Z")
    assert reasons(stuck, {}) == ("stuck: deleting since 2026-06-01T10:00:00Z",)
    failure = Failure("AccessDenied", "not allowed", "t", during="deleting")
    assert reasons(row(status="failed", failure=failure), {}) == ("deletion failed: not allowed",)


def test_a_failed_record_that_is_no_longer_declared_is_a_new_deletion() -> None:
    assert reasons(row(status="failed", failure=Failure("C", "m", "t")), {}) == ()
    assert reasons(row(status="failed"), {}) == ()


def test_a_user_declared_again_during_its_deletion_is_recreated() -> None:
    old = row(status="deleting", requested_at="2026-01-01T00:00:00Z")
    assert reasons(old) == ("deletion was in progress; recreating with a new access key",)


def test_changes_come_sorted_by_name() -> None:
    desired = {**declared(a_user("b1")), **declared(a_user("c1", "new@example.com"))}
    found = compare(desired, row(a_user("c1")), row(a_user("a1")))
    assert [(type(change), change.name) for change in found.changes] == [
        (Delete, "a1"),
        (Create, "b1"),
        (Update, "c1"),
    ]


REVOKED = Revocation("octocat", "leaked", "2026-05-01T00:00:00Z")


def test_a_revoked_user_that_is_disabled_is_as_it_should_be() -> None:
    revoked = row(status="disabled", revoked=REVOKED)
    assert compare(declared(), revoked) == Diff(unchanged=("billing-mailer",), revoked=(revoked,))


def test_a_revocation_written_manually_into_a_record_is_processed() -> None:
    found = compare(declared(), row(revoked=REVOKED))
    assert [change.reasons for change in found.changes if isinstance(change, Update)] == [(MANUAL,)]


def test_a_revocation_written_manually_beside_its_status_is_processed() -> None:
    """I16: nothing says that the key was deactivated."""
    written = row(status="disabled", revoked=REVOKED, observed_hash=row().observed_hash)
    (change,) = compare(declared(), written).changes
    assert isinstance(change, Update)
    assert change.reasons == ("the revocation was not processed yet; reprocessing",)


def test_a_revoked_key_is_never_due_for_rotation() -> None:
    user = a_user(rotation={"every_days": 30})
    old = timestamp(START - timedelta(days=31))
    assert compare(declared(user), row(user, key_created_at=old)).changes
    assert not compare(declared(user), row(user, key_created_at=old, status="disabled", revoked=REVOKED)).changes

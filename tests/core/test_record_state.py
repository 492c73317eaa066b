from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.decision import Decision, PutPolicy, SetKey
from reconciler.core.lifecycle import decide
from reconciler.core.policy import build, grant_hash
from reconciler.core.record import Failure, Record, Status, timestamp
from reconciler.core.record_state import RecordState, has_waited, is_urgent
from reconciler.core.user import spec_hash
from support.rows import ACTIVE, DISABLED, EARLIER, K0, K1, LATER, NOW, REVOKED, asked, grant, iam, run, settled
from support.world import SENDING, a_user


def test_an_expired_user_is_disabled_by_the_clock() -> None:
    user = a_user(expires="2026-05-31")
    record = settled(user)
    assert RecordState.of(record, SENDING, NOW).due
    assert not RecordState.of(record, SENDING, NOW).settled
    assert RecordState.of(record, SENDING, NOW).expired is True
    assert not RecordState.of(record, SENDING, NOW - timedelta(days=1)).due
    assert RecordState.of(record, SENDING, NOW - timedelta(days=1)).expired is False
    assert RecordState.of(record, SENDING, NOW - timedelta(days=1)).settled
    assert run(record, iam(K1)) == Decision(DISABLED, (SetKey(K1, False), grant(user)))


def test_a_settled_record_needs_no_look_at_iam() -> None:
    assert RecordState.of(settled(), SENDING, NOW).settled
    assert RecordState.of(settled(a_user(enabled=False)), SENDING, NOW).settled
    assert RecordState.of(settled(previous_key=K0, previous_key_retires_at=LATER), SENDING, NOW).settled


def test_a_record_is_observed_when_status_revision_and_content_agree() -> None:
    assert RecordState.of(settled(), SENDING, NOW).observed
    assert RecordState.of(settled(revision=None, observed_revision=0), SENDING, NOW).observed
    ended = a_user(expires="2026-05-31")
    assert RecordState.of(settled(ended, status="disabled"), SENDING, NOW).observed


@pytest.mark.parametrize(
    "change",
    [
        {"status": "pending"},
        {"status": "failed"},
        {"status": "deleting"},
        {"status": "paused"},
        {"revision": 3},
        {"revision": None},
        {"observed_revision": None},
        {"observed_hash": ""},
        {"observed_hash": spec_hash(a_user())},
        {"user": None},
        {"user": a_user("billing-mailer", "crm@example.com")},
    ],
    ids=str,
)
def test_a_record_that_changed_since_is_not_observed(change: dict[str, Any]) -> None:
    """I3"""
    assert not RecordState.of(replace(settled(), **change), SENDING, NOW).observed


def test_a_status_that_the_user_cannot_have_is_not_observed() -> None:
    """I3: it was set manually."""
    off, ended = a_user(enabled=False), a_user(expires="2026-05-31")
    assert not RecordState.of(settled(status="disabled"), SENDING, NOW).observed
    assert not RecordState.of(settled(off, status="active"), SENDING, NOW).observed
    assert not RecordState.of(settled(ended, status="active"), SENDING, NOW).observed


@pytest.mark.parametrize(
    "change",
    [{"configuration_set": "smtp-other"}, {"regions": ("eu-central-1", "eu-west-1")}, {"account_id": "444455556666"}],
    ids=str,
)
def test_a_record_is_observed_under_the_settings_it_was_processed_with_only(change: dict[str, Any]) -> None:
    """I3: its policy is built from them."""
    moved = replace(SENDING, **change)
    record = settled()
    assert not RecordState.of(record, moved, NOW).observed
    assert not RecordState.of(record, moved, NOW).settled
    assert RecordState.of(replace(record, observed_hash=grant_hash(a_user(), moved)), moved, NOW).settled
    assert decide(RecordState.of(record, moved, NOW), iam(K1)) == Decision(ACTIVE, (PutPolicy(build(a_user(), moved)),))


def test_a_record_that_cannot_be_understood_is_due_for_nothing() -> None:
    record = replace(settled(previous_key=K0, previous_key_retires_at=EARLIER), user=None)
    assert not RecordState.of(record, SENDING, NOW).due
    assert not RecordState.of(record, SENDING, NOW).settled


def test_an_active_record_without_its_credential_is_not_settled() -> None:
    """I3: the attribute was removed manually; unless this is checked, the password can never be read again."""
    assert not RecordState.of(settled(encrypted_credentials=None), SENDING, NOW).settled
    never_had_one = settled(a_user(enabled=False), smtp_username="", encrypted_credentials=None)
    assert RecordState.of(never_had_one, SENDING, NOW).settled


def test_a_record_that_changed_or_waits_for_the_clock_is_not_settled() -> None:
    assert not RecordState.of(replace(settled(), revision=3), SENDING, NOW).settled
    assert not RecordState.of(asked(), SENDING, NOW).settled
    assert not RecordState.of(settled(previous_key=K0, previous_key_retires_at=EARLIER), SENDING, NOW).settled


def test_a_failed_record_waits_for_a_person() -> None:
    assert RecordState.of(asked(status="failed"), SENDING, NOW).settled
    assert RecordState.of(
        settled(status="failed", previous_key=K0, previous_key_retires_at=EARLIER), SENDING, NOW
    ).settled


def test_a_retirement_without_a_previous_key_does_not_keep_a_record_busy_forever() -> None:
    """I5: after all steps the record must be settled."""
    record = settled(previous_key="", previous_key_retires_at=EARLIER)
    assert RecordState.of(record, SENDING, NOW).settled
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(),))


def test_a_previous_key_without_a_day_to_retire_is_not_kept_forever() -> None:
    """The record claims to be settled, so nothing would delete that key."""
    assert not RecordState.of(settled(previous_key=K0, previous_key_retires_at=""), SENDING, NOW).settled


def test_expiry_is_met_to_the_second() -> None:
    user = a_user(expires="2026-06-01")
    record = settled(user)
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    assert RecordState.of(record, SENDING, midnight - timedelta(seconds=1)).settled
    assert not RecordState.of(record, SENDING, midnight).settled


@pytest.mark.parametrize("day", ["", "some day", EARLIER])
def test_a_previous_key_has_two_stages_and_is_due_at_each(day: str) -> None:
    """At the end of the overlap, and at the end of the inactive time."""
    fields = {"previous_key": K0, "previous_key_retires_at": EARLIER}
    assert RecordState.of(settled(previous_key=K0, previous_key_retires_at=day), SENDING, NOW).due
    assert not RecordState.of(settled(**fields, previous_key_deletes_at=LATER), SENDING, NOW).due
    assert RecordState.of(settled(**fields, previous_key_deletes_at=LATER), SENDING, NOW).settled
    if day:
        assert RecordState.of(settled(**fields, previous_key_deletes_at=day), SENDING, NOW).due


def test_a_day_of_deletion_without_a_previous_key_is_nothing() -> None:
    """I5"""
    assert not RecordState.of(settled(previous_key_deletes_at=EARLIER), SENDING, NOW).due


def test_a_stage_is_met_to_the_second() -> None:
    now = timestamp(NOW)
    before = NOW - timedelta(seconds=1)
    retiring = settled(previous_key=K0, previous_key_retires_at=now)
    ending = settled(previous_key=K0, previous_key_retires_at=EARLIER, previous_key_deletes_at=now)
    for record in (retiring, ending):
        assert RecordState.of(record, SENDING, NOW).due
        assert not RecordState.of(record, SENDING, before).due


@pytest.mark.parametrize("enabled", [True, False])
def test_a_revoked_user_may_not_send_whatever_its_declaration_says(enabled: bool) -> None:
    user = a_user(enabled=enabled)
    assert RecordState.of(settled(user, revoked=REVOKED), SENDING, NOW).wanted == Status.DISABLED
    assert RecordState.of(settled(user, revoked=REVOKED), SENDING, NOW).settled
    assert not RecordState.of(settled(user, status="active", revoked=REVOKED), SENDING, NOW).observed


def test_a_revocation_created_manually_beside_an_active_status_is_not_settled() -> None:
    assert not RecordState.of(replace(settled(), revoked=REVOKED), SENDING, NOW).settled


def test_a_revocation_written_manually_beside_its_status_is_not_settled() -> None:
    """I16: the record claims to be disabled, but says nothing about its key."""
    record = replace(settled(), revoked=REVOKED, status="disabled")
    assert not RecordState.of(record, SENDING, NOW).settled


def test_a_revocation_taken_out_manually_is_not_settled() -> None:
    assert not RecordState.of(replace(settled(revoked=REVOKED), revoked=None), SENDING, NOW).settled


def test_no_rotation_is_due_for_a_revoked_user() -> None:
    user = a_user(rotation={"every_days": 90})
    made = {"key_created_at": timestamp(NOW - timedelta(days=90))}
    assert RecordState.of(settled(user, **made), SENDING, NOW).due
    assert not RecordState.of(settled(user, **made, revoked=REVOKED), SENDING, NOW).due


def test_the_previous_key_of_a_revoked_user_still_has_its_stages() -> None:
    assert RecordState.of(settled(revoked=REVOKED, previous_key=K0, previous_key_retires_at=EARLIER), SENDING, NOW).due


@pytest.mark.parametrize("status", ["pending", "deleting"])
def test_a_record_is_overdue_when_it_waits_longer_than_a_stream_takes(status: str) -> None:
    long_ago, recently = (timestamp(NOW - timedelta(minutes=minutes)) for minutes in (16, 15))
    assert RecordState.of(asked(status=status, requested_at=long_ago), SENDING, NOW).overdue
    assert not RecordState.of(asked(status=status, requested_at=recently), SENDING, NOW).overdue


@pytest.mark.parametrize("at", ["", "soon", "9999-12-31T23:59:59Z"])
def test_a_record_created_manually_without_a_time_that_makes_sense_is_checked(at: str) -> None:
    """I8: a time far ahead must not hide a record from the sweep."""
    assert RecordState.of(asked(requested_at=at), SENDING, NOW).overdue


@pytest.mark.parametrize("status", ["active", "disabled", "failed", "paused", ""])
def test_a_record_that_waits_for_no_one_is_never_overdue(status: str) -> None:
    assert not RecordState.of(asked(status=status), SENDING, NOW).overdue


@pytest.mark.parametrize(
    ("status", "during", "leaving"),
    [
        ("deleting", "pending", True),
        ("failed", "deleting", True),
        ("failed", "pending", False),
        ("pending", "deleting", False),
        ("active", "deleting", False),
    ],
)
def test_who_is_to_be_deleted_or_could_not_be(status: str, during: str, leaving: bool) -> None:
    """A failure is reported only while the record is failed."""
    failure = Failure("Throttling", "too often", "2026-06-01T12:00:00Z", during=during)
    assert Record(name="app", status=status, failure=failure).is_being_deleted is leaving
    assert Record(name="app", status=status).is_being_deleted is (status == "deleting")


def test_a_revocation_is_urgent_until_it_was_carried_out_under_whatever_settings() -> None:
    done = settled(revoked=REVOKED)
    assert not is_urgent(done, NOW)
    assert not is_urgent(replace(done, observed_hash="of-other-settings-revoked"), NOW)
    for change in (
        {"status": "pending"},
        {"status": "active"},
        {"status": "failed"},
        {"status": "paused"},
        {"observed_hash": grant_hash(a_user(), SENDING)},
        {"revision": 3},
    ):
        assert is_urgent(replace(done, **change), NOW), change
    assert not is_urgent(replace(done, revision=None, observed_revision=0), NOW)


@pytest.mark.parametrize(("minutes", "old"), [(14, False), (16, True)])
def test_a_record_has_waited_when_an_event_would_have_led_to_it(minutes: int, old: bool) -> None:
    past = timestamp(NOW - timedelta(minutes=minutes))
    assert has_waited(settled(status="pending", requested_at=past), NOW) is old
    revoked = replace(settled(requested_at=timestamp(NOW)), revoked=replace(REVOKED, at=past))
    assert has_waited(revoked, NOW) is old
    assert has_waited(replace(revoked, revoked=replace(REVOKED, at="yesterday")), NOW)


def test_without_a_revocation_only_what_is_overdue_is_urgent() -> None:
    recently, long_ago = (timestamp(NOW - timedelta(minutes=m)) for m in (14, 16))
    assert is_urgent(asked(requested_at=long_ago), NOW)
    assert not is_urgent(asked(requested_at=recently), NOW)
    assert not is_urgent(settled(), NOW)
    assert not is_urgent(settled(status="failed"), NOW)

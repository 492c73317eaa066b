from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.lifecycle import decide
from reconciler.core.ownership import iam_path, iam_user_name, ownership_tags
from reconciler.core.policy import build, grant_hash
from reconciler.core.reading import read
from reconciler.core.record import Record, Status, key_of, timestamp
from reconciler.core.settled import is_due, is_observed, is_settled
from reconciler.core.steps import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Fail,
    Identity,
    IssueKey,
    Key,
    LookAgain,
    Nothing,
    PutPolicy,
    RemoveRow,
    RepairUser,
    SetKey,
    Settle,
)
from reconciler.core.user import User, spec_hash
from world import RULES, SENDING, START, a_user

NOW = START
LATER = timestamp(NOW + timedelta(days=1))
EARLIER = timestamp(NOW - timedelta(days=1))
K0, K1, K2 = "AKIAEXAMPLE0", "AKIAEXAMPLE1", "AKIAEXAMPLE2"


def settled(user: User | None = None, **fields: Any) -> Record:
    """A row whose wish was worked off."""
    user = user or a_user()
    done = {
        "status": "active" if user.enabled else "disabled",
        "observed_revision": 2,
        "observed_hash": grant_hash(user, SENDING),
    }
    return served(user, **{**done, **fields})


def asked(user: User | None = None, **fields: Any) -> Record:
    """A row as the reconciler writes it."""
    user = user or a_user()
    return replace(Record(name=user.name, status="pending", user=user, revision=2, spec_hash=spec_hash(user)), **fields)


def served(user: User | None = None, **fields: Any) -> Record:
    """A row whose user has key K1 already, asked for again."""
    had = {"smtp_username": K1, "key_credential": 1, "observed_revision": 1, "encrypted_credentials": b"sealed"}
    return asked(user, **{**had, **fields})


def iam(*keys: str, inactive: tuple[str, ...] = (), **fields: Any) -> Identity:
    return Identity(
        owned=True, keys=tuple(Key(key, True) for key in keys) + tuple(Key(key, False) for key in inactive), **fields
    )


def run(record: Record | None, identity: Identity | None) -> Decision:
    return decide(record, identity, SENDING, NOW)


def grant(user: User | None = None) -> PutPolicy:
    return PutPolicy(build(user or a_user(), SENDING))


ACTIVE = Settle(Status.ACTIVE)
DISABLED = Settle(Status.DISABLED)


def test_a_new_row_gets_user_policy_and_key_in_this_order() -> None:
    assert run(asked(), None) == Decision(ACTIVE, (CreateUser(), grant(), IssueKey(1)))


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (iam(), (grant(), IssueKey(1))),
        (iam(K0), (DeleteKey(K0), IssueKey(1))),
        (iam(K0, K2), (DeleteKey(K0), DeleteKey(K2), IssueKey(1))),
    ],
)
def test_a_crash_while_creating_goes_on_with_what_is_missing(found: Identity, missing: tuple[Any, ...]) -> None:
    """I2, I5: a key that no row knows lost its secret; it goes before a new one is made."""
    steps = run(asked(), found).steps
    assert CreateUser() not in steps
    assert [step for step in steps if step in missing] == list(missing)


def test_a_replay_of_what_is_done_touches_no_key() -> None:
    """I5"""
    assert run(served(status="active"), iam(K1)) == Decision(ACTIVE, (grant(),))


def test_an_edited_grant_is_one_policy_and_nothing_else() -> None:
    edited = a_user("billing-mailer", "billing@example.com", "crm@example.com")
    assert run(served(edited), iam(K1)) == Decision(ACTIVE, (grant(edited),))


def test_a_disabled_user_loses_the_key_before_the_policy_changes() -> None:
    user = a_user("billing-mailer", "billing@example.com", "crm@example.com", enabled=False)
    assert run(served(user), iam(K1)) == Decision(DISABLED, (SetKey(K1, False), grant(user)))


def test_a_disabled_user_keeps_its_inactive_key_on_a_replay() -> None:
    user = a_user(enabled=False)
    assert run(served(user), iam(inactive=(K1,))) == Decision(DISABLED, (grant(user),))


def test_an_enabled_user_gets_its_policy_before_its_key_works_again() -> None:
    assert run(served(), iam(inactive=(K1,))) == Decision(ACTIVE, (grant(), SetKey(K1, True)))


def test_a_user_that_is_created_disabled_gets_no_key() -> None:
    user = a_user(enabled=False)
    assert run(asked(user), None) == Decision(DISABLED, (CreateUser(), grant(user)))


def test_an_expired_user_is_disabled_by_the_clock() -> None:
    user = a_user(expires="2026-05-31")
    record = settled(user)
    assert is_due(record, NOW)
    assert not is_settled(record, SENDING, NOW)
    assert not is_due(record, NOW - timedelta(days=1))
    assert is_settled(record, SENDING, NOW - timedelta(days=1))
    assert run(record, iam(K1)) == Decision(DISABLED, (SetKey(K1, False), grant(user)))


def test_deleting_takes_keys_first_then_the_user_then_the_row() -> None:
    """I4"""
    expected = Decision(RemoveRow(), (DeleteKey(K0), DeleteKey(K1), DeleteUser()))
    assert run(served(status="deleting"), iam(K0, inactive=(K1,))) == expected


@pytest.mark.parametrize(
    ("record", "end"), [(served(status="deleting"), RemoveRow()), (None, Nothing())], ids=["deleting", "row gone"]
)
def test_deleting_a_user_whose_boundary_was_taken_off_puts_it_back_once_no_key_is_left(
    record: Record | None, end: Any
) -> None:
    """I4: without its boundary our role may not delete the user's policies; keys go first, whatever else fails."""
    steps = (DeleteKey(K0), DeleteKey(K1), RepairUser(), DeleteUser())
    assert run(record, iam(K0, inactive=(K1,), needs_repair=True)) == Decision(end, steps)


def test_deleting_what_is_gone_already_removes_the_row() -> None:
    """I4, I5"""
    assert run(served(status="deleting"), None) == Decision(RemoveRow())


def test_a_row_that_was_removed_by_hand_is_torn_down_too() -> None:
    """I4"""
    assert run(None, iam(K1)) == Decision(Nothing(), (DeleteKey(K1), DeleteUser()))
    assert run(None, None) == Decision(Nothing())


@pytest.mark.parametrize(
    ("record", "end"), [(served(status="deleting"), RemoveRow()), (None, Nothing())], ids=["deleting", "row gone"]
)
def test_a_foreign_user_survives_every_teardown(record: Record | None, end: Any) -> None:
    """I7"""
    assert run(record, Identity(owned=False)) == Decision(end)


@pytest.mark.parametrize("record", [asked(), asked(a_user(enabled=False)), asked(status="failed")])
def test_a_foreign_user_is_never_taken_over(record: Record) -> None:
    """I1, I7"""
    decision = run(record, Identity(owned=False))
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "ForeignUser"
    assert "not touched" in decision.end.message


def test_deleting_works_for_a_row_whose_wish_cannot_be_understood() -> None:
    """I4: teardown needs the name only."""
    record = replace(served(status="deleting"), user=None, problems=("expires must be text",))
    assert run(record, iam(K1)) == Decision(RemoveRow(), (DeleteKey(K1), DeleteUser()))


def test_keys_that_the_row_does_not_know_are_deleted() -> None:
    """I2"""
    assert run(served(), iam(K0, K1)) == Decision(ACTIVE, (grant(), DeleteKey(K0)))


def test_a_disabled_user_loses_unknown_keys_too() -> None:
    """I2"""
    user = a_user(enabled=False)
    assert run(served(user), iam(K0, K1)) == Decision(DISABLED, (DeleteKey(K0), SetKey(K1, False), grant(user)))


def test_a_key_that_vanished_from_iam_is_replaced_at_once() -> None:
    """I3"""
    assert run(served(), iam()) == Decision(ACTIVE, (grant(), IssueKey(1)))


def test_a_key_whose_stored_credential_is_gone_is_replaced() -> None:
    """I3: nobody can ever read its password again, so `active` would be untrue."""
    lost = served(encrypted_credentials=None)
    assert run(lost, iam(K1)) == Decision(ACTIVE, (grant(), DeleteKey(K1), IssueKey(1)))


def test_a_key_whose_stored_credential_is_gone_leaves_no_overlap_under_rotation() -> None:
    user = a_user(credential=2)
    lost = served(user, encrypted_credentials=None)
    assert run(lost, iam(K1)) == Decision(ACTIVE, (grant(user), DeleteKey(K1), IssueKey(2)))


def test_a_key_whose_stored_credential_is_gone_does_not_take_the_previous_one_along() -> None:
    """Somebody may still send with that one until its day."""
    lost = served(encrypted_credentials=None, previous_key=K0, previous_key_retires_at=LATER)
    assert run(lost, iam(K0, K1)) == Decision(ACTIVE, (grant(), DeleteKey(K1), IssueKey(1)))


def test_a_disabled_user_whose_stored_credential_is_gone_loses_the_key() -> None:
    user = a_user(enabled=False)
    lost = served(user, encrypted_credentials=None)
    assert run(lost, iam(inactive=(K1,))) == Decision(DISABLED, (DeleteKey(K1), grant(user)))


def test_marks_and_boundary_that_were_taken_off_are_put_back() -> None:
    assert run(served(), iam(K1, needs_repair=True)) == Decision(ACTIVE, (RepairUser(), grant()))


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
    """With the credential number that is declared: nobody edited the manifest."""
    record = settled(ROTATED, key_created_at=timestamp(MADE))
    before = NOW - timedelta(seconds=1)
    assert not is_due(record, before)
    assert is_settled(record, SENDING, before)
    assert decide(record, iam(K1), SENDING, before) == Decision(ACTIVE, (grant(ROTATED),))
    assert is_due(record, NOW)
    assert not is_settled(record, SENDING, NOW)
    retires_at = timestamp(NOW + timedelta(days=3))
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(ROTATED), IssueKey(1, K1, retires_at)))


def test_a_scheduled_rotation_overlaps_by_a_week_unless_told_otherwise() -> None:
    user = a_user(rotation={"every_days": 90})
    (_, issue) = run(settled(user, key_created_at=timestamp(MADE)), iam(K1)).steps
    assert issue == IssueKey(1, K1, timestamp(NOW + timedelta(days=7)))


def test_a_scheduled_rotation_that_was_missed_for_long_makes_room_for_its_key() -> None:
    """IAM allows two keys: the previous one has had its day, also when nobody came to delete it."""
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
    assert not is_due(record, NOW)
    assert is_settled(record, SENDING, NOW)
    assert run(record, iam(inactive=(K1,))) == Decision(DISABLED, (grant(user),))


@pytest.mark.parametrize("made", ["", "some day"])
def test_a_key_of_unknown_age_is_not_rotated_by_schedule(made: str) -> None:
    """I5: it would be due again each time somebody looks."""
    record = settled(ROTATED, key_created_at=made)
    assert not is_due(record, NOW)
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(ROTATED),))


@pytest.mark.parametrize("made", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_no_age_of_a_key_can_stop_the_credential_manager_with_an_exception(made: str) -> None:
    """I8: a row put by hand may say that its key is from the end of all calendars."""
    record = settled(ROTATED, key_created_at=made)
    due = made.startswith("0001")
    assert is_due(record, NOW) is due
    assert any(isinstance(step, IssueKey) for step in run(record, iam(K1)).steps) is due


def test_a_key_without_a_schedule_is_never_due() -> None:
    assert not is_due(settled(key_created_at=timestamp(NOW - timedelta(days=4000))), NOW)


def test_a_second_rotation_within_the_overlap_ends_the_first_one() -> None:
    """IAM allows two keys: the oldest makes room."""
    user = a_user(credential=3)
    record = served(user, key_credential=2, previous_key=K0, previous_key_retires_at=LATER)
    steps = run(record, iam(K0, K1)).steps
    assert steps == (grant(user), DeleteKey(K0), IssueKey(3, K1, timestamp(NOW + timedelta(days=7))))


def test_a_credential_raised_while_disabled_waits() -> None:
    user = a_user(enabled=False, credential=2)
    assert run(served(user), iam(inactive=(K1,))) == Decision(DISABLED, (grant(user),))


def test_a_credential_raised_while_disabled_leaves_no_overlap_when_enabled() -> None:
    user = a_user(credential=2)
    assert run(served(user), iam(inactive=(K1,))) == Decision(ACTIVE, (grant(user), DeleteKey(K1), IssueKey(2)))


def test_a_lost_key_under_rotation_is_replaced_without_overlap() -> None:
    user = a_user(credential=2)
    assert run(served(user), iam()) == Decision(ACTIVE, (grant(user), IssueKey(2)))


def test_a_previous_key_that_is_due_is_deleted_and_forgotten() -> None:
    record = served(status="active", previous_key=K0, previous_key_retires_at=timestamp(NOW))
    assert run(record, iam(K0, K1)) == Decision(Settle(Status.ACTIVE, True), (grant(), DeleteKey(K0)))


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


def test_a_previous_key_without_a_day_to_retire_goes_at_once() -> None:
    record = served(previous_key=K0, previous_key_retires_at="some day")
    assert run(record, iam(K0, K1)).steps == (grant(), DeleteKey(K0))


def test_a_policy_over_the_quota_fails_before_anything_is_made() -> None:
    user = a_user("app", *(f"sender-{n:03}@example.com" for n in range(100)))
    decision = run(asked(user), None)
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "PolicyTooLarge"
    assert "of 2048 characters" in decision.end.message
    assert "split it" in decision.end.message


def test_a_row_that_cannot_be_understood_fails_with_every_reason() -> None:
    """I8"""
    record = read({**key_of("app"), "status": "pending", "enabled": "yes", "credential": "x"}, RULES)
    decision = run(record, None)
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "InvalidRecord"
    assert "enabled must be true or false; credential must be" in decision.end.message


@pytest.mark.parametrize("overlap", [10**7, 10**12])
def test_no_row_can_stop_the_credential_manager_with_an_exception(overlap: int) -> None:
    """I8: a row put by hand may ask for an overlap that no calendar holds."""
    item = {
        **key_of("billing-mailer"),
        "status": "pending",
        "allowed_from_addresses": ["billing@example.com"],
        "credential": 2,
        "rotation": {"every_days": 10**13, "overlap_days": overlap},
        "smtp_username": K1,
        "key_credential": 1,
        "key_created_at": timestamp(NOW),
        "encrypted_credentials": b"sealed",
    }
    decision = run(read(item, RULES), iam(K1))
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "InvalidRecord"


@pytest.mark.parametrize("status", ["", "Pending", "done", "paused"])
def test_a_row_with_another_status_asks_for_nothing(status: str) -> None:
    assert run(asked(status=status), None) == Decision(Nothing())
    assert run(asked(status=status), iam(K1)) == Decision(Nothing())


def test_a_settled_row_needs_no_look_at_iam() -> None:
    assert is_settled(settled(), SENDING, NOW)
    assert is_settled(settled(a_user(enabled=False)), SENDING, NOW)
    assert is_settled(settled(previous_key=K0, previous_key_retires_at=LATER), SENDING, NOW)


def test_a_row_is_observed_when_status_revision_and_content_agree() -> None:
    assert is_observed(settled(), SENDING, NOW)
    assert is_observed(settled(revision=None, observed_revision=0), SENDING, NOW)
    ended = a_user(expires="2026-05-31")
    assert is_observed(settled(ended, status="disabled"), SENDING, NOW)


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
def test_a_row_that_changed_since_is_not_observed(change: dict[str, Any]) -> None:
    """I3"""
    assert not is_observed(replace(settled(), **change), SENDING, NOW)


def test_a_status_that_the_user_cannot_have_is_not_observed() -> None:
    """I3: somebody set it by hand."""
    off, ended = a_user(enabled=False), a_user(expires="2026-05-31")
    assert not is_observed(settled(status="disabled"), SENDING, NOW)
    assert not is_observed(settled(off, status="active"), SENDING, NOW)
    assert not is_observed(settled(ended, status="active"), SENDING, NOW)


@pytest.mark.parametrize(
    "change",
    [{"configuration_set": "smtp-other"}, {"regions": ("eu-central-1", "eu-west-1")}, {"account_id": "444455556666"}],
    ids=str,
)
def test_a_row_is_observed_under_the_settings_it_was_worked_off_with_only(change: dict[str, Any]) -> None:
    """I3: its policy is made from them."""
    moved = replace(SENDING, **change)
    record = settled()
    assert not is_observed(record, moved, NOW)
    assert not is_settled(record, moved, NOW)
    assert is_settled(replace(record, observed_hash=grant_hash(a_user(), moved)), moved, NOW)
    assert decide(record, iam(K1), moved, NOW) == Decision(ACTIVE, (PutPolicy(build(a_user(), moved)),))


def test_a_row_that_cannot_be_understood_is_due_for_nothing() -> None:
    record = replace(settled(previous_key=K0, previous_key_retires_at=EARLIER), user=None)
    assert not is_due(record, NOW)
    assert not is_settled(record, SENDING, NOW)


def test_an_active_row_without_its_credential_is_not_settled() -> None:
    """I3: somebody took the attribute away; unless it is looked at, nobody can ever read that password again."""
    assert not is_settled(settled(encrypted_credentials=None), SENDING, NOW)
    never_had_one = settled(a_user(enabled=False), smtp_username="", encrypted_credentials=None)
    assert is_settled(never_had_one, SENDING, NOW)


def test_a_row_that_changed_or_waits_for_the_clock_is_not_settled() -> None:
    assert not is_settled(replace(settled(), revision=3), SENDING, NOW)
    assert not is_settled(asked(), SENDING, NOW)
    assert not is_settled(settled(previous_key=K0, previous_key_retires_at=EARLIER), SENDING, NOW)


def test_a_failed_row_waits_for_a_person() -> None:
    assert is_settled(asked(status="failed"), SENDING, NOW)
    assert is_settled(settled(status="failed", previous_key=K0, previous_key_retires_at=EARLIER), SENDING, NOW)


def test_a_retirement_without_a_previous_key_does_not_keep_a_row_busy_for_ever() -> None:
    """I5: once everything is done the row must count as settled."""
    record = settled(previous_key="", previous_key_retires_at=EARLIER)
    assert is_settled(record, SENDING, NOW)
    assert run(record, iam(K1)) == Decision(ACTIVE, (grant(),))


def test_a_previous_key_without_a_day_to_retire_is_not_kept_for_ever() -> None:
    """The row is settled by its own words, so nobody would come to delete that key."""
    assert not is_settled(settled(previous_key=K0, previous_key_retires_at=""), SENDING, NOW)


def test_names_in_iam_are_told_from_environment_and_name_alone() -> None:
    """I1"""
    assert iam_user_name("test", "billing-mailer") == "smtp-test-billing-mailer"
    assert iam_path("test") == "/smtp/test/"
    assert ownership_tags("test", "billing-mailer") != ownership_tags("prod", "billing-mailer")
    assert len(iam_user_name("e" * 12, "n" * 40)) <= 64


def test_expiry_is_met_to_the_second() -> None:
    user = a_user(expires="2026-06-01")
    record = settled(user)
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    assert is_settled(record, SENDING, midnight - timedelta(seconds=1))
    assert not is_settled(record, SENDING, midnight)


@pytest.mark.parametrize(("seconds", "end"), [(30, LookAgain), (90, Settle)])
def test_a_stored_key_that_is_not_listed_is_given_time_to_appear(seconds: int, end: type) -> None:
    """Reading IAM is eventually consistent; only a key that should be visible by now counts as deleted."""
    made = timestamp(START - timedelta(seconds=seconds))
    record = settled(status="pending", key_created_at=made)
    assert isinstance(decide(record, Identity(owned=True), SENDING, START).end, end)


def test_a_key_is_unknown_when_neither_place_in_the_row_names_it() -> None:
    record = settled(smtp_username="AKIAEXAMPLE1", previous_key="AKIAEXAMPLE0")
    known = Decision(Nothing(), (DeleteKey("AKIAEXAMPLE0"), DeleteKey("AKIAEXAMPLE1")))
    assert not known.deletes_unknown_key(record)
    assert Decision(Nothing(), (DeleteKey("AKIAEXAMPLE9"),)).deletes_unknown_key(record)

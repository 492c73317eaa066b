from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import (
    Attachment,
    AttachmentKind,
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    End,
    Fail,
    Identity,
    IssueKey,
    Key,
    NoOp,
    RemoveRecord,
    RepairUser,
    Requeue,
    SetKey,
    Settle,
)
from reconciler.core.lifecycle import decide
from reconciler.core.policy import QUOTA, build, measure
from reconciler.core.record import Record, key_of, timestamp
from reconciler.core.record_parser import read
from reconciler.core.record_state import RecordState
from support.rows import ACTIVE, DISABLED, K0, K1, K2, LATER, NOW, asked, grant, iam, run, served, settled
from support.world import RULES, SENDING, START, a_user


def test_a_new_record_gets_user_policy_and_key_in_this_order() -> None:
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
    """I2, I5: the secret of a key that is in no record is lost; the key is deleted before a new one is created."""
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


def test_a_key_that_is_to_be_off_is_deactivated_also_where_it_is_listed_so() -> None:
    """IAM's listings may be outdated: only a settled record makes them reliable."""
    user = a_user(enabled=False)
    assert run(served(user), iam(inactive=(K1,))) == Decision(DISABLED, (SetKey(K1, False), grant(user)))
    assert run(served(user), iam()) == Decision(DISABLED, (SetKey(K1, False), grant(user)))


def test_an_enabled_user_gets_its_policy_before_its_key_works_again() -> None:
    assert run(served(), iam(inactive=(K1,))) == Decision(ACTIVE, (grant(), SetKey(K1, True)))


def test_a_user_that_is_created_disabled_gets_no_key() -> None:
    user = a_user(enabled=False)
    assert run(asked(user), None) == Decision(DISABLED, (CreateUser(), grant(user)))


def test_deleting_takes_keys_first_then_the_user_then_the_record() -> None:
    """I4"""
    expected = Decision(RemoveRecord(), (DeleteKey(K0), DeleteKey(K1), DeleteUser()))
    assert run(served(status="deleting"), iam(K0, inactive=(K1,))) == expected


@pytest.mark.parametrize(
    ("record", "end"), [(served(status="deleting"), RemoveRecord()), (None, NoOp())], ids=["deleting", "record removed"]
)
def test_deleting_a_user_whose_boundary_was_taken_off_puts_it_back_once_no_key_is_left(
    record: Record | None, end: Any
) -> None:
    """I4: without its boundary the role may not delete the user's policies; keys go first, so no failure keeps them."""
    steps = (DeleteKey(K0), DeleteKey(K1), RepairUser(), DeleteUser())
    assert run(record, iam(K0, inactive=(K1,), needs_repair=True)) == Decision(end, steps)


def test_deleting_what_is_gone_already_removes_the_record() -> None:
    """I4, I5"""
    assert run(served(status="deleting"), None) == Decision(RemoveRecord())


def test_a_record_that_was_removed_manually_is_torn_down_too() -> None:
    """I4"""
    assert run(None, iam(K1)) == Decision(NoOp(), (DeleteKey(K1), DeleteUser()))
    assert run(None, None) == Decision(NoOp())


@pytest.mark.parametrize(
    ("record", "end"), [(served(status="deleting"), RemoveRecord()), (None, NoOp())], ids=["deleting", "record removed"]
)
def test_an_unmanaged_user_survives_every_teardown(record: Record | None, end: Any) -> None:
    """I7"""
    assert run(record, Identity(owned=False)) == Decision(end)


@pytest.mark.parametrize("record", [asked(), asked(a_user(enabled=False)), asked(status="failed")])
def test_an_unmanaged_user_is_never_taken_over(record: Record) -> None:
    """I1, I7"""
    decision = run(record, Identity(owned=False))
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "ForeignUser"
    assert "not modified" in decision.end.message


def test_deleting_works_for_a_record_whose_declaration_cannot_be_understood() -> None:
    """I4: teardown needs the name only."""
    record = replace(served(status="deleting"), user=None, problems=("expires must be text",))
    assert run(record, iam(K1)) == Decision(RemoveRecord(), (DeleteKey(K1), DeleteUser()))


def test_keys_that_the_record_does_not_know_are_deleted() -> None:
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
    """I3: its password can never be read again, so `active` would be wrong."""
    lost = served(encrypted_credentials=None)
    assert run(lost, iam(K1)) == Decision(ACTIVE, (grant(), DeleteKey(K1), IssueKey(1)))


def test_a_key_whose_stored_credential_is_gone_leaves_no_overlap_under_rotation() -> None:
    user = a_user(credential=2)
    lost = served(user, encrypted_credentials=None)
    assert run(lost, iam(K1)) == Decision(ACTIVE, (grant(user), DeleteKey(K1), IssueKey(2)))


def test_a_key_whose_stored_credential_is_gone_does_not_take_the_previous_one_along() -> None:
    """The previous key may be in use until its deactivation is due."""
    lost = served(encrypted_credentials=None, previous_key=K0, previous_key_retires_at=LATER)
    assert run(lost, iam(K0, K1)) == Decision(ACTIVE, (grant(), DeleteKey(K1), IssueKey(1)))


def test_a_disabled_user_whose_stored_credential_is_gone_loses_the_key() -> None:
    user = a_user(enabled=False)
    lost = served(user, encrypted_credentials=None)
    assert run(lost, iam(inactive=(K1,))) == Decision(DISABLED, (DeleteKey(K1), grant(user)))


def test_tags_and_boundary_that_were_taken_off_are_put_back() -> None:
    assert run(served(), iam(K1, needs_repair=True)) == Decision(ACTIVE, (RepairUser(), grant()))


def test_a_policy_over_the_quota_fails_before_anything_is_made() -> None:
    user = a_user("app", *(f"sender-{n:03}@example.com" for n in range(100)))
    decision = run(asked(user), None)
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "PolicyTooLarge"
    assert "of 2048 characters" in decision.end.message
    assert "split it" in decision.end.message


def test_a_policy_of_exactly_the_quota_is_written() -> None:
    short = a_user("app", *(f"{n:02}{'x' * 40}@example.com" for n in range(25)))
    missing = QUOTA - measure(build(short, SENDING))
    full = a_user("app", *short.allowed_from_addresses, f"{'y' * (missing - len(',@example.com') - 2)}@example.com")
    assert measure(build(full, SENDING)) == QUOTA
    assert run(asked(full), None) == Decision(ACTIVE, (CreateUser(), grant(full), IssueKey(1)))
    first, *others = full.allowed_from_addresses
    larger = replace(full, allowed_from_addresses=(f"z{first}", *others))
    assert isinstance(run(asked(larger), None).end, Fail)


def test_a_record_that_cannot_be_understood_fails_with_every_reason() -> None:
    """I8"""
    record = read({**key_of("app"), "status": "pending", "enabled": "yes", "credential": "x"}, RULES)
    decision = run(record, None)
    assert decision.steps == ()
    assert isinstance(decision.end, Fail)
    assert decision.end.code == "InvalidRecord"
    assert "enabled must be true or false; credential must be" in decision.end.message


@pytest.mark.parametrize("overlap", [10**7, 10**12])
def test_no_record_can_stop_the_credential_manager_with_an_exception(overlap: int) -> None:
    """I8: a record created manually may request an overlap beyond the last calendar date."""
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
def test_a_record_with_another_status_asks_for_nothing(status: str) -> None:
    assert run(asked(status=status), None) == Decision(NoOp())
    assert run(asked(status=status), iam(K1)) == Decision(NoOp())


@pytest.mark.parametrize(("seconds", "end"), [(30, Requeue), (90, Settle)])
def test_a_stored_key_that_is_not_listed_is_given_time_to_appear(seconds: int, end: type) -> None:
    """Reading IAM is eventually consistent; only a key that should be visible by now counts as deleted."""
    made = timestamp(START - timedelta(seconds=seconds))
    record = settled(status="pending", key_created_at=made)
    assert isinstance(decide(RecordState.of(record, SENDING, START), Identity(owned=True)).end, end)


def test_a_key_is_unknown_when_neither_place_in_the_record_names_it() -> None:
    record = settled(smtp_username="AKIAEXAMPLE1", previous_key="AKIAEXAMPLE0")
    known = Decision(NoOp(), (DeleteKey("AKIAEXAMPLE0"), DeleteKey("AKIAEXAMPLE1")))
    assert not known.deletes_unknown_key(record)
    assert Decision(NoOp(), (DeleteKey("AKIAEXAMPLE9"),)).deletes_unknown_key(record)


@pytest.mark.parametrize(("minutes", "deleted"), [(4, False), (5, True)])
def test_an_unknown_key_is_deleted_once_no_one_can_be_about_to_store_it(minutes: int, deleted: bool) -> None:
    """I2, I3."""
    unknown = Key(K2, True, created_at=NOW - timedelta(minutes=minutes))
    decision = run(served(), Identity(owned=True, keys=(Key(K1, True), unknown)))
    assert (DeleteKey(K2) in decision.steps) is deleted
    assert decision.end == ACTIVE


@pytest.mark.parametrize(("minutes", "end"), [(4, Requeue), (5, Settle)])
def test_no_key_is_made_beside_one_that_may_be_about_to_be_stored(minutes: int, end: type[End]) -> None:
    unknown = Key(K2, True, created_at=NOW - timedelta(minutes=minutes))
    assert isinstance(run(asked(), Identity(owned=True, keys=(unknown,))).end, end)


def test_an_unknown_young_key_of_a_user_that_may_not_send_is_deactivated() -> None:
    user = a_user(enabled=False)
    keys = (Key(K1, True), Key(K2, True, created_at=NOW))
    decision = run(served(user), Identity(owned=True, keys=keys))
    assert decision == Decision(DISABLED, (SetKey(K1, False), SetKey(K2, False), grant(user)))


def test_a_key_made_a_moment_ago_is_deactivated_and_looked_for_again() -> None:
    decision = run(served(a_user(enabled=False), key_created_at=timestamp(NOW)), iam())
    assert isinstance(decision.end, Requeue)
    assert SetKey(K1, False) in decision.steps


def test_an_iam_user_that_was_there_a_moment_ago_is_not_taken_for_gone() -> None:
    """The record must not be removed before the user."""
    fresh = served(status="deleting", iam_user_arn="arn:aws:iam::123456789012:user/x", settled_at=timestamp(NOW))
    assert isinstance(run(fresh, None).end, Requeue)
    assert run(replace(fresh, settled_at=timestamp(NOW - timedelta(minutes=2))), None) == Decision(RemoveRecord())


class TestQuarantine:
    """AWS detected an exposed key of the user, and it was deactivated manually."""

    seen = Identity(
        owned=True,
        keys=(Key(K1, False),),
        attachments=(
            Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"),
        ),
    )

    def test_who_asks_for_it_is_reported(self) -> None:
        decision = run(served(), self.seen)
        assert isinstance(decision.end, Fail)
        assert decision.end.code == "Quarantined"
        assert decision.steps == ()

    def test_no_one_asks_and_it_stays_off(self) -> None:
        decision = run(settled(), self.seen)
        assert not decision.activates_key
        assert decision.end == ACTIVE

    def test_a_new_credential_may_be_made(self) -> None:
        decision = run(served(a_user(credential=2)), self.seen)
        assert decision.steps[-2:] == (DeleteKey(K1), IssueKey(2))


def test_known_keys_may_be_young() -> None:
    record = settled(previous_key=K0, previous_key_retires_at=LATER)
    keys = (Key(K0, True, created_at=NOW), Key(K1, True, created_at=NOW))
    assert run(record, Identity(owned=True, keys=keys)) == Decision(ACTIVE, (grant(),))

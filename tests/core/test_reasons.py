"""Each step states its reason; only changes from outside are drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import Attachment, AttachmentKind, Decision, Identity, Key, ReasonKind, Requeue
from reconciler.core.differences import Difference, Drift, find_differences
from reconciler.core.policy import build
from reconciler.core.record import Record, timestamp
from support.rows import EARLIER, K0, K1, K2, LATER, NOW, REVOKED, asked, iam, run, served, settled
from support.world import SENDING, a_user

POLICY = build(a_user(), SENDING)
PREVIOUS = {"previous_key": K0, "previous_key_retires_at": LATER}
OVER = {"previous_key": K0, "previous_key_retires_at": EARLIER}
OFF = a_user(enabled=False)
ENDED = a_user(expires="2026-05-31")


def audited(*keys: str, **fields: Any) -> Identity:
    return iam(*keys, **{"policy": POLICY, "audited": True, **fields})


def why(decision: Decision) -> list[tuple[str, str]]:
    return [(reason.kind.value, reason.text) for reason in decision.reasons]


@pytest.mark.parametrize(
    ("record", "identity", "reasons"),
    [
        (asked(), None, [("requested", "it has no IAM user yet")]),
        (settled(), None, [("iam_user_missing", "its IAM user is missing")]),
        (settled(**PREVIOUS), None, [("iam_user_missing", "its IAM user is missing")]),
        (settled(OFF, **PREVIOUS), None, [("iam_user_missing", "its IAM user is missing")]),
        (served(OFF, **PREVIOUS), None, [("requested", "it has no IAM user yet")]),
        (asked(), audited(), [("requested", "it has no access key yet")]),
        (asked(), iam(), [("requested", "the record defines its policy"), ("requested", "it has no access key yet")]),
        (settled(), iam(K1), [("requested", "the record defines its policy")]),
        (served(), audited(K1, policy=None), [("requested", "the record defines its policy")]),
        (settled(), audited(K1, policy=None), [("policy_changed", "its policy was changed")]),
        (
            served(),
            audited(K0, K1),
            [("requested", f"no record holds the password of access key {K0}")],
        ),
        (served(), audited(inactive=(K1,)), [("requested", "the user may send")]),
        (settled(), audited(inactive=(K1,)), [("key_changed", f"access key {K1} was deactivated")]),
        (served(), audited(), [("requested", f"access key {K1} was deleted")]),
        (settled(), audited(), [("key_changed", f"access key {K1} was deleted")]),
        (
            served(encrypted_credentials=None),
            audited(),
            [("requested", f"the record lost the credential of access key {K1}")],
        ),
        (served(a_user(credential=2)), audited(K1), [("requested", "credential 2 is declared")]),
        (served(a_user(credential=2), **PREVIOUS), audited(K0, K1), [("requested", "credential 2 is declared")]),
        (served(**OVER), audited(K0, K1), [("due", "the overlap is over")]),
        (settled(**OVER), audited(K0, K1), [("due", "the overlap is over")]),
        (settled(**OVER, previous_key_deletes_at=EARLIER), audited(K0, K1), [("due", "the overlap is over")]),
        (served(**OVER, previous_key_deletes_at=LATER), audited(K0, K1), [("due", "the overlap is over")]),
        (
            settled(**OVER, previous_key_deletes_at=LATER),
            audited(K0, K1),
            [("key_changed", f"access key {K0} was activated")],
        ),
        (served(**PREVIOUS), audited(K1), [("requested", f"the previous access key {K0} was deleted")]),
        (settled(**PREVIOUS), audited(K1), [("key_changed", f"the previous access key {K0} was deleted")]),
        (
            settled(OFF, **PREVIOUS),
            audited(inactive=(K1,), policy=build(OFF, SENDING)),
            [("key_changed", f"the previous access key {K0} was deleted")],
        ),
        (settled(status="deleting"), audited(K1), [("deleted", "the user is to be deleted")]),
        (None, audited(K1), [("deleted", "its record was removed")]),
        (settled(), audited(K1), []),
        (settled(**PREVIOUS), audited(K0, K1), []),
    ],
)
def test_each_step_has_its_reason(record: Record | None, identity: Identity | None, reasons: list[Any]) -> None:
    assert why(run(record, identity)) == reasons


@pytest.mark.parametrize(
    ("user", "fields", "reason"),
    [
        (OFF, {}, ("requested", "the user is disabled")),
        (a_user(), {"revoked": REVOKED}, ("requested", "the user is revoked")),
        (OFF, {"revoked": REVOKED}, ("requested", "the user is revoked")),
        (ENDED, {"revoked": REVOKED}, ("requested", "the user is revoked")),
        (ENDED, {}, ("due", "the user has expired")),
        (replace(ENDED, enabled=False), {}, ("requested", "the user is disabled")),
    ],
)
@pytest.mark.parametrize("keys", [(K1,), ()], ids=["listed", "not listed"])
def test_a_key_is_deactivated_for_the_first_reason_that_applies(
    user: Any, fields: dict[str, Any], reason: tuple[str, str], keys: tuple[str, ...]
) -> None:
    identity = audited(*keys, policy=build(user, SENDING))
    assert why(run(served(user, **fields), identity)) == [reason]


@pytest.mark.parametrize("user", [a_user(), ENDED], ids=["valid", "expired"])
def test_a_key_that_was_activated_while_its_user_is_revoked_is_drift_expired_or_not(user: Any) -> None:
    """Elapsed time is no reason for a revoked user: its keys were already inactive."""
    record = settled(user, revoked=REVOKED)
    decision = run(record, audited(K1, policy=build(user, SENDING)))
    assert find_differences(decision) == (Difference(Drift.KEY_CHANGED, f"access key {K1} was activated"),)


def test_a_revoked_record_that_cannot_be_processed_says_why_its_keys_are_deactivated() -> None:
    record = replace(served(revoked=REVOKED), user=None, problems=("x",))
    assert why(run(record, audited(K1))) == [("requested", "the user is revoked")]


def test_a_rotation_by_schedule_is_due_and_no_drift() -> None:
    user = a_user(rotation={"every_days": 90})
    record = settled(user, key_created_at=timestamp(NOW - timedelta(days=90)))
    decision = run(record, audited(K1, policy=build(user, SENDING)))
    assert why(decision) == [("due", "its access key is due for rotation")]
    assert find_differences(decision) == ()
    off = run(record, audited(inactive=(K1,), policy=build(user, SENDING)))
    assert why(off)[0] == ("key_changed", f"access key {K1} was deactivated")


def test_what_is_beside_the_record_is_drift_whether_it_was_processed_or_not() -> None:
    attached = (Attachment(AttachmentKind.SSH_KEY, "APKAEXAMPLE"),)
    for record in (served(), settled()):
        assert find_differences(run(record, audited(K1, needs_repair=True, attachments=attached))) == (
            Difference(Drift.BOUNDARY_CHANGED, "its tags or its permissions boundary were changed"),
            Difference(Drift.ATTACHMENT_ADDED, "SSH public key APKAEXAMPLE was added"),
        )


def test_a_young_unknown_key_of_a_disabled_user_is_named() -> None:
    keys = (Key(K1, False), Key(K2, True, created_at=NOW))
    identity = replace(audited(policy=build(OFF, SENDING)), keys=keys)
    assert why(run(settled(OFF), identity)) == [("key_changed", f"access key {K2} was created outside this system")]
    assert (ReasonKind.REQUESTED, f"no record holds the password of access key {K2}") in why(run(served(OFF), identity))


def test_a_reason_that_several_steps_share_is_given_once() -> None:
    decision = run(asked(), None)
    assert len(decision.steps) == 3
    assert len(decision.reasons) == 1


@pytest.mark.parametrize(
    ("record", "identity", "reason"),
    [
        (
            served(status="deleting", iam_user_arn="arn", settled_at=timestamp(NOW)),
            None,
            "the IAM user existed a moment ago and is not found",
        ),
        (
            served(key_created_at=timestamp(NOW)),
            iam(),
            f"access key {K1} was just created and is not listed yet",
        ),
        (
            served(OFF, key_created_at=timestamp(NOW)),
            iam(),
            f"access key {K1} was just created and is not listed yet",
        ),
        (
            asked(),
            replace(iam(), keys=(Key(K2, True, created_at=NOW),)),
            f"access key {K2} was just created and may be about to be stored",
        ),
    ],
    ids=["deleted user", "key of an active user", "key of a disabled user", "unknown key"],
)
def test_a_decision_that_waits_for_iam_says_for_what(record: Record, identity: Identity | None, reason: str) -> None:
    assert run(record, identity).end == Requeue(reason)


def test_a_key_that_is_a_minute_old_should_be_listed() -> None:
    record = served(key_created_at=timestamp(NOW - timedelta(minutes=1)))
    assert why(run(record, audited())) == [("requested", f"access key {K1} was deleted")]

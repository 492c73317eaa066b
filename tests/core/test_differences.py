from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.differences import differs, find_differences, warnings
from reconciler.core.lifecycle import decide
from reconciler.core.policy import build
from reconciler.core.record import Record, timestamp
from reconciler.core.record_state import RecordState
from support.rows import EARLIER, K0, K1, K2, LATER, NOW, REVOKED, iam, settled
from support.world import SENDING, a_user

POLICY = build(a_user(), SENDING)
QUARANTINE = Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")
PREVIOUS = {"previous_key": K0, "previous_key_retires_at": LATER}
OVER = {"previous_key": K0, "previous_key_retires_at": EARLIER}


def audited(*keys: str, **fields: Any) -> Identity:
    return iam(*keys, **{"policy": POLICY, "audited": True, **fields})


def told(record: Record, identity: Identity | None) -> tuple[str, ...]:
    state = RecordState.of(record, SENDING, NOW)
    return tuple(found.description for found in find_differences(decide(state, identity)))


def test_where_nothing_differs_there_is_nothing_to_say() -> None:
    assert told(settled(), audited(K1)) == ()
    assert told(settled(**PREVIOUS), audited(K0, K1)) == ()
    off = a_user(enabled=False)
    assert told(settled(off), audited(inactive=(K1,))) == ()


@pytest.mark.parametrize(
    ("fields", "identity", "words"),
    [
        ({}, None, "its IAM user is missing"),
        ({}, audited(K1, needs_repair=True), "its tags or its permissions boundary were changed"),
        ({}, audited(K1, policy=None), "its policy was changed"),
        ({}, audited(K1, policy={**POLICY, "Statement": []}), "its policy was changed"),
        ({}, audited(inactive=(K1,)), f"access key {K1} was deactivated"),
        ({}, audited(K1, K2), f"access key {K2} was created outside this system"),
        ({}, audited(), f"access key {K1} was deleted"),
        (PREVIOUS, audited(K1, inactive=(K0,)), f"access key {K0} was deactivated"),
        (PREVIOUS, audited(K1), f"the previous access key {K0} was deleted"),
        ({**OVER, "previous_key_deletes_at": LATER}, audited(K0, K1), f"access key {K0} was activated"),
        ({"revoked": REVOKED}, audited(K1), f"access key {K1} was activated"),
        ({"revoked": REVOKED, **OVER}, audited(K1, inactive=(K0,)), f"access key {K1} was activated"),
        (
            {},
            audited(K1, attachments=(Attachment(AttachmentKind.INLINE_POLICY, "by-hand"),)),
            "inline policy by-hand was added",
        ),
        ({}, audited(K1, attachments=(Attachment(AttachmentKind.LOGIN_PROFILE, ""),)), "console password was added"),
    ],
)
def test_each_difference_is_reported_in_plain_words(
    fields: dict[str, Any], identity: Identity | None, words: str
) -> None:
    assert told(settled(**fields), identity) == (words,)


def test_a_disabled_user_whose_key_was_activated_is_reported() -> None:
    off = a_user(enabled=False)
    identity = replace(audited(K1), policy=build(off, SENDING))
    assert told(settled(off), identity) == (f"access key {K1} was activated",)


def test_several_differences_are_reported_together() -> None:
    identity = audited(K1, K2, policy=None, needs_repair=True)
    words = (
        "its tags or its permissions boundary were changed",
        "its policy was changed",
        f"access key {K2} was created outside this system",
    )
    assert told(settled(), identity) == words


def test_what_time_alone_asks_for_is_no_difference() -> None:
    """A rotation that is due, both stages of a previous key, expiry."""
    rotated = a_user(rotation={"every_days": 90})
    made = timestamp(NOW - timedelta(days=90))
    assert told(settled(rotated, key_created_at=made), audited(K1)) == ()
    assert told(settled(rotated, key_created_at=made, **PREVIOUS), audited(K0, K1)) == ()
    assert told(settled(**OVER), audited(K0, K1)) == ()
    assert told(settled(**OVER, previous_key_deletes_at=EARLIER), audited(K1, inactive=(K0,))) == ()
    ended = a_user(expires="2026-05-31")
    assert told(settled(ended), replace(audited(K1), policy=build(ended, SENDING))) == ()


def test_a_user_that_is_gone_and_has_been_torn_down_is_no_difference() -> None:
    assert told(settled(status="deleting"), None) == ()


def test_a_user_that_is_not_ours_any_more_is_reported() -> None:
    (words,) = told(settled(), Identity(owned=False))
    assert "unmanaged IAM user" in words


def test_a_stored_credential_that_is_gone_is_no_fault_of_its_key() -> None:
    """The key is replaced because its password can never be read again, not because it was changed."""
    words = told(settled(encrypted_credentials=None), audited(K1))
    assert words == (f"the record lost the credential of access key {K1}",)


def test_a_quarantine_of_aws_is_a_warning_and_no_difference() -> None:
    """I7: only an operator can fix this."""
    identity = audited(K1, attachments=(QUARANTINE,))
    assert told(settled(), identity) == ()
    assert warnings(identity.attachments) == (
        "AWS detected an exposed access key (AWSCompromisedKeyQuarantineV3 is attached)",
    )
    assert warnings(audited(K1).attachments) == ()


def test_a_young_key_that_no_one_knows_beside_a_disabled_user_was_added() -> None:
    keys = (Key(K1, False), Key(K2, True, created_at=NOW))
    words = told(settled(a_user(enabled=False), status="disabled"), replace(audited(K1), keys=keys))
    assert f"access key {K2} was created outside this system" in words


def is_different(record: Record, identity: Identity | None) -> bool:
    return differs(RecordState.of(record, SENDING, NOW), identity)


def test_a_user_as_its_record_says_does_not_differ() -> None:
    assert not is_different(settled(), audited(K1))
    assert not is_different(settled(**PREVIOUS), audited(K0, K1))
    assert not is_different(settled(a_user(enabled=False)), audited(inactive=(K1,)))


@pytest.mark.parametrize(
    ("record", "identity"),
    [
        (settled(), None),
        (settled(), Identity(owned=False)),
        (settled(), audited(K1, policy=None)),
        (settled(), audited(K1, attachments=(QUARANTINE,))),
        (settled(), audited(K1, attachments=(Attachment(AttachmentKind.GROUP, "senders"),))),
        (settled(observed_revision=1), audited(K1)),
        (settled(**OVER), audited(K0, K1)),
        (settled(previous_key=K0, previous_key_retires_at=LATER), audited(K1)),
        (settled(status="unheard of"), audited(K1)),
        (settled(key_created_at=timestamp(NOW)), audited()),
    ],
)
def test_what_needs_a_step_a_write_or_manual_action_differs(record: Record, identity: Identity | None) -> None:
    assert is_different(record, identity)

"""What has become of a settled user behind its row's back: a kind for programs, plain words for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.decision import (
    Attachment,
    CreateUser,
    Decision,
    DeleteKey,
    Detach,
    Fail,
    Identity,
    IssueKey,
    PutPolicy,
    RepairUser,
    SetKey,
    Settle,
    Step,
)
from reconciler.core.record import Record
from reconciler.core.record_state import RecordState


class Drift(StrEnum):
    """Every way in which manifests, rows and IAM can differ, in the order they are told for one user."""

    FOREIGN = "foreign"  # a row or an IAM user that is not ours
    ORPHAN = "orphan"  # an IAM user of ours without a row
    GHOST = "ghost"  # a row whose IAM user is gone
    MISSING = "missing"  # declared, without a row
    UNDECLARED = "undeclared"  # a row of ours that no manifest declares
    DIFFERS = "differs"  # a row that is not as it is declared
    FAILED = "failed"
    OVERDUE = "overdue"  # it waits for the credential manager or for the sweep, for too long
    EDITED = "edited"  # its policy
    KEY = "key"  # unknown, deleted, or in the wrong state
    ATTACHMENT = "attachment"  # a policy or a group beside its own policy
    BOUNDARY = "boundary"  # or its tags are not as we made them
    QUARANTINE = "quarantine"  # AWS has seen a key of it in public


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Drift
    words: str


def differences(state: RecordState, identity: Identity | None, decision: Decision) -> tuple[str, ...]:
    """What `find_differences` finds, in plain words alone."""
    return tuple(found.words for found in find_differences(state, identity, decision))


def find_differences(state: RecordState, identity: Identity | None, decision: Decision) -> tuple[Difference, ...]:
    """`decision`: what would be done about an audited `identity`. What time alone asks for is no difference."""
    if isinstance(decision.end, Fail):
        unmarked = identity is not None and not identity.owned
        return (Difference(Drift.FOREIGN if unmarked else Drift.FAILED, decision.end.message),)
    if identity is None:
        gone = any(isinstance(step, CreateUser) for step in decision.steps)
        return (Difference(Drift.GHOST, "its IAM user is gone"),) if gone else ()
    listed = {key.id for key in identity.keys}
    found = [difference for step in decision.steps if (difference := _difference(step, state, listed))]
    forgotten = isinstance(decision.end, Settle) and decision.end.forget_previous
    if forgotten and (record := state.record).previous_key not in listed:
        found.append(Difference(Drift.KEY, f"the previous key {record.previous_key} was deleted"))
    return tuple(found)


def warnings(attachments: Iterable[Attachment]) -> tuple[str, ...]:
    """What only a person can put right."""
    quarantines = [attachment.id.rpartition("/")[2] for attachment in attachments if attachment.is_quarantine]
    return tuple(f"AWS attached {policy}: it has seen a key of this user in public" for policy in quarantines)


def _difference(step: Step, state: RecordState, listed: Collection[str]) -> Difference | None:
    match step:
        case RepairUser():
            return Difference(Drift.BOUNDARY, "its tags or its boundary were changed")
        case Detach(attachment):
            return Difference(Drift.ATTACHMENT, f"{attachment.kind} {attachment.id} was attached")
        case PutPolicy():
            return Difference(Drift.EDITED, "its policy was edited")
    words = _words_of_key(step, state.record, listed, state)
    return Difference(Drift.KEY, words) if words else None


def _words_of_key(step: Step, record: Record, listed: Collection[str], state: RecordState) -> str:
    """`listed`: the keys that IAM knows."""
    stored = record.smtp_username
    gone = (
        f"key {stored} was deleted" if record.encrypted_credentials else f"its row lost the credential of key {stored}"
    )
    match step:
        case DeleteKey(key_id) if key_id == stored:
            return f"key {key_id} was deactivated" if record.encrypted_credentials else gone
        case DeleteKey(key_id) if key_id != record.previous_key:
            return f"key {key_id} was added"
        case SetKey(key_id) if key_id not in (stored, record.previous_key):
            return f"key {key_id} was added"
        case SetKey(key_id, active) if active:
            return f"key {key_id} was deactivated"
        case SetKey(key_id) if not _is_time(key_id, state):
            return f"key {key_id} was activated"
        case IssueKey(replaces="") if stored and stored not in listed:
            return gone
    return ""


def _is_time(key_id: str, state: RecordState) -> bool:
    """Does this key become inactive because its time has come?"""
    if key_id == state.record.previous_key and state.overlap_over:
        return True
    return state.expired and not state.record.revoked

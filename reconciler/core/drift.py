"""What has become of a settled user behind its row's back, in plain words."""

from __future__ import annotations

from datetime import datetime

from reconciler.core.record import Record, Status
from reconciler.core.settled import is_retired, wanted_status
from reconciler.core.steps import (
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


def differences(record: Record, identity: Identity | None, decision: Decision, now: datetime) -> tuple[str, ...]:
    """`decision`: what would be done about an audited `identity`. What time alone asks for is no difference."""
    if isinstance(decision.end, Fail):
        return (decision.end.message,)
    if identity is None:
        return ("its IAM user is gone",) if any(isinstance(step, CreateUser) for step in decision.steps) else ()
    words = [word for step in decision.steps if (word := _words_of(step, record, now))]
    if isinstance(decision.end, Settle) and decision.end.forget_previous:
        listed = any(key.id == record.previous_key for key in identity.keys)
        words += [] if listed else [f"the previous key {record.previous_key} was deleted"]
    return tuple(words)


def warnings(identity: Identity | None) -> tuple[str, ...]:
    """What only a person can put right."""
    quarantines = [a.id.rpartition("/")[2] for a in identity.attachments if a.is_quarantine] if identity else []
    return tuple(f"AWS attached {policy}: it has seen a key of this user in public" for policy in quarantines)


def _words_of(step: Step, record: Record, now: datetime) -> str:
    match step:
        case RepairUser():
            return "its tags or its boundary were changed"
        case Detach(attachment):
            return f"{attachment.kind} {attachment.id} was attached"
        case PutPolicy():
            return "its policy was edited"
        case DeleteKey(key_id) if key_id == record.smtp_username:
            return f"key {key_id} was deactivated"
        case DeleteKey(key_id) if key_id != record.previous_key:
            return f"key {key_id} was added"
        case SetKey(key_id, active) if active:
            return f"key {key_id} was deactivated"
        case SetKey(key_id) if not _is_time(key_id, record, now):
            return f"key {key_id} was activated"
        case IssueKey(replaces="") if record.smtp_username and record.key_credential is not None:
            return f"key {record.smtp_username} was deleted"
    return ""


def _is_time(key_id: str, record: Record, now: datetime) -> bool:
    """Does this key become inactive because its time has come?"""
    if key_id == record.previous_key and is_retired(record, now):
        return True
    user = record.user
    expired = user is not None and user.enabled and wanted_status(record, user, now) == Status.DISABLED
    return expired and not record.revoked and record.status == Status.ACTIVE

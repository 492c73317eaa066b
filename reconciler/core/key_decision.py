"""Decide about the access keys of one user: which to create, activate, deactivate and delete, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.decision import DeleteKey, Identity, IssueKey, Key, Reason, ReasonKind, SetKey, Settle, Step
from reconciler.core.record import Record, Status, parse_timestamp, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, User

VISIBLE_AFTER = timedelta(minutes=1)  # until then, IAM may list what was before a change
# No function works on one user for so long: until then, another one may be about to store an unknown key.
STORED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ListedKeys:
    """The keys that IAM lists, by what the record says of them.

    `pending`: unknown, and so young that another function may be about to store it.
    """

    current: Key | None
    previous: Key | None
    pending: tuple[Key, ...]
    unknown: tuple[Key, ...]

    @classmethod
    def of(cls, record: Record, identity: Identity | None, now: datetime) -> ListedKeys:
        keys = identity.keys if identity else ()
        unknown = unknown_keys(record, keys)
        pending = [key for key in unknown if key.created_at and abs(now - key.created_at) < STORED_AFTER]
        return cls(
            current=next((key for key in keys if key.id == stored_key(record)), None),
            previous=next((key for key in keys if key.id == record.previous_key), None),
            pending=tuple(pending),
            unknown=tuple(key for key in unknown if key not in pending),
        )


def stored_key(record: Record) -> str:
    """The key whose credential the record holds."""
    return record.smtp_username if record.encrypted_credentials else ""


def unknown_keys(record: Record, keys: tuple[Key, ...]) -> list[Key]:
    """A key whose secret no record holds cannot be used by anyone who should use it."""
    return [key for key in keys if key.id not in (stored_key(record), record.previous_key)]


def key_steps(
    state: RecordState, user: User, keys: ListedKeys, status: Status, missing: Reason | None, *, lost_race: bool = False
) -> tuple[list[Step], Settle]:
    """Steps on keys, and what to store about the previous key. `missing`: why there is no IAM user, if so.

    `lost_race`: nothing that IAM lists is certain.
    """
    record, may_send = state.record, status == Status.ACTIVE
    current, previous = keys.current, keys.previous
    steps: list[Step] = [DeleteKey(key.id, reason=why_unknown(state, key.id)) for key in keys.unknown]
    rotation = _why_rotated(state, user) if may_send and current else None
    if record.revoked and is_replaced(record, user):
        # They may have leaked, so they end before the new one exists: it is issued when the user is resumed.
        steps += [DeleteKey(key.id, reason=_declared(user)) for key in (previous, current) if key]
        previous = current = None
    if previous and (rotation or state.previous_finished):
        steps.append(DeleteKey(previous.id, reason=rotation or _OVERLAP_OVER))
        previous = None
    elif previous:
        valid = may_send and not state.overlap_over and not record.previous_key_deletes_at
        steps += [] if _is_surely(state, previous, valid, lost_race) else [_set_key(state, previous, active=valid)]
    if rotation and current and not _is_in_use(state, current):
        # It was deactivated, perhaps because it leaked: it is replaced without an overlap.
        steps.append(DeleteKey(current.id, reason=_drift(state, f"access key {current.id} was deactivated")))
        current = None
    if may_send and (current is None or rotation):
        steps.append(_issue_key(user, current, state.now, missing or rotation or _why_issued(state)))
    elif current and not _is_surely(state, current, may_send, lost_race):
        steps.append(_set_key(state, current, active=may_send))
    forget = bool(record.previous_key) and previous is None
    vanished = forget and keys.previous is None
    reason = missing or _drift(state, f"the previous access key {record.previous_key} was deleted")
    return steps, Settle(status, forget, state.overlap_over and not forget, reason=reason if vanished else None)


def is_young(moment: str, now: datetime) -> bool:
    since = parse_timestamp(moment)
    return since is not None and abs(now - since) < VISIBLE_AFTER


def _is_surely(state: RecordState, key: Key, active: bool, lost_race: bool) -> bool:
    """A list that is older than the last change may agree by accident."""
    return key.active == active and not lost_race and _was_active(state, key) in (None, active)


def _is_in_use(state: RecordState, key: Key) -> bool:
    was_active = _was_active(state, key)
    return key.active if was_active is None else was_active


def _was_active(state: RecordState, key: Key) -> bool | None:
    """How the last result left a key, if that was a moment ago: then the record knows better than the list."""
    record = state.record
    if not record.settled_status or not is_young(record.settled_at, state.now):
        return None
    is_retired = key.id == record.previous_key and bool(record.previous_key_deletes_at)
    return record.settled_status == Status.ACTIVE and not is_retired


def _issue_key(user: User, replaced: Key | None, now: datetime, reason: Reason) -> IssueKey:
    if replaced is None:
        return IssueKey(user.credential, reason=reason)
    overlap = user.rotation.overlap_days if user.rotation else DEFAULT_OVERLAP_DAYS
    return IssueKey(user.credential, replaced.id, timestamp(now + timedelta(days=overlap)), reason=reason)


def _set_key(state: RecordState, key: Key, *, active: bool) -> SetKey:
    if active:
        reason = _drift(state, f"access key {key.id} was deactivated", requested="the user may send")
        return SetKey(key.id, active, reason=reason)
    if key.id == state.record.previous_key and state.overlap_over:
        return SetKey(key.id, active, reason=_OVERLAP_OVER)
    reason = _drift(state, f"access key {key.id} was activated") if state.observed else why_inactive(state)
    return SetKey(key.id, active, reason=reason)


_OVERLAP_OVER = Reason(ReasonKind.DUE, "the overlap is over")


def _drift(state: RecordState, text: str, requested: str = "") -> Reason:
    """A record that was not processed yet says nothing about how its keys were left: then it is no drift."""
    if state.observed:
        return Reason(ReasonKind.KEY_CHANGED, text)
    return Reason(ReasonKind.REQUESTED, requested or text)


def why_unknown(state: RecordState, key_id: str) -> Reason:
    if key_id == state.record.smtp_username:
        return _drift(state, f"the record lost the credential of access key {key_id}")
    no_record = f"no record holds the password of access key {key_id}"
    return _drift(state, f"access key {key_id} was created outside this system", requested=no_record)


def why_inactive(state: RecordState) -> Reason:
    """Why a key of a user may not be active."""
    record, user = state.record, state.record.user
    if record.revoked:
        return Reason(ReasonKind.REQUESTED, "the user is revoked")
    if user and not user.enabled:
        return Reason(ReasonKind.REQUESTED, "the user is disabled")
    if user and not user.may_send(state.now):
        return Reason(ReasonKind.DUE, "the user has expired")
    return _OVERLAP_OVER


def is_replaced(record: Record, user: User) -> bool:
    """Another `credential` is declared than the one that the key was issued for."""
    return record.key_credential not in (None, user.credential)


def _declared(user: User) -> Reason:
    return Reason(ReasonKind.REQUESTED, f"credential {user.credential} is declared")


def _why_rotated(state: RecordState, user: User) -> Reason | None:
    if is_replaced(state.record, user):
        return _declared(user)
    return Reason(ReasonKind.DUE, "its access key is due for rotation") if state.rotation_due else None


def _why_issued(state: RecordState) -> Reason:
    record = state.record
    if stored_key(record):
        return _drift(state, f"access key {record.smtp_username} was deleted")
    if record.smtp_username:
        return why_unknown(state, record.smtp_username)
    return Reason(ReasonKind.REQUESTED, "it has no access key yet")

"""Decide: what must be done so that IAM is what the row asks for.

`decide` looks at the row and at IAM as they are now and answers with steps. It does not care why it was
called: a first event, a replay, a crash half-way, a dead letter and a sweep all come out as "what is still missing".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.decision import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Detach,
    End,
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
    Step,
)
from reconciler.core.policy import Document
from reconciler.core.record import AWAITING, Record, Status, parse_timestamp, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, User

VISIBLE_AFTER = timedelta(minutes=1)
# No function works on one user for so long: until then a key that no row knows may be about to be stored.
STORED_AFTER = timedelta(minutes=5)


def decide(state: RecordState | None, identity: Identity | None, *, doubt: bool = False) -> Decision:
    """`state` is None when there is no record, `identity` when IAM has no user of that name.

    `doubt`: we have just lost a race, so what IAM lists of keys may be older than what was done to them.
    """
    if state is None or state.record.status == Status.DELETING:
        return _tear_down(state, identity)
    record, sending = state.record, state.sending
    if record.status not in tuple(Status):
        return Decision(Nothing())  # a row that asks for nothing
    if record.user is None:
        return Decision(Fail("InvalidRecord", "; ".join(record.problems)), _silence(record, identity))
    if identity and not identity.owned:
        return Decision(_foreign())
    document = policy.build(record.user, sending)
    if (size := policy.measure(document)) > policy.QUOTA:
        advice = policy.advise_split(record.user, sending)
        fail = Fail("PolicyTooLarge", f"the policy has {size} of {policy.QUOTA} characters; {advice}")
        return Decision(fail, _silence(record, identity))
    if state.wanted == Status.ACTIVE:
        return _allow(state, record.user, identity, document)
    return _forbid(state, record.user, identity, document, certain=state.observed and not doubt)


def _silence(record: Record, identity: Identity | None) -> tuple[Step, ...]:
    """A revocation holds also where the rest of the row cannot be worked off."""
    if not record.revoked or identity is None or not identity.owned:
        return ()
    return tuple(SetKey(key.id, active=False) for key in identity.keys if key.active)


def _tear_down(state: RecordState | None, identity: Identity | None) -> Decision:
    end: End = RemoveRow() if state else Nothing()
    if identity is None and state and state.record.iam_user_arn and _is_young(state.record.settled_at, state.now):
        return Decision(LookAgain("an IAM user that was there a moment ago is not found"))
    if identity is None or not identity.owned:
        return Decision(end)
    keys = tuple(DeleteKey(key.id) for key in identity.keys)
    # Without its boundary our role may not delete the user's policies, so that is put back after the keys are gone.
    repair = (RepairUser(),) if identity.needs_repair else ()
    return Decision(end, (*keys, *repair, DeleteUser()))


def _allow(state: RecordState, user: User, identity: Identity | None, document: Document) -> Decision:
    record, now = state.record, state.now
    keys = _Keys.of(record, identity, now)
    if identity and keys.current is None and _stored(record) and _is_young(record.key_created_at, now):
        return Decision(LookAgain(f"the key {_stored(record)}, made a moment ago, is not listed"))
    steps, settle = _steps_of_keys(state, user, keys, Status.ACTIVE)
    if any(isinstance(step, IssueKey) for step in steps) and keys.pending:
        return Decision(LookAgain(f"the key {keys.pending[0].id}, made a moment ago, may be about to be stored"))
    if identity and any(attachment.is_quarantine for attachment in identity.attachments):
        if record.status in AWAITING and any(isinstance(step, SetKey) and step.active for step in steps):
            return Decision(_quarantined())
        steps = [step for step in steps if not (isinstance(step, SetKey) and step.active)]
    # Allowed first, then enabled: no moment is wider than both ends.
    return Decision(settle, (*_steps_of_user(identity), *_grant(identity, document), *steps))


def _forbid(
    state: RecordState, user: User, identity: Identity | None, document: Document, *, certain: bool
) -> Decision:
    """`certain`: what IAM lists can be believed. Else every key that the row knows is switched off, listed or not."""
    record, now = state.record, state.now
    keys = _Keys.of(record, identity, now)
    steps, settle = _steps_of_keys(state, user, keys, Status.DISABLED)
    steps += [SetKey(key.id, active=False) for key in keys.pending if key.active]
    if identity and not certain:
        done = {step.key_id for step in steps if isinstance(step, SetKey | DeleteKey)}
        known = dict.fromkeys(filter(None, (_stored(record), record.previous_key)))
        steps += [SetKey(key_id, active=False) for key_id in known if key_id not in done]
    # Switched off before anything else is put right, which may be refused.
    ordered = (*_steps_of_user(identity), *steps) if identity is None else (*steps, *_steps_of_user(identity))
    end: End = settle
    if identity and keys.current is None and _stored(record) and _is_young(record.key_created_at, now):
        end = LookAgain(f"the key {_stored(record)}, made a moment ago, is not listed")
    return Decision(end, (*ordered, *_grant(identity, document)))


def _stored(record: Record) -> str:
    """The key whose credential the row holds."""
    return record.smtp_username if record.encrypted_credentials else ""


def _is_young(moment: str, now: datetime) -> bool:
    since = parse_timestamp(moment)
    return since is not None and abs(now - since) < VISIBLE_AFTER


def _grant(identity: Identity | None, document: Document) -> tuple[Step, ...]:
    return () if identity and identity.policy == document else (PutPolicy(document),)


def _steps_of_user(identity: Identity | None) -> list[Step]:
    if identity is None:
        return [CreateUser()]
    repair: list[Step] = [RepairUser()] if identity.needs_repair else []
    return repair + [Detach(attachment) for attachment in identity.attachments if not attachment.is_quarantine]


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys that IAM lists, as the row knows them. `pending`: unknown, and so young that they may be stored yet."""

    current: Key | None
    previous: Key | None
    pending: tuple[Key, ...]
    unknown: tuple[Key, ...]

    @classmethod
    def of(cls, record: Record, identity: Identity | None, now: datetime) -> _Keys:
        keys = identity.keys if identity else ()
        unknown = unknown_keys(record, keys)
        pending = [key for key in unknown if key.created_at and abs(now - key.created_at) < STORED_AFTER]
        return cls(
            current=next((key for key in keys if key.id == _stored(record)), None),
            previous=next((key for key in keys if key.id == record.previous_key), None),
            pending=tuple(pending),
            unknown=tuple(key for key in unknown if key not in pending),
        )


def unknown_keys(record: Record, keys: tuple[Key, ...]) -> list[Key]:
    """A key whose secret no row holds is of use to nobody."""
    return [key for key in keys if key.id not in (_stored(record), record.previous_key)]


def _steps_of_keys(state: RecordState, user: User, keys: _Keys, status: Status) -> tuple[list[Step], Settle]:
    """Steps on keys, and what the row shall note of its previous key."""
    record, now = state.record, state.now
    may_send = status == Status.ACTIVE
    current, previous = keys.current, keys.previous
    steps: list[Step] = [DeleteKey(key.id) for key in keys.unknown]
    changed = record.key_credential not in (None, user.credential)
    rotate = may_send and current is not None and (changed or state.rotation_due)
    retired = state.overlap_over
    if previous and (rotate or state.previous_finished):
        steps.append(DeleteKey(previous.id))
        previous = None
    elif previous:
        valid = may_send and not retired and not record.previous_key_deletes_at
        steps += [SetKey(previous.id, valid)] if previous.active != valid else []
    if rotate and current and not current.active:
        steps.append(DeleteKey(current.id))  # it was switched off, perhaps for cause: no overlap for it
        current = None
    if may_send and (current is None or rotate):
        steps.append(_issue(user, current, now))
    elif current and current.active != may_send:
        steps.append(SetKey(current.id, may_send))
    forget = bool(record.previous_key) and previous is None
    return steps, Settle(status, forget_previous=forget, retire_previous=retired and not forget)


def _issue(user: User, replaced: Key | None, now: datetime) -> IssueKey:
    if replaced is None:
        return IssueKey(user.credential)
    overlap = user.rotation.overlap_days if user.rotation else DEFAULT_OVERLAP_DAYS
    return IssueKey(user.credential, replaced.id, timestamp(now + timedelta(days=overlap)))


def _foreign() -> Fail:
    return Fail(
        "ForeignUser",
        "an IAM user of that name exists without our mark; it is not touched: rename the SMTP user, or remove it",
    )


def _quarantined() -> Fail:
    return Fail(
        "Quarantined",
        "AWS has seen a key of this user in public, and it is switched off: raise `credential` for a new one, or "
        "detach the policy AWSCompromisedKeyQuarantine",
    )

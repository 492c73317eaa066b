"""Decide: what must be done so that IAM is what the row asks for.

`decide` looks at the row and at IAM as they are now and answers with steps. It does not care why it was
called: a first event, a replay, a crash half-way, a dead letter and a sweep all come out as "what is still missing".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.policy import Document, Sending
from reconciler.core.record import Record, Status, parse_timestamp, timestamp
from reconciler.core.settled import is_previous_finished, is_retired, is_rotation_due, wanted_status
from reconciler.core.steps import (
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
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, User

VISIBLE_AFTER = timedelta(minutes=1)


def decide(record: Record | None, identity: Identity | None, sending: Sending, now: datetime) -> Decision:
    """`identity` is None when IAM has no user of that name."""
    if record is None or record.status == Status.DELETING:
        return _tear_down(record, identity)
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
    may_send = wanted_status(record, record.user, now) == Status.ACTIVE
    if identity and may_send and _is_not_yet_listed(record, identity, now):
        return Decision(LookAgain(f"the key {record.smtp_username}, made a moment ago, is not listed"))
    return _build_up(record, record.user, identity, document, now)


def _silence(record: Record, identity: Identity | None) -> tuple[Step, ...]:
    """A revocation holds also where the rest of the row cannot be worked off."""
    if not record.revoked or identity is None or not identity.owned:
        return ()
    return tuple(SetKey(key.id, active=False) for key in identity.keys if key.active)


def _is_not_yet_listed(record: Record, identity: Identity, now: datetime) -> bool:
    """A stored key that is missing has been deleted, unless it is so young that IAM may not list it everywhere."""
    made = parse_timestamp(record.key_created_at)
    young = made is not None and abs(now - made) < VISIBLE_AFTER
    stored = bool(record.smtp_username and record.encrypted_credentials)
    return stored and young and all(key.id != record.smtp_username for key in identity.keys)


def _tear_down(record: Record | None, identity: Identity | None) -> Decision:
    end: End = RemoveRow() if record else Nothing()
    if identity is None or not identity.owned:
        return Decision(end)
    keys = tuple(DeleteKey(key.id) for key in identity.keys)
    # Without its boundary our role may not delete the user's policies, so that is put back after the keys are gone.
    repair = (RepairUser(),) if identity.needs_repair else ()
    return Decision(end, (*keys, *repair, DeleteUser()))


def _build_up(record: Record, user: User, identity: Identity | None, document: Document, now: datetime) -> Decision:
    status = wanted_status(record, user, now)
    keys, settle = _decide_keys(record, user, identity.keys if identity else (), status, now)
    if identity and any(attachment.is_quarantine for attachment in identity.attachments):
        keys = [step for step in keys if not (isinstance(step, SetKey) and step.active)]  # switched off, and for cause
    grant = () if identity and identity.policy == document else (PutPolicy(document),)
    # Narrow first when sending ends, allow first when it begins: no moment is wider than both ends.
    granted = (*grant, *keys) if status == Status.ACTIVE else (*keys, *grant)
    return Decision(settle, (*_decide_user(identity), *granted))


def _decide_user(identity: Identity | None) -> list[Step]:
    if identity is None:
        return [CreateUser()]
    repair: list[Step] = [RepairUser()] if identity.needs_repair else []
    return repair + [Detach(attachment) for attachment in identity.attachments if not attachment.is_quarantine]


def _decide_keys(
    record: Record, user: User, keys: tuple[Key, ...], status: Status, now: datetime
) -> tuple[list[Step], Settle]:
    """Steps on keys, and what the row shall note of its previous key."""
    may_send = status == Status.ACTIVE
    stored = record.smtp_username if record.encrypted_credentials else ""
    current = next((key for key in keys if key.id == stored), None)
    previous = next((key for key in keys if key.id == record.previous_key), None)
    steps: list[Step] = [DeleteKey(key.id) for key in unknown_keys(record, keys)]
    changed = record.key_credential not in (None, user.credential)
    rotate = may_send and current is not None and (changed or is_rotation_due(record, user, now))
    retired = is_retired(record, now)
    if previous and (rotate or is_previous_finished(record, now)):
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


def unknown_keys(record: Record, keys: tuple[Key, ...]) -> list[Key]:
    """A key whose secret no row holds is of use to nobody."""
    stored = record.smtp_username if record.encrypted_credentials else ""
    return [key for key in keys if key.id not in (stored, record.previous_key)]


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

"""Decide: what must be done so that IAM is what the row asks for.

`decide` looks at the row and at IAM as they are now and answers with steps. It does not care why it was
called: a first event, a replay, a crash half-way and a repair all come out as "what is still missing".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.policy import Document, Sending
from reconciler.core.record import Record, Status, parse_timestamp, timestamp
from reconciler.core.steps import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
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

# Our mark on an IAM user: this tag, and nothing else.
MARK, OWNER = "managed-by", "ses-smtp-reconciler"


def iam_user_name(environment: str, name: str) -> str:
    """One name, one IAM user. Environment names have no '-', so two environments never meet."""
    return f"smtp-{environment}-{name}"


def iam_path(environment: str) -> str:
    return f"/smtp/{environment}/"


def ownership_tags(environment: str, name: str) -> dict[str, str]:
    """The mark, and whom the user is for."""
    return {MARK: OWNER, "smtp-environment": environment, "smtp-user": name}


def is_settled(record: Record, sending: Sending, now: datetime) -> bool:
    """Nothing to do, told from the row alone."""
    if record.status == Status.FAILED:
        return True  # a person looks at it and drives it again
    if record.status == Status.ACTIVE and not record.encrypted_credentials:
        return False
    return is_observed(record, sending, now) and not is_due(record, now)


def is_observed(record: Record, sending: Sending, now: datetime) -> bool:
    """Has exactly this wish been worked off, under these settings, and does the status say so?"""
    user = record.user
    return (
        user is not None
        and record.status == (Status.ACTIVE if user.may_send(now) else Status.DISABLED)
        and record.observed_revision == (record.revision or 0)
        and record.observed_hash == policy.grant_hash(user, sending)
    )


def is_due(record: Record, now: datetime) -> bool:
    """Has time alone made a settled row untrue: expiry, the end of an overlap, a scheduled rotation?"""
    user = record.user
    if user is None:
        return False
    expired = record.status == Status.ACTIVE and user.enabled and not user.may_send(now)
    return expired or is_retired(record, now) or is_rotation_due(record, user, now)


def is_retired(record: Record, now: datetime) -> bool:
    """Is the overlap over, so that the previous key may go?"""
    retires = parse_timestamp(record.previous_key_retires_at)
    return bool(record.previous_key) and (retires is None or now >= retires)


def is_rotation_due(record: Record, user: User, now: datetime) -> bool:
    """Is the key older than the user's declaration allows?"""
    made = parse_timestamp(record.key_created_at)
    if made is None or user.rotation is None or not user.may_send(now):
        return False
    return now - made >= timedelta(days=user.rotation.every_days)


def decide(record: Record | None, identity: Identity | None, sending: Sending, now: datetime) -> Decision:
    """`identity` is None when IAM has no user of that name."""
    if record is None or record.status == Status.DELETING:
        return _tear_down(record, identity)
    if record.status not in tuple(Status):
        return Decision(Nothing())  # a row that asks for nothing
    if record.user is None:
        return Decision(Fail("InvalidRecord", "; ".join(record.problems)))
    if identity and not identity.owned:
        return Decision(_foreign())
    if identity and record.user.may_send(now) and _is_not_yet_visible(record, identity, now):
        return Decision(LookAgain(f"the key {record.smtp_username}, made a moment ago, is not listed"))
    document = policy.build(record.user, sending)
    if (size := policy.measure(document)) > policy.QUOTA:
        advice = policy.advise_split(record.user, sending)
        return Decision(Fail("PolicyTooLarge", f"the policy has {size} of {policy.QUOTA} characters; {advice}"))
    return _build_up(record, record.user, identity, document, now)


def _is_not_yet_visible(record: Record, identity: Identity, now: datetime) -> bool:
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
    steps: list[Step] = []
    if identity is None:
        steps.append(CreateUser())
    elif identity.needs_repair:
        steps.append(RepairUser())
    may_send = user.may_send(now)
    status = Status.ACTIVE if may_send else Status.DISABLED
    keys, forget_previous = _decide_keys(record, user, identity.keys if identity else (), may_send, now)
    grant = PutPolicy(document)
    # Narrow first when sending ends, allow first when it begins: no moment is wider than both ends.
    steps += [grant, *keys] if may_send else [*keys, grant]
    return Decision(Settle(status, forget_previous), tuple(steps))


def _decide_keys(
    record: Record, user: User, keys: tuple[Key, ...], may_send: bool, now: datetime
) -> tuple[list[Step], bool]:
    """Steps on keys, and whether the row shall forget its previous key."""
    stored = record.smtp_username if record.encrypted_credentials else ""
    current = next((key for key in keys if key.id == stored), None)
    previous = next((key for key in keys if key.id == record.previous_key), None)
    steps: list[Step] = [DeleteKey(key.id) for key in keys if key not in (current, previous)]
    changed = record.key_credential not in (None, user.credential)
    rotate = may_send and current is not None and (changed or is_rotation_due(record, user, now))
    if previous and (rotate or is_retired(record, now)):
        steps.append(DeleteKey(previous.id))
        previous = None
    elif previous and previous.active != may_send:
        steps.append(SetKey(previous.id, may_send))
    if rotate and current and not current.active:
        steps.append(DeleteKey(current.id))  # it was switched off, perhaps for cause: no overlap for it
        current = None
    if may_send and (current is None or rotate):
        steps.append(_issue(user, current, now))
    elif current and current.active != may_send:
        steps.append(SetKey(current.id, may_send))
    return steps, bool(record.previous_key) and previous is None


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

"""Decide which steps make IAM match the record.

`decide` compares the record and IAM as they are now and returns the missing steps, each with its reason. The
caller does not matter: a first event, a replay, a crash half-way, a dead letter and a sweep lead to the same decision.
"""

from __future__ import annotations

from reconciler.core import policy
from reconciler.core.decision import (
    Attachment,
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Detach,
    End,
    Fail,
    Identity,
    IssueKey,
    NoOp,
    PutPolicy,
    Reason,
    ReasonKind,
    RemoveRecord,
    RepairUser,
    Requeue,
    SetKey,
    Settle,
    Step,
    TagUser,
)
from reconciler.core.key_decision import ListedKeys, is_young, key_steps, stored_key, why_inactive, why_unknown
from reconciler.core.policy import Document
from reconciler.core.provenance import changed_tags, provenance_tags
from reconciler.core.record import AWAITING, Record, Status
from reconciler.core.record_state import RecordState
from reconciler.core.user import User

UNMANAGED_USER = "ForeignUser"  # the failure code


def decide_unobserved(state: RecordState) -> Decision | None:
    """What the record alone decides, without any call to IAM; None where IAM must be observed.

    A change that does not concern IAM is no reason to check IAM: the sweep does that.
    """
    return Decision(Settle(state.wanted, observed=False)) if state.wanted and state.keeps_identity else None


def decide(state: RecordState | None, identity: Identity | None, *, lost_race: bool = False) -> Decision:
    """`state` is None when there is no record, `identity` when IAM has no user of that name.

    `lost_race`: another function has just changed the user, so IAM may list keys as they were before that.
    """
    if state is None or _is_torn_down(state.record):
        return _tear_down(state, identity)
    record = state.record
    if record.status not in tuple(Status) and not record.revoked:
        return Decision(NoOp())  # an unknown status requests nothing; but a revocation applies
    if record.user is None:
        fail = Fail("InvalidRecord", "; ".join(record.problems))
        return Decision(fail, _deactivate_all_keys(state, identity, lost_race=lost_race))
    if identity and not identity.owned:
        return Decision(_UNMANAGED)
    document = policy.build(record.user, state.sending)
    if (size := policy.measure(document)) > policy.QUOTA:
        advice = policy.advise_split(record.user, state.sending)
        fail = Fail("PolicyTooLarge", f"the policy has {size} of {policy.QUOTA} characters; {advice}")
        return Decision(fail, _deactivate_all_keys(state, identity, lost_race=lost_race))
    put = () if _is_put(state, identity, document, lost_race=lost_race) else _put_policy(state, identity, document)
    if state.wanted == Status.ACTIVE:
        return _activate(state, record.user, identity, put, lost_race=lost_race)
    return _deactivate(state, record.user, identity, put, listing_is_current=state.observed and not lost_race)


def _is_torn_down(record: Record) -> bool:
    """A deletion that failed waits for a person, unless the user is revoked: then its keys must not stay."""
    return record.status == Status.DELETING or (record.revoked is not None and record.is_being_deleted)


def _deactivate_all_keys(state: RecordState, identity: Identity | None, *, lost_race: bool) -> tuple[Step, ...]:
    """A revocation applies even when the rest of the record cannot be processed.

    Until the record says so, IAM's listing may be outdated: then the keys that are inactive in it are included.
    """
    record = state.record
    if not record.revoked or identity is None or not identity.owned:
        return ()
    listing_is_current = record.status == Status.FAILED and not lost_race
    listed = [key.id for key in identity.keys if key.active or not listing_is_current]
    known = () if listing_is_current else _known_keys(record)
    reason = why_inactive(state)
    return tuple(SetKey(key_id, active=False, reason=reason) for key_id in dict.fromkeys((*listed, *known)))


def _known_keys(record: Record) -> tuple[str, ...]:
    return tuple(filter(None, (stored_key(record), record.previous_key)))


def _tear_down(state: RecordState | None, identity: Identity | None) -> Decision:
    end: End = RemoveRecord() if state else NoOp()
    if identity is None and state and state.record.iam_user_arn and is_young(state.record.settled_at, state.now):
        return Decision(Requeue("the IAM user existed a moment ago and is not found"))
    if identity is None or not identity.owned:
        return Decision(end)
    reason = Reason(ReasonKind.DELETED, "the user is to be deleted" if state else "its record was removed")
    keys = tuple(DeleteKey(key.id, reason=reason) for key in identity.keys)
    # Without its boundary our role may not delete the user's policies, so it is restored after the keys are deleted.
    return Decision(end, (*keys, *_repair(identity), DeleteUser(reason=reason)))


def _activate(
    state: RecordState, user: User, identity: Identity | None, put: tuple[Step, ...], *, lost_race: bool
) -> Decision:
    keys = ListedKeys.of(state.record, identity, state.now)
    if unlisted := _unlisted_key(state, identity, keys):
        return Decision(unlisted)
    steps, settle = key_steps(state, user, keys, Status.ACTIVE, _why_missing(state, identity), lost_race=lost_race)
    if any(isinstance(step, IssueKey) for step in steps) and keys.pending:
        return Decision(Requeue(f"access key {keys.pending[0].id} was just created and may be about to be stored"))
    if identity and any(attachment.is_quarantine for attachment in identity.attachments):
        if state.record.status in AWAITING and any(isinstance(step, SetKey) and step.active for step in steps):
            return Decision(_QUARANTINED)
        steps = [step for step in steps if not (isinstance(step, SetKey) and step.active)]
    # The policy is updated before a key is activated, so that access never exceeds the old or the new grant.
    return Decision(settle, (*_user_steps(state, identity), *put, *steps))


def _deactivate(
    state: RecordState, user: User, identity: Identity | None, put: tuple[Step, ...], *, listing_is_current: bool
) -> Decision:
    """Unless `listing_is_current`, every key that the record knows is deactivated, listed or not."""
    record = state.record
    keys = ListedKeys.of(record, identity, state.now)
    steps, settle = key_steps(state, user, keys, Status.DISABLED, _why_missing(state, identity))
    steps += [SetKey(key.id, active=False, reason=why_unknown(state, key.id)) for key in keys.pending if key.active]
    if identity and not listing_is_current:
        done = {step.key_id for step in steps if isinstance(step, SetKey | DeleteKey)}
        known = [key_id for key_id in dict.fromkeys(_known_keys(record)) if key_id not in done]
        steps += [SetKey(key_id, active=False, reason=why_inactive(state)) for key_id in known]
    # Keys are deactivated before anything else is repaired, because AWS may refuse a repair.
    end = _unlisted_key(state, identity, keys) or settle
    return Decision(end, (*steps, *_user_steps(state, identity), *put))


def _unlisted_key(state: RecordState, identity: Identity | None, keys: ListedKeys) -> Requeue | None:
    """The stored key is so young that IAM may not list it yet."""
    stored = stored_key(state.record)
    if identity and keys.current is None and stored and is_young(state.record.key_created_at, state.now):
        return Requeue(f"access key {stored} was just created and is not listed yet")
    return None


def _why_missing(state: RecordState, identity: Identity | None) -> Reason | None:
    """Why an IAM user has to be created; None where there is one."""
    if identity is not None:
        return None
    if state.observed:
        return Reason(ReasonKind.IAM_USER_MISSING, "its IAM user is missing")
    return Reason(ReasonKind.REQUESTED, "it has no IAM user yet")


def _is_put(state: RecordState, identity: Identity | None, document: Document, *, lost_race: bool) -> bool:
    """An audit has read the policy. Without one, the record says what the last result left, if IAM agrees so far."""
    if identity is None or identity.audited:
        return identity is not None and identity.policy == document
    listed = {key.id for key in identity.keys}
    is_intact = not identity.needs_repair and listed.issuperset(_known_keys(state.record))
    return is_intact and not lost_race and state.keeps_policy


def _put_policy(state: RecordState, identity: Identity | None, document: Document) -> tuple[Step, ...]:
    """With the tags that say where it comes from. They are first: a policy that was put has its tags."""
    reason = _why_missing(state, identity)
    if reason is None and state.observed and identity and identity.audited:
        reason = Reason(ReasonKind.POLICY_CHANGED, "its policy was changed")
    put = PutPolicy(document, reason=reason or Reason(ReasonKind.REQUESTED, "the record defines its policy"))
    tags = changed_tags(identity.provenance, provenance_tags(state.record)) if identity else {}
    return (TagUser(tags, reason=put.reason), put) if tags else (put,)


def _user_steps(state: RecordState, identity: Identity | None) -> tuple[Step, ...]:
    if missing := _why_missing(state, identity):
        return (CreateUser(provenance_tags(state.record), reason=missing),)
    assert identity  # noqa: S101 - or it would be missing
    return (*_repair(identity), *(_detach(one) for one in identity.attachments if one.is_removed))


def _repair(identity: Identity) -> tuple[Step, ...]:
    reason = Reason(ReasonKind.BOUNDARY_CHANGED, "its tags or its permissions boundary were changed")
    return (RepairUser(reason=reason),) if identity.needs_repair else ()


def _detach(attachment: Attachment) -> Detach:
    reason = Reason(ReasonKind.ATTACHMENT_ADDED, f"{attachment} was added")
    return Detach(attachment, reason=reason)


_UNMANAGED = Fail(
    UNMANAGED_USER,
    "an unmanaged IAM user has this name and is not modified: rename the SMTP user, or delete the IAM user",
)
_QUARANTINED = Fail(
    "Quarantined",
    "AWS detected an exposed access key of this user, and the key is inactive: raise `credential` to replace it, or "
    "detach the policy AWSCompromisedKeyQuarantine",
)

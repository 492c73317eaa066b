"""What a row alone tells: whether its wish has been worked off, and what time has made of it since."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.policy import Sending
from reconciler.core.record import AWAITING, Record, Status, parse_timestamp
from reconciler.core.user import User

STUCK_AFTER = timedelta(minutes=15)


def wanted_status(record: Record, user: User, now: datetime) -> Status:
    """How a row of this user should end: `user` may be the one declared now."""
    return Status.ACTIVE if user.may_send(now) and not record.revoked else Status.DISABLED


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
        and record.status == wanted_status(record, user, now)
        and record.observed_revision == (record.revision or 0)
        and record.observed_hash == policy.grant_hash(user, sending)
    )


def is_leaving(record: Record) -> bool:
    """Is it to be deleted, or did that fail?"""
    failed = record.status == Status.FAILED and record.failure and record.failure.during == Status.DELETING
    return record.status == Status.DELETING or bool(failed)


def is_overdue(record: Record, now: datetime) -> bool:
    """Does it wait for the credential manager for longer than the stream can be blamed?"""
    if record.status not in AWAITING:
        return False
    since = parse_timestamp(record.requested_at)
    return since is None or abs(now - since) > STUCK_AFTER


def is_due(record: Record, now: datetime) -> bool:
    """Has time alone made a settled row untrue: expiry, a stage of the previous key, a scheduled rotation?"""
    user = record.user
    if user is None:
        return False
    expired = record.status == Status.ACTIVE and user.enabled and not user.may_send(now)
    return expired or is_retired(record, now) or is_previous_finished(record, now) or is_rotation_due(record, user, now)


def is_retired(record: Record, now: datetime) -> bool:
    """Is the overlap over, so that the previous key becomes inactive?"""
    if not record.previous_key or record.previous_key_deletes_at:
        return False
    retires = parse_timestamp(record.previous_key_retires_at)
    return retires is None or now >= retires


def is_previous_finished(record: Record, now: datetime) -> bool:
    """Has the previous key been inactive for long enough to be deleted?"""
    if not record.previous_key or not record.previous_key_deletes_at:
        return False
    deletes = parse_timestamp(record.previous_key_deletes_at)
    return deletes is None or now >= deletes


def is_rotation_due(record: Record, user: User, now: datetime) -> bool:
    """Is the key older than the user's declaration allows?"""
    made = parse_timestamp(record.key_created_at)
    if made is None or user.rotation is None or wanted_status(record, user, now) != Status.ACTIVE:
        return False
    return now - made >= timedelta(days=user.rotation.every_days)

"""What a record says at one moment: whether it was processed, and what time has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.policy import Sending
from reconciler.core.record import AWAITING, Record, Status, parse_timestamp
from reconciler.core.user import User

STUCK_AFTER = timedelta(minutes=15)
REVOKED_HASH = "-revoked"  # the end of `observed_hash`, once a revocation was carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """Computed once for each record that was read. It depends on the record, the settings and the time only.

    `wanted`: the status in which the record should end; None for a record that cannot be understood.
    `observed`: exactly this declaration was processed, under these settings, and the status agrees.
    `settled`: nothing to do, as far as the record alone can say.
    `overdue`: it has waited for the credential manager for longer than the stream takes.
    `expired`, `overlap_over`, `previous_finished` (the previous key can be deleted), `rotation_due`: what time alone
    requires; `due`: any of them.
    """

    record: Record
    sending: Sending
    now: datetime
    wanted: Status | None
    observed: bool
    settled: bool
    overdue: bool
    expired: bool
    overlap_over: bool
    previous_finished: bool
    rotation_due: bool
    due: bool

    @property
    def keeps_policy(self) -> bool:
        """The policy in IAM is the declared one, as far as the record can say: the last result left it there.

        Only of a managed record as it was processed, or one write of the reconciler later. Behind any other record, an
        attempt may be unfinished: an older write, a manual edit, a failure.

        Only the functions write `policy_hash`. Who can forge it can write to the table as an administrator, and could
        declare the grant instead; a forged hash delays a policy until the sweep, which compares policies.
        """
        record, user = self.record, self.record.user
        if user is None or not record.policy_hash or not record.revision or not record.observed_revision:
            return False
        if not self.observed and record.revision != record.observed_revision + 1:
            return False
        return record.policy_hash == policy.document_hash(policy.build(user, self.sending))

    @property
    def keeps_identity(self) -> bool:
        """Since the last result, nothing was changed that concerns IAM: only a description, an owner.

        A revocation always concerns IAM, and so does its end.
        """
        record, user = self.record, self.record.user
        return (
            user is not None
            and record.status == Status.PENDING
            and self.wanted == record.settled_status
            and (self.wanted == Status.DISABLED or bool(record.smtp_username and record.encrypted_credentials))
            and record.key_credential in (None, user.credential)
            and not (self.due or record.revoked or record.observed_hash.endswith(REVOKED_HASH))
            and self.keeps_policy
        )

    @classmethod
    def of(cls, record: Record, sending: Sending, now: datetime, declared: User | None = None) -> RecordState:
        """`declared`: the user to compare the record with, where it is not the record's own."""
        user = declared or record.user
        wanted = None if user is None else _wanted(record, user, now)
        expired = bool(user and record.status == Status.ACTIVE and user.enabled and not user.may_send(now))
        rotation_due = user is not None and is_rotation_due(record, user, now)
        overlap_over = _is_overlap_over(record, now)
        previous_finished = _is_previous_finished(record, now)
        observed = (
            user is not None
            and record.status == wanted
            and record.observed_revision == (record.revision or 0)
            and record.observed_hash == processed_hash(record, user, sending)
        )
        due = user is not None and (expired or overlap_over or previous_finished or rotation_due)
        lost_credential = record.status == Status.ACTIVE and not record.encrypted_credentials
        return cls(
            record=record,
            sending=sending,
            now=now,
            wanted=wanted,
            observed=observed,
            settled=_waits_for_a_person(record) or (observed and not due and not lost_credential),
            overdue=_is_overdue(record, now),
            expired=expired,
            overlap_over=overlap_over,
            previous_finished=previous_finished,
            rotation_due=rotation_due,
            due=due,
        )


def processed_hash(record: Record, user: User, sending: Sending) -> str:
    """What the credential manager stores when it has processed this declaration, and the revocation if there is one."""
    granted = policy.grant_hash(user, sending)
    return f"{granted}{REVOKED_HASH}" if record.revoked else granted


def is_urgent(record: Record, now: datetime) -> bool:
    """It does not wait for the stream any longer: it is overdue, or a revocation that was not carried out."""
    return _is_overdue(record, now) or (record.revoked is not None and not _is_revocation_done(record))


def has_waited(record: Record, now: datetime) -> bool:
    """For so long that an event of the stream would have led to it. A revocation without a valid time is old."""
    return _is_old(record.revoked.at if record.revoked else record.requested_at, now)


def _is_old(moment: str, now: datetime) -> bool:
    since = parse_timestamp(moment)
    return since is None or abs(now - since) > STUCK_AFTER


def _is_revocation_done(record: Record) -> bool:
    """Under whatever settings: no key of it is active."""
    seen = record.observed_revision == (record.revision or 0) and record.observed_hash.endswith(REVOKED_HASH)
    return record.status == Status.DISABLED and seen


def _waits_for_a_person(record: Record) -> bool:
    """A failed record is retried by a person. But if it is revoked, a key of it may still be active."""
    return record.status == Status.FAILED and not record.revoked


def _wanted(record: Record, user: User, now: datetime) -> Status:
    return Status.ACTIVE if user.may_send(now) and not record.revoked else Status.DISABLED


def _is_overdue(record: Record, now: datetime) -> bool:
    return record.status in AWAITING and _is_old(record.requested_at, now)


def _is_overlap_over(record: Record, now: datetime) -> bool:
    """Then the previous key becomes inactive."""
    if not record.previous_key or record.previous_key_deletes_at:
        return False
    retires = parse_timestamp(record.previous_key_retires_at)
    return retires is None or now >= retires


def _is_previous_finished(record: Record, now: datetime) -> bool:
    """The previous key has been inactive for long enough to be deleted."""
    if not record.previous_key or not record.previous_key_deletes_at:
        return False
    deletes = parse_timestamp(record.previous_key_deletes_at)
    return deletes is None or now >= deletes


def is_rotation_due(record: Record, user: User, now: datetime) -> bool:
    """The key is older than the declaration allows. A key of unknown age is not."""
    created = parse_timestamp(record.key_created_at)
    if created is None or user.rotation is None or _wanted(record, user, now) != Status.ACTIVE:
        return False
    return now - created >= timedelta(days=user.rotation.every_days)

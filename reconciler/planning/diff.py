"""Compare declared users with the records that exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.policy import Sending, grant_hash
from reconciler.core.record import Record, Status
from reconciler.core.record_state import RecordState
from reconciler.core.user import Declaration, User, spec_hash

ROTATION_DUE = "scheduled rotation is due: gets a new password"


@dataclass(frozen=True, slots=True)
class Create:
    declaration: Declaration

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Update:
    """`reasons`: why the user is reprocessed, besides any difference between record and declaration."""

    declaration: Declaration
    record: Record
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over a record that was created manually or by another tool: from now on the manifest decides."""

    declaration: Declaration
    record: Record

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Delete:
    """`reasons`: not empty when the deletion was requested before and is retried."""

    record: Record
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.record.name


Change = Create | Adopt | Update | Delete


@dataclass(frozen=True, slots=True)
class Diff:
    """Every name is in exactly one of the first four fields. All are sorted by name."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    deleting: tuple[str, ...] = ()  # deletion in progress
    unmanaged: tuple[Record, ...] = ()  # no manifest declares them and the reconciler did not write them
    revoked: tuple[Record, ...] = ()  # their keys stay inactive; also listed in one of the others


def diff(
    desired: Mapping[str, Declaration], actual: Iterable[Record], mark: str, sending: Sending, now: datetime
) -> Diff:
    """`mark`: the value of `managed_by` in managed records. Names in `actual` are unique: they are sort keys."""
    records = {record.name: record for record in actual}
    changes: list[Change] = []
    unchanged: list[str] = []
    deleting: list[str] = []
    unmanaged: list[Record] = []
    for name in sorted(desired.keys() | records.keys()):
        declaration, record = desired.get(name), records.get(name)
        if record is None:
            assert declaration  # noqa: S101 - the name came from one of the two
            changes.append(Create(declaration))
        elif record.managed_by != mark:
            if declaration:
                changes.append(Adopt(declaration, record))
            else:
                unmanaged.append(record)
        elif declaration is None:
            reasons = _reasons_to_retry_deletion(RecordState.of(record, sending, now))
            if reasons is None:
                deleting.append(name)
            else:
                changes.append(Delete(record, reasons))
        else:
            state = RecordState.of(record, sending, now, declaration.user)
            reasons = _reasons_to_reprocess(declaration.user, state)
            if reasons or record.user != declaration.user:
                changes.append(Update(declaration, record, reasons))
            else:
                unchanged.append(name)
    revoked = tuple(record for _, record in sorted(records.items()) if record.revoked)
    return Diff(tuple(changes), tuple(unchanged), tuple(deleting), tuple(unmanaged), revoked)


def _reasons_to_retry_deletion(state: RecordState) -> tuple[str, ...] | None:
    """None: the deletion is in progress. Empty: it has not begun."""
    record = state.record
    if record.status == Status.DELETING:
        return _stuck(state) or None
    if record.status == Status.FAILED and record.failure and record.failure.during == Status.DELETING:
        return (f"deletion failed: {record.failure.message}",)
    return ()


def _reasons_to_reprocess(user: User, state: RecordState) -> tuple[str, ...]:
    """Why a declared user is reprocessed although its declaration may not have changed."""
    record = state.record
    if record.spec_hash == spec_hash(user) and record.user != user:
        return ("the record was modified manually; restoring the declared values",)
    if record.spec_hash != spec_hash(user) and record.user == user:
        return ("the record was modified manually to these values before they were declared",)
    match record.status:
        case Status.FAILED:
            return (f"failed: {record.failure.message}" if record.failure else "failed",)
        case Status.DELETING:
            return ("deletion was in progress; recreating with a new access key",)
        case Status.PENDING:
            return _stuck(state)
        case Status.ACTIVE | Status.DISABLED:
            return _reasons_of_settled(user, state)
        case _:
            return (f"unknown status '{record.status}'; reprocessing",)


def _reasons_of_settled(user: User, state: RecordState) -> tuple[str, ...]:
    record, sending = state.record, state.sending
    due = _reasons_of_time(user, state)
    if due or record.user != user:
        return due
    if state.observed:
        return ()
    if record.observed_revision == (record.revision or 0) and record.status == state.wanted:
        if record.revoked and record.observed_hash == grant_hash(user, sending):
            return ("the revocation was not processed yet; reprocessing",)
        through = f"{', '.join(sending.regions)} with {sending.configuration_set}"
        return (f"environment settings changed: the policy now allows {through}",)
    return ("the status was modified manually; reprocessing",)


def _reasons_of_time(user: User, state: RecordState) -> tuple[str, ...]:
    """Changes that are due by time alone."""
    reasons = []
    if state.expired:
        reasons.append("expired: its access key becomes inactive")
    if state.overlap_over:
        reasons.append("the overlap ended: the previous password stops working")
    recorded = state.record.user
    rotated_anyway = recorded is not None and recorded.credential != user.credential
    if state.rotation_due and not rotated_anyway:
        reasons.append(ROTATION_DUE)
    return tuple(reasons)


def _stuck(state: RecordState) -> tuple[str, ...]:
    """For a record that waits for the credential manager."""
    if not state.overdue:
        return ()
    return (f"stuck: {state.record.status} since {state.record.requested_at or 'an unknown time'}",)

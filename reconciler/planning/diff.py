"""Compare what is declared with the rows that exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.policy import Sending
from reconciler.core.record import Record, Status
from reconciler.core.record_state import RecordState
from reconciler.core.user import Declaration, User, spec_hash


@dataclass(frozen=True, slots=True)
class Create:
    declaration: Declaration

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Update:
    """`reasons`: why it is driven again, beside any difference between row and declaration."""

    declaration: Declaration
    record: Record
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over a row that somebody else put there: from now on the manifest decides."""

    declaration: Declaration
    record: Record

    @property
    def name(self) -> str:
        return self.declaration.user.name


@dataclass(frozen=True, slots=True)
class Delete:
    """`reasons`: not empty when the deletion was asked for before and is driven again."""

    record: Record
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.record.name


Change = Create | Adopt | Update | Delete


@dataclass(frozen=True, slots=True)
class Diff:
    """Every name is in exactly one of the first four. All are sorted by name."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()  # their deletion is under way
    foreign: tuple[Record, ...] = ()  # rows that no manifest declares and the reconciler did not write
    revoked: tuple[Record, ...] = ()  # whatever else is said of them: their keys stay inactive


def diff(
    desired: Mapping[str, Declaration], actual: Iterable[Record], mark: str, sending: Sending, now: datetime
) -> Diff:
    """`mark`: what `managed_by` says on rows of ours. Names in `actual` are unique, being sort keys."""
    rows = {record.name: record for record in actual}
    changes: list[Change] = []
    unchanged: list[str] = []
    leaving: list[str] = []
    foreign: list[Record] = []
    for name in sorted(desired.keys() | rows.keys()):
        declaration, record = desired.get(name), rows.get(name)
        if record is None:
            assert declaration  # noqa: S101 - the name came from one of the two
            changes.append(Create(declaration))
        elif record.managed_by != mark:
            if declaration:
                changes.append(Adopt(declaration, record))
            else:
                foreign.append(record)
        elif declaration is None:
            reasons = _reasons_to_delete_again(RecordState.of(record, sending, now))
            if reasons is None:
                leaving.append(name)
            else:
                changes.append(Delete(record, reasons))
        else:
            reasons = _reasons_to_drive_again(declaration.user, RecordState.of(record, sending, now, declaration.user))
            if reasons or record.user != declaration.user:
                changes.append(Update(declaration, record, reasons))
            else:
                unchanged.append(name)
    revoked = tuple(record for _, record in sorted(rows.items()) if record.revoked)
    return Diff(tuple(changes), tuple(unchanged), tuple(leaving), tuple(foreign), revoked)


def _reasons_to_delete_again(state: RecordState) -> tuple[str, ...] | None:
    """None: the deletion is under way. Empty: it is to begin."""
    record = state.record
    if record.status == Status.DELETING:
        return _stuck(state) or None
    if record.status == Status.FAILED and record.failure and record.failure.during == Status.DELETING:
        return (f"its deletion failed: {record.failure.message}",)
    return ()


def _reasons_to_drive_again(user: User, state: RecordState) -> tuple[str, ...]:
    """Why a declared user is driven again although its declaration may not have changed."""
    record = state.record
    if record.spec_hash == spec_hash(user) and record.user != user:
        return ("the row was edited by hand; the declaration is put back",)
    if record.spec_hash != spec_hash(user) and record.user == user:
        return ("the row was edited by hand to this before it was declared",)
    match record.status:
        case Status.FAILED:
            return (f"failed: {record.failure.message}" if record.failure else "failed",)
        case Status.DELETING:
            return ("was being deleted; is made again, with a new credential",)
        case Status.PENDING:
            return _stuck(state)
        case Status.ACTIVE | Status.DISABLED:
            return _reasons_of_settled(user, state)
        case _:
            return (f"its status '{record.status}' means nothing; it is driven again",)


def _reasons_of_settled(user: User, state: RecordState) -> tuple[str, ...]:
    record, sending = state.record, state.sending
    due = _reasons_of_time(user, state)
    if due or record.user != user:
        return due
    if state.observed:
        return ()
    if record.observed_revision == (record.revision or 0) and record.status == state.wanted:
        through = f"{', '.join(sending.regions)} with {sending.configuration_set}"
        return (f"the environment's settings changed: its policy now allows {through}",)
    return ("its status was set by hand; nothing has been checked since",)


def _reasons_of_time(user: User, state: RecordState) -> tuple[str, ...]:
    """What time alone brings about, in the words of who is concerned."""
    reasons = []
    if state.expired:
        reasons.append("has expired: its key becomes inactive")
    if state.overlap_over:
        reasons.append("the overlap is over: the old password ends")
    recorded = state.record.user
    rotated_anyway = recorded is not None and recorded.credential != user.credential
    if state.rotation_due and not rotated_anyway:
        reasons.append("its key is due for rotation: it gets a new password")
    return tuple(reasons)


def _stuck(state: RecordState) -> tuple[str, ...]:
    """Of a row that waits for the credential manager."""
    if not state.overdue:
        return ()
    return (f"stuck: {state.record.status} since {state.record.requested_at or 'an unknown time'}",)

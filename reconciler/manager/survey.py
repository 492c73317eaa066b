"""All records at once: what must be processed first, and what alarms and operators have to know of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.record import Record, Status
from reconciler.core.record_state import has_waited, is_urgent


@dataclass(slots=True)
class Survey:
    """Names of records.

    `revoked`, `overdue`: to be processed at once. `missed`: those of them that have waited for the stream in vain; a
    record with status `failed` was processed. `failed`: also invalid records. `unmanaged`: those that grant something.
    """

    names: set[str] = field(default_factory=set)
    revoked: list[str] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    unmanaged: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record], mark: str, now: datetime) -> Survey:
        """One pass; only names are kept. `mark`: the value of `managed_by` in managed records."""
        survey = cls()
        for record in records:
            survey._add(record, mark, now)
        return survey

    def _add(self, record: Record, mark: str, now: datetime) -> None:
        self.names.add(record.name)
        is_failed = record.status == Status.FAILED
        if is_urgent(record, now):
            (self.revoked if record.revoked else self.overdue).append(record.name)
            if not is_failed and has_waited(record, now):
                self.missed.append(record.name)
        if is_failed or (record.user is None and record.status != Status.DELETING):
            self.failed.add(record.name)
        if record.managed_by != mark and _grants(record, now):
            self.unmanaged.append(record.name)


def _grants(record: Record, now: datetime) -> bool:
    """A record with an unknown status requests nothing."""
    if record.status not in tuple(Status) or record.is_being_deleted or record.revoked:
        return False
    return record.user is not None and record.user.may_send(now)

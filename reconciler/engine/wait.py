"""Wait until the credential manager has processed what was written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.record import AWAITING, Record, Status
from reconciler.ports import RecordWriter

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class UserResult:
    """How the wait for one user ended: a record status, `removed`, `lost` or `timeout`."""

    name: str
    status: str
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status in (Status.ACTIVE, Status.DISABLED, "removed")


def wait_for_users(
    records: RecordWriter,
    revisions: Mapping[str, int],
    deleting: Collection[str],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[UserResult]:
    """Yield each user when it reaches a final status. `revisions`: requested revision by name; `timeout`: seconds.

    `deleting`: users whose record must disappear; for any other user, a record that disappears is a failure.
    If a later run changes a user in the meantime, this waits for that later change.
    """
    waiting = dict(revisions)
    deadline = clock() + timeout
    pause = FIRST_PAUSE
    while waiting:
        found = records.fetch(waiting)
        for name in sorted(waiting):
            if result := _result(name, found.get(name), waiting[name], is_deleting=name in deleting):
                del waiting[name]
                yield result
        if not waiting:
            return
        if clock() >= deadline:
            break
        sleep(min(pause, max(0.0, deadline - clock())))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    for name in sorted(waiting):
        yield UserResult(name, "timeout", f"no final status after {timeout:g} s")


def _result(name: str, record: Record | None, revision: int, *, is_deleting: bool) -> UserResult | None:
    if record is None:
        if is_deleting:
            return UserResult(name, "removed")
        return UserResult(name, "lost", "deleted unexpectedly: the record was removed while waiting")
    if record.status in AWAITING or (record.revision or 0) < revision:
        return None
    if record.status == Status.FAILED:
        return UserResult(name, record.status, record.failure.message if record.failure else "no reason was recorded")
    return UserResult(name, record.status) if (record.observed_revision or 0) >= revision else None

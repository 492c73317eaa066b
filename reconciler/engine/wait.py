"""Wait until the credential manager has processed what was written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.record import AWAITING, Progress, Status
from reconciler.planning.duration import time_left
from reconciler.ports import RecordWriter

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
GROWTH = 1.5  # of the pause, while no user settles
LOOKS = 4  # at the records, in the time that the others need at the rate of the users that settled


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
) -> Iterator[list[UserResult]]:
    """Yield, after each look at the records, the users that have reached a final status since the last look.

    `revisions`: requested revision by name. `timeout`: seconds in which no user reaches one; then the wait ends.
    `deleting`: users whose record must disappear; for any other user, a record that disappears is a failure.
    If a later run changes a user in the meantime, this waits for that later change.
    """
    waiting = dict(sorted(revisions.items()))
    progress_at = clock()
    pause = FIRST_PAUSE
    while waiting:
        settled = _take_settled(waiting, records.progress(waiting), deleting)
        now = clock()
        if settled:
            left = time_left(len(settled), len(waiting), now - progress_at)
            pause = min(max(left / LOOKS, FIRST_PAUSE), LONGEST_PAUSE)
            progress_at = now
        yield settled
        if now >= progress_at + timeout:
            break
        if waiting:
            sleep(min(pause, progress_at + timeout - now))
            pause = min(pause * GROWTH, LONGEST_PAUSE)
    reason = f"no user reached a final status for {timeout:g} s"
    yield [UserResult(name, "timeout", reason) for name in waiting]


def _take_settled(
    waiting: dict[str, int], found: Mapping[str, Progress], deleting: Collection[str]
) -> list[UserResult]:
    """Remove the users with a final status from `waiting`."""
    settled = []
    for name, revision in list(waiting.items()):
        if result := _result(name, found.get(name), revision, is_deleting=name in deleting):
            del waiting[name]
            settled.append(result)
    return settled


def _result(name: str, record: Progress | None, revision: int, *, is_deleting: bool) -> UserResult | None:
    if record is None:
        if is_deleting:
            return UserResult(name, "removed")
        return UserResult(name, "lost", "deleted unexpectedly: the record was removed while waiting")
    if record.status in AWAITING or (record.revision or 0) < revision:
        return None
    if record.status == Status.FAILED:
        return UserResult(name, record.status, record.failure.message if record.failure else "no reason was recorded")
    return UserResult(name, record.status) if (record.observed_revision or 0) >= revision else None

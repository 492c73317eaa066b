"""Wait until the credential manager has dealt with what was written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.record import AWAITING, Record, Status
from reconciler.ports import RecordWriter

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Settled:
    """How one user ended: a status, `removed`, or `timeout`."""

    name: str
    result: str
    reason: str = ""

    @property
    def is_good(self) -> bool:
        return self.result in (Status.ACTIVE, Status.DISABLED, "removed")


def wait_until_settled(
    requests: RecordWriter,
    revisions: Mapping[str, int],
    leaving: Collection[str],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Settled]:
    """Yield each user as it settles. `revisions`: what was asked for, by name; `timeout` in seconds.

    `leaving`: those that shall go; for any other a row that vanishes is no good end.

    A user that a later run asked to change meanwhile is waited for all the same.
    """
    waiting = dict(revisions)
    deadline = clock() + timeout
    pause = FIRST_PAUSE
    while waiting:
        rows = requests.fetch(waiting)
        for name in sorted(waiting):
            if settled := _settled(name, rows.get(name), waiting[name], gone_is_good=name in leaving):
                del waiting[name]
                yield settled
        if not waiting:
            return
        if clock() >= deadline:
            break
        sleep(min(pause, max(0.0, deadline - clock())))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    for name in sorted(waiting):
        yield Settled(name, "timeout", f"not settled after {timeout:g} s")


def _settled(name: str, row: Record | None, revision: int, *, gone_is_good: bool) -> Settled | None:
    if row is None:
        return Settled(name, "removed") if gone_is_good else Settled(name, "lost", "its row was deleted meanwhile")
    if row.status in AWAITING or (row.revision or 0) < revision:
        return None
    if row.status == Status.FAILED:
        return Settled(name, row.status, row.failure.message if row.failure else "no reason was recorded")
    return Settled(name, row.status) if (row.observed_revision or 0) >= revision else None

"""What the sweep does about one user: compare its record with what IAM shows, and process it if they differ."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from reconciler.core.decision import Identity
from reconciler.core.differences import differs, warnings
from reconciler.core.record import AWAITING, Record, Status, parse_timestamp
from reconciler.core.record_state import RecordState, is_urgent
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.manager.sweep_result import SweepResult
from reconciler.ports import IdentityReader, Listing

FRESH = timedelta(seconds=20)  # since a record was settled: IAM may still show the previous state
FULL_CHECK = 50  # rounds: 5 more calls for every 50th user are 0.1 calls per user


@dataclass(frozen=True, slots=True)
class UserChecks:
    """What `reader` returns may be older than a record, so it decides only who is observed again, by `converger`.

    Nothing else is changed or reported. `full_check`: within so many rounds, everything of every user is read once,
    also what IAM returns per user only.
    """

    converger: Converger
    reader: IdentityReader
    now: Callable[[], datetime]
    full_check: int = FULL_CHECK

    def check_each(
        self, records: Sequence[Record], listing: Listing, rounds: int, result: SweepResult
    ) -> Generator[None]:
        """Check one record per iteration. Those that are compared are observed together."""
        now = self.now()
        compared = {record.name for record in records if _is_compared(record, now)}
        names = [record.name for record in records if record.name in compared]
        with closing(self.reader.observe(names, listing, lambda name: self._is_due(name, rounds))) as observed:
            for record in records:
                if record.name in compared:
                    self._compare(record, next(observed)[1], result)
                else:
                    self._check_unobserved(record, listing, result)
                yield

    def _is_due(self, name: str, rounds: int) -> bool:
        """It does not depend on which other users exist, so none is skipped."""
        return crc32(name.encode()) % self.full_check == rounds % self.full_check

    def _compare(self, record: Record, observed: Identity | Exception | None, result: SweepResult) -> None:
        if isinstance(observed, Exception):
            result.checked += 1
            result.add_error(record.name, observed)
        elif differs(RecordState.of(record, self.converger.sending, self.now()), observed):
            self.converge(record.name, result)
        else:
            result.checked += 1
            result.throttled = 0

    def _check_unobserved(self, record: Record, listing: Listing, result: SweepResult) -> None:
        """Young records wait for the stream, failed ones for a retry, unless they are revoked."""
        if is_urgent(record, self.now()):
            self.converge(record.name, result)
        elif record.status == Status.FAILED:
            known = None if listing.identities is None else listing.identities.get(record.name)
            if known is None or warnings(known.attachments):
                self.warn(record.name, result)

    def converge(self, name: str, result: SweepResult) -> None:
        result.checked += 1
        self.run(name, result, lambda: self.converger.converge(name, audit=True))

    def warn(self, name: str, result: SweepResult) -> None:
        """A user that is not changed may still have an active, leaked key."""
        self.run(name, result, lambda: self.converger.warn(name))

    def run(self, name: str, result: SweepResult, check: Callable[[], ConvergeResult]) -> ConvergeResult | None:
        """None: it failed."""
        try:
            done = check()
            result.add(done)
        except Exception as error:  # noqa: BLE001 - one user must not end the round for the others
            result.add_error(name, error)
            return None
        return done


def _is_compared(record: Record, now: datetime) -> bool:
    """It was processed, and IAM shows the result by now."""
    if record.status == Status.FAILED or record.status in AWAITING or is_urgent(record, now):
        return False
    settled = parse_timestamp(record.settled_at)
    return settled is None or abs(now - settled) >= FRESH

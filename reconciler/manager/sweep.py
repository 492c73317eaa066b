"""Hourly full reconciliation: overdue records, drift, what time requires, and IAM users without a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.record import AWAITING, Record, Status, parse_timestamp, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import NAME
from reconciler.errors import THROTTLED, UNREACHABLE, AwsError, Conflict
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.ports import Identities, RecordReader, SweepState, SweepStates

GRACE = timedelta(hours=24)  # of an IAM user without a record, which may have been lost instead of deleted
FRESH = timedelta(seconds=20)  # since a record was settled: IAM may still show the previous state
RESERVE = 180.0  # seconds before the function's timeout in which no user is started; one can take two minutes
MOST_CANDIDATES = 200  # IAM users without a record: if there are more, the table was lost, and none is observed
STEP = 50  # users, after which the position is saved
MAX_CONSECUTIVE_ERRORS = 3  # throttled, or AWS not reachable: then this run ends


class Observer(Protocol):
    """Gets the result of each user at once, because a run can be interrupted."""

    def report(self, result: ConvergeResult) -> None: ...
    def retry(self, name: str, error: AwsError) -> None: ...
    def defect(self, name: str, error: Exception) -> None: ...


@dataclass(slots=True)
class SweepResult:
    """What one run did."""

    observer: Observer
    checked: int = 0
    repaired: int = 0
    quarantined: int = 0
    orphans: int = 0  # found, and not deleted yet
    orphans_removed: int = 0
    orphans_held: int = 0  # their grace period is over, but the safety limit withholds their deletion
    errors: int = 0
    finished: bool = False  # the round: every record was checked
    stopped: str = ""  # why it is not finished
    steps: Counter[str] = field(default_factory=Counter)

    def add(self, result: ConvergeResult) -> None:
        self.repaired += bool(result.differences)
        self.quarantined += bool(result.warnings)
        self.steps.update(result.steps)
        if result.steps or result.differences or result.warnings or result.failure:
            self.observer.report(result)

    def add_error(self, name: str, error: Exception) -> None:
        self.errors += 1
        if isinstance(error, AwsError):
            self.observer.retry(name, error)
        else:
            self.observer.defect(name, error)


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one run.

    `orphans`, `orphan_percent`: if the grace period of more orphans is over, or of a larger share of all managed users,
    or if there is no record at all, no orphan is deleted: the loss of a table must not delete every IAM user.
    `users`: how many users one run may observe, because the whole account shares IAM's throttling.
    """

    orphans: int
    orphan_percent: int
    users: int

    def withholds(self, orphans: int, records: int) -> bool:
        share = 100 * orphans > self.orphan_percent * (orphans + records)
        return orphans > 0 and (records == 0 or orphans > self.orphans or share)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A round checks every record once. It may take several runs; the position is saved in between."""

    converger: Converger
    records: RecordReader
    identities: Identities
    states: SweepStates
    budget: Budget
    now: Callable[[], datetime]

    def run(self, remaining: Callable[[], float], observer: Observer) -> SweepResult:
        """`remaining`: seconds until the function's timeout. Raises AwsError if the table cannot be read or written.

        One run completes a round, unless `SweepResult.stopped` has a reason.
        """
        result = SweepResult(observer)
        try:
            state = self._sweep_orphans(self.states.load(), result, remaining)
            self._sweep_records(state, result, remaining)
        except Conflict:
            result.stopped = "another sweep is running"
        return result

    def _sweep_records(self, state: SweepState, result: SweepResult, remaining: Callable[[], float]) -> None:
        errors = 0
        for seen, record in enumerate(self.records.records(state.position), start=1):
            error = self._check(record, result)
            errors = errors + 1 if isinstance(error, AwsError) and error.code in THROTTLED | UNREACHABLE else 0
            state = replace(state, position=record.name)
            result.stopped = self._reason_to_stop(result, errors, remaining())
            if result.stopped:
                self.states.save(state)
                return
            if seen % STEP == 0:
                state = self.states.save(state)
        self.states.save(replace(state, position=""))
        result.finished = True

    def _reason_to_stop(self, result: SweepResult, errors: int, remaining: float) -> str:
        if errors >= MAX_CONSECUTIVE_ERRORS:
            return "IAM is throttled or cannot be reached"
        if remaining < RESERVE:
            return "out of time"
        return "limit of users per run" if result.checked >= self.budget.users else ""

    def _check(self, record: Record, result: SweepResult) -> Exception | None:
        """Young records wait for the stream, failed ones for a retry, unless they are revoked."""
        if record.status in AWAITING:
            if not RecordState.of(record, self.converger.sending, self.now()).overdue:
                return None
        elif record.status == Status.FAILED and not record.revoked:
            return self._check_warnings(record.name, result)
        elif (settled := parse_timestamp(record.settled_at)) and abs(self.now() - settled) < FRESH:
            return None
        result.checked += 1
        return self._run(record.name, result, lambda: self.converger.converge(record.name, audit=True))

    def _check_warnings(self, name: str, result: SweepResult) -> Exception | None:
        """A user that is not changed may still have an active, leaked key."""
        return self._run(name, result, lambda: self.converger.warn(name))

    def _run(self, name: str, result: SweepResult, check: Callable[[], ConvergeResult]) -> Exception | None:
        try:
            result.add(check())
        except Exception as error:  # noqa: BLE001 - one user must not end the round for the others
            result.add_error(name, error)
            return error
        return None

    def _sweep_orphans(self, state: SweepState, result: SweepResult, remaining: Callable[[], float]) -> SweepState:
        """Remember managed IAM users without a record, and delete those whose grace period is over."""
        try:
            candidates, records = self._find_candidates()
            if len(candidates) > MOST_CANDIDATES:
                result.orphans = result.orphans_held = len(candidates)
                return state
            orphans = [name for name in candidates if (found := self.identities.observe(name)) and found.owned]
        except AwsError as error:
            result.add_error("", error)
            return state
        now = self.now()
        since = {name: _first_seen(state, name, now) for name in orphans}
        over = {name for name, seen in since.items() if now - seen >= GRACE}
        if self.budget.withholds(len(over), records):
            result.orphans_held = len(over)
            over = set()
        for name in orphans:
            if remaining() < RESERVE:
                break
            if name not in over:
                self._check_warnings(name, result)
            elif self._tear_down(name, result):
                del since[name]
        result.orphans = len(since)
        remembered = {name: timestamp(seen) for name, seen in since.items()}
        return self.states.save(replace(state, orphans=remembered)) if remembered != state.orphans else state

    def _tear_down(self, name: str, result: SweepResult) -> bool:
        """The record is read once more: if it exists again, the user is restored. False: try again."""
        results: list[str] = []

        def converge() -> ConvergeResult:
            converged = self.converger.converge(name, audit=True)
            results.append(converged.result)
            return converged

        done = self._run(name, result, converge) is None
        result.orphans_removed += "removed" in results
        return done

    def _find_candidates(self) -> tuple[list[str], int]:
        """Names under our path without a record, and the number of records.

        IAM is listed before the records: a user that is just being created already has its record.
        """
        listed = self.identities.smtp_user_names()
        known = self.records.record_names()
        return sorted(filter(NAME.fullmatch, set(listed) - known)), len(known)  # others are not managed


def _first_seen(state: SweepState, name: str, now: datetime) -> datetime:
    """An invalid time counts as now."""
    seen = parse_timestamp(state.orphans.get(name, ""))
    return seen if seen is not None and seen <= now else now

"""The scheduled look at everything: overdue rows, drift, what time has made due, and IAM users without a row."""

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

GRACE = timedelta(hours=24)  # for an IAM user without a row: the row may have been lost instead of deleted
FRESH = timedelta(seconds=20)  # since a user settled: IAM may still show it as it was before
RESERVE = 180.0  # seconds of the function's time in which no user is begun any more; one can take two minutes
MOST_CANDIDATES = 200  # IAM users without a row: more of them are not even looked at, a table has been lost
STEP = 50  # users, after which the position is saved
TROUBLE_IN_A_ROW = 3  # throttled, or AWS not reached: then this run ends


class Observer(Protocol):
    """Is told of every user as it was looked at: a run may be cut off."""

    def report(self, report: ConvergeResult) -> None: ...
    def retry(self, name: str, error: AwsError) -> None: ...
    def defect(self, name: str, error: Exception) -> None: ...


@dataclass(slots=True)
class SweepResult:
    """What one run did. The observer is told as it goes."""

    observer: Observer
    checked: int = 0
    repaired: int = 0
    quarantined: int = 0
    orphans: int = 0  # seen, and not torn down yet
    orphans_removed: int = 0
    orphans_held: int = 0  # past their grace time, but too many to be true
    errors: int = 0
    finished: bool = False  # the round: every row was looked at
    stopped: str = ""  # why it is not finished
    steps: Counter[str] = field(default_factory=Counter)

    def add(self, report: ConvergeResult) -> None:
        self.repaired += bool(report.differences)
        self.quarantined += bool(report.warnings)
        self.steps.update(report.steps)
        if report.steps or report.differences or report.warnings or report.failure:
            self.observer.report(report)

    def add_error(self, name: str, error: Exception) -> None:
        self.errors += 1
        if isinstance(error, AwsError):
            self.observer.retry(name, error)
        else:
            self.observer.defect(name, error)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one run may do.

    `orphans`, `orphan_percent`: if more IAM users without a row are past their grace time, or a larger share of all of
    ours, or if there is no row at all, none is torn down: a table that was lost must not take every IAM user with it.
    `users`: what one run may ask of IAM, whose throttling the whole account shares.
    """

    orphans: int
    orphan_percent: int
    users: int

    def holds(self, orphans: int, rows: int) -> bool:
        share = 100 * orphans > self.orphan_percent * (orphans + rows)
        return orphans > 0 and (rows == 0 or orphans > self.orphans or share)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A round looks at every row once. It may take several runs: the position is saved as it goes."""

    converger: Converger
    records: RecordReader
    identities: Identities
    states: SweepStates
    budget: Budget
    now: Callable[[], datetime]

    def run(self, remaining: Callable[[], float], observer: Observer) -> SweepResult:
        """`remaining`: seconds that the function has left. Raises AwsError where the table cannot be read or written.

        One run is enough for a round, unless `SweepResult.stopped` says why not.
        """
        summary = SweepResult(observer)
        try:
            state = self._sweep_orphans(self.states.load(), summary, remaining)
            self._sweep_rows(state, summary, remaining)
        except Conflict:
            summary.stopped = "another sweep is at it"
        return summary

    def _sweep_rows(self, state: SweepState, summary: SweepResult, remaining: Callable[[], float]) -> None:
        trouble = 0
        for seen, record in enumerate(self.records.records(state.position), start=1):
            error = self._look_at(record, summary)
            trouble = trouble + 1 if isinstance(error, AwsError) and error.code in THROTTLED | UNREACHABLE else 0
            state = replace(state, position=record.name)
            summary.stopped = self._reason_to_stop(summary, trouble, remaining())
            if summary.stopped:
                self.states.save(state)
                return
            if seen % STEP == 0:
                state = self.states.save(state)
        self.states.save(replace(state, position=""))
        summary.finished = True

    def _reason_to_stop(self, summary: SweepResult, trouble: int, remaining: float) -> str:
        if trouble >= TROUBLE_IN_A_ROW:
            return "IAM throttles, or is not reached"
        if remaining < RESERVE:
            return "out of time"
        return "budget of this run used up" if summary.checked >= self.budget.users else ""

    def _look_at(self, record: Record, summary: SweepResult) -> Exception | None:
        """Young rows wait for the stream, failed ones for a person, unless they are revoked."""
        if record.status in AWAITING:
            if not RecordState.of(record, self.converger.sending, self.now()).overdue:
                return None
        elif record.status == Status.FAILED and not record.revoked:
            return self._look_for_warnings(record.name, summary)
        elif (settled := parse_timestamp(record.settled_at)) and abs(self.now() - settled) < FRESH:
            return None
        summary.checked += 1
        return self._do(record.name, summary, lambda: self.converger.converge(record.name, audit=True))

    def _look_for_warnings(self, name: str, summary: SweepResult) -> Exception | None:
        """Of a user that nothing is done about: its key may work, and may have leaked."""
        return self._do(name, summary, lambda: self.converger.warn(name))

    def _do(self, name: str, summary: SweepResult, look: Callable[[], ConvergeResult]) -> Exception | None:
        try:
            summary.add(look())
        except Exception as error:  # noqa: BLE001 - one user must not end the round for all behind it
            summary.add_error(name, error)
            return error
        return None

    def _sweep_orphans(self, state: SweepState, summary: SweepResult, remaining: Callable[[], float]) -> SweepState:
        """Remember IAM users of ours that no row knows, and tear down those whose grace time is over."""
        try:
            candidates, rows = self._find_candidates()
            if len(candidates) > MOST_CANDIDATES:
                summary.orphans = summary.orphans_held = len(candidates)
                return state
            orphans = [name for name in candidates if (found := self.identities.observe(name)) and found.owned]
        except AwsError as error:
            summary.add_error("", error)
            return state
        now = self.now()
        since = {name: _first_seen(state, name, now) for name in orphans}
        over = {name for name, seen in since.items() if now - seen >= GRACE}
        if self.budget.holds(len(over), rows):
            summary.orphans_held = len(over)
            over = set()
        for name in orphans:
            if remaining() < RESERVE:
                break
            if name not in over:
                self._look_for_warnings(name, summary)
            elif self._tear_down(name, summary):
                del since[name]
        summary.orphans = len(since)
        remembered = {name: timestamp(seen) for name, seen in since.items()}
        return self.states.save(replace(state, orphans=remembered)) if remembered != state.orphans else state

    def _tear_down(self, name: str, summary: SweepResult) -> bool:
        """The row is read once more: where it has come back, the user is made as it says. False: try again."""
        results: list[str] = []

        def converge() -> ConvergeResult:
            report = self.converger.converge(name, audit=True)
            results.append(report.result)
            return report

        done = self._do(name, summary, converge) is None
        summary.orphans_removed += "removed" in results
        return done

    def _find_candidates(self) -> tuple[list[str], int]:
        """Names under our path without a row, and how many rows there are.

        IAM is listed before the rows: a user that is just being made has had its row for longer.
        """
        listed = self.identities.smtp_user_names()
        known = self.records.record_names()
        return sorted(filter(NAME.fullmatch, set(listed) - known)), len(known)  # no other name was ever made by us


def _first_seen(state: SweepState, name: str, now: datetime) -> datetime:
    """What cannot be, because somebody has garbled it, counts as seen now."""
    seen = parse_timestamp(state.orphans.get(name, ""))
    return seen if seen is not None and seen <= now else now

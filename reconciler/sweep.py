"""The scheduled look at everything: overdue rows, drift, what time has made due, and IAM users without a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.aws import THROTTLED
from reconciler.converge import Converger, Report
from reconciler.core.record import AWAITING, Record, Status, parse_timestamp, timestamp
from reconciler.core.settled import is_overdue
from reconciler.core.user import NAME
from reconciler.errors import AwsError, Conflict
from reconciler.ports import Identities, Listing, SweepState, SweepStates

GRACE = timedelta(hours=24)  # for an IAM user without a row: the row may have been lost instead of deleted
RESERVE = 60.0  # seconds of the function's time in which no user is begun any more
MOST_CANDIDATES = 200  # IAM users without a row: more of them are not even looked at, a table has been lost
STEP = 50  # users, after which the position is saved
THROTTLED_IN_A_ROW = 3  # then IAM needs a rest: this run ends


@dataclass(slots=True)
class Summary:
    """What one run did. `reports`: of every user at which there was something to do or to say."""

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
    reports: list[Report] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)

    def add(self, report: Report) -> None:
        self.repaired += bool(report.differences)
        self.quarantined += bool(report.warnings)
        self.steps.update(report.steps)
        if report.steps or report.differences or report.warnings or report.failure:
            self.reports.append(report)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A round looks at every row once. It may take several runs: the position is saved as it goes.

    `max_orphans`: if more of them are past their grace time, none is torn down: a table that was lost or restored must
    not take every IAM user with it. `users_per_run`: what one run may ask of IAM, whose throttling the whole account
    shares.
    """

    converger: Converger
    rows: Listing
    identities: Identities
    states: SweepStates
    max_orphans: int
    users_per_run: int
    now: Callable[[], datetime]

    def run(self, remaining: Callable[[], float]) -> Summary:
        """`remaining`: seconds that the function has left. Raises AwsError where the table cannot be read or written.

        One run is enough for a round, unless `Summary.stopped` says why not.
        """
        summary = Summary()
        try:
            state = self._sweep_orphans(self.states.load(), summary)
            self._sweep_rows(state, summary, remaining)
        except Conflict:
            summary.stopped = "another sweep is at it"
        return summary

    def _sweep_rows(self, state: SweepState, summary: Summary, remaining: Callable[[], float]) -> None:
        throttled = 0
        for seen, record in enumerate(self.rows.records(state.position), start=1):
            error = self._look_at(record, summary)
            throttled = throttled + 1 if isinstance(error, AwsError) and error.code in THROTTLED else 0
            state = replace(state, position=record.name)
            summary.stopped = self._reason_to_stop(summary, throttled, remaining())
            if summary.stopped:
                self.states.save(state)
                return
            if seen % STEP == 0:
                state = self.states.save(state)
        self.states.save(replace(state, position=""))
        summary.finished = True

    def _reason_to_stop(self, summary: Summary, throttled: int, remaining: float) -> str:
        if throttled >= THROTTLED_IN_A_ROW:
            return "IAM throttles"
        if remaining < RESERVE:
            return "out of time"
        return "budget of this run used up" if summary.checked >= self.users_per_run else ""

    def _look_at(self, record: Record, summary: Summary) -> Exception | None:
        """Failed rows wait for a person, but not those that are revoked; young ones wait for the stream."""
        if record.status == Status.FAILED and not record.revoked:
            return None
        if record.status in AWAITING and not is_overdue(record, self.now()):
            return None
        summary.checked += 1
        return self._converge(record.name, summary)

    def _converge(self, name: str, summary: Summary) -> Exception | None:
        try:
            summary.add(self.converger.converge(name, audit=True))
        except Exception as error:  # noqa: BLE001 - one user must not end the round for all behind it
            summary.errors += 1
            summary.failures.append((name, error))
            return error
        return None

    def _sweep_orphans(self, state: SweepState, summary: Summary) -> SweepState:
        """Remember IAM users of ours that no row knows, and tear down those whose grace time is over."""
        try:
            candidates = self._find_candidates()
            if len(candidates) > MOST_CANDIDATES:
                summary.orphans = summary.orphans_held = len(candidates)
                return state
            orphans = [name for name in candidates if (found := self.identities.observe(name)) and found.owned]
        except AwsError as error:
            summary.errors += 1
            summary.failures.append(("", error))
            return state
        now = self.now()
        since = {name: _first_seen(state, name, now) for name in orphans}
        over = [name for name, seen in since.items() if now - seen >= GRACE]
        if len(over) > self.max_orphans:
            summary.orphans_held = len(over)
            over = []
        for name in over:
            if self._converge(name, summary) is None:
                del since[name]
        summary.orphans_removed = sum(report.result == "removed" for report in summary.reports)
        summary.orphans = len(since)
        remembered = {name: timestamp(seen) for name, seen in since.items()}
        return self.states.save(replace(state, orphans=remembered)) if remembered != state.orphans else state

    def _find_candidates(self) -> list[str]:
        """Names under our path without a row.

        IAM is listed before the rows: a user that is just being made has had its row for longer.
        """
        listed = self.identities.names()
        known = self.rows.names()
        return sorted(filter(NAME.fullmatch, set(listed) - known))  # no other name was ever made by us


def _first_seen(state: SweepState, name: str, now: datetime) -> datetime:
    """What cannot be, because somebody has garbled it, counts as seen now."""
    seen = parse_timestamp(state.orphans.get(name, ""))
    return seen if seen is not None and seen <= now else now

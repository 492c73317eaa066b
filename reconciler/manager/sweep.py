"""Hourly full reconciliation: revoked and overdue records, drift, what time requires, IAM users without a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from reconciler.core.ownership import iam_user_name, smtp_user_name
from reconciler.core.record import Record, manager_tag, parse_timestamp, timestamp
from reconciler.core.user import NAME
from reconciler.errors import AwsError, Conflict
from reconciler.manager.health import Health
from reconciler.manager.survey import Survey
from reconciler.manager.sweep_result import Observer, SweepResult
from reconciler.manager.user_checks import UserChecks
from reconciler.ports import Identities, Listing, RecordReader, SweepState, SweepStates

GRACE = timedelta(hours=24)  # of an IAM user without a record, which may have been lost instead of deleted
RESERVE = 180.0  # seconds before the function's timeout in which no user is started; one can take two minutes
MOST_CANDIDATES = 200  # IAM users without a record: if there are more, the table was lost, and none is observed
STEP = 50  # users that are observed together, after which the position is saved
THROTTLED = "IAM is throttled or cannot be reached"
MAX_CONSECUTIVE_ERRORS = 3  # throttled, or AWS not reachable: then this run ends


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one run.

    `orphans`, `orphan_percent`: if the grace period of more orphans is over, or of a larger share of all managed users,
    or if there is no record at all, no orphan is deleted: the loss of a table must not delete every IAM user.
    `users`: how many users one run may check, because the whole account shares IAM's throttling.
    """

    orphans: int
    orphan_percent: int
    users: int

    def withholds(self, orphans: int, records: int) -> bool:
        share = 100 * orphans > self.orphan_percent * (orphans + records)
        return orphans > 0 and (records == 0 or orphans > self.orphans or share)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A round checks every record once. It may take several runs; the position is saved in between.

    Each run first processes what cannot wait for the round, wherever its position is. What IAM returns of all users at
    once may be older than a record. So it only decides who is observed again, by `converge`, which alone changes and
    reports.
    """

    checks: UserChecks
    records: RecordReader
    identities: Identities
    states: SweepStates
    health: Health
    budget: Budget
    now: Callable[[], datetime]

    def run(self, remaining: Callable[[], float], observer: Observer) -> SweepResult:
        """`remaining`: seconds until the function's timeout. Raises AwsError if the table cannot be read or written.

        One run completes a round, unless `SweepResult.stopped` has a reason.
        """
        result = SweepResult(observer)
        state = self.states.load()
        result.orphans = len(state.orphans)
        # IAM is listed before the records: a user that is just being created already has its record.
        listing = self._list_users(result)
        survey = Survey.of(self.records.records(), manager_tag(self.checks.converger.environment), self.now())
        result.failed, result.missed, result.unmanaged = survey.failed, survey.missed, survey.unmanaged
        processed = self._process_urgent(survey, result, remaining)
        self.health.check(result)
        if result.throttled >= MAX_CONSECUTIVE_ERRORS:
            result.stopped = THROTTLED
            return result
        try:
            state = self._sweep_orphans(listing, survey.names, state, result, remaining)
            self._sweep_records(listing or Listing(()), state, processed, result, remaining)
        except Conflict:
            result.stopped = "another sweep is running"
        return result

    def _process_urgent(self, survey: Survey, result: SweepResult, remaining: Callable[[], float]) -> set[str]:
        """Returns the names that were processed.

        At most half of the run, so that users for which this fails each time cannot stop the round.
        """
        processed: set[str] = set()
        names = [*survey.revoked, *survey.overdue][: self.budget.users // 2]
        half = RESERVE + (remaining() - RESERVE) / 2 if names else 0.0
        for name in names:
            self.checks.converge(name, result)
            processed.add(name)
            if result.throttled >= MAX_CONSECUTIVE_ERRORS or remaining() < half:
                break
        return processed

    def _sweep_records(
        self,
        listing: Listing,
        state: SweepState,
        processed: set[str],
        result: SweepResult,
        remaining: Callable[[], float],
    ) -> None:
        for records in _batches(self.records.records(state.position, sealed=True)):
            due = [record for record in records if record.name not in processed]
            with closing(self.checks.check_each(due, listing, state.rounds, result)) as checked:
                for record in records:
                    if record.name not in processed:
                        next(checked)
                    state = replace(state, position=record.name)
                    result.stopped = self._reason_to_stop(result, remaining())
                    if result.stopped:
                        self.states.save(state)
                        return
            if len(records) == STEP:
                state = self.states.save(state)
        self.states.save(replace(state, position="", rounds=state.rounds + 1))
        result.finished = True

    def _reason_to_stop(self, result: SweepResult, remaining: float) -> str:
        if result.throttled >= MAX_CONSECUTIVE_ERRORS:
            return THROTTLED
        if remaining < RESERVE:
            return "out of time"
        return "limit of users per run" if result.checked >= self.budget.users else ""

    def _list_users(self, result: SweepResult) -> Listing | None:
        """None if IAM does not return them."""
        try:
            return self.checks.reader.read()
        except AwsError as error:
            result.add_error("", error)
            return None

    def _sweep_orphans(
        self,
        listing: Listing | None,
        known: set[str],
        state: SweepState,
        result: SweepResult,
        remaining: Callable[[], float],
    ) -> SweepState:
        """Remember managed IAM users without a record, and delete those whose grace period is over."""
        if listing is None:
            return state
        candidates = self._find_candidates(listing.users, known, result)
        if len(candidates) > MOST_CANDIDATES:
            result.orphans = result.orphans_held = len(candidates)
            return state
        try:
            orphans = [name for name in candidates if self._is_orphan(name, result)]
        except AwsError as error:
            result.add_error("", error)
            return state
        now = self.now()
        since = {name: _first_seen(state, name, now) for name in orphans}
        over = {name for name, seen in since.items() if now - seen >= GRACE}
        if self.budget.withholds(len(over), len(known)):
            result.orphans_held = len(over)
            over = set()
        for name in orphans:
            if remaining() < RESERVE:
                break
            if name not in over:
                self.checks.warn(name, result)
            elif self._tear_down(name, result):
                del since[name]
        result.orphans = len(since)
        remembered = {name: timestamp(seen) for name, seen in since.items()}
        return self.states.save(replace(state, orphans=remembered)) if remembered != state.orphans else state

    def _find_candidates(self, listed: Iterable[str], known: set[str], result: SweepResult) -> list[str]:
        """IAM users without a record. Those whose names no SMTP user can have are unmanaged."""
        names = {iam_user: smtp_user_name(self.checks.converger.environment, iam_user) for iam_user in listed}
        result.unmanaged += sorted(iam_user for iam_user, name in names.items() if not NAME.fullmatch(name or ""))
        return sorted(name for name in names.values() if name and NAME.fullmatch(name) and name not in known)

    def _is_orphan(self, name: str, result: SweepResult) -> bool:
        found = self.identities.observe(name)
        if found and not found.owned:
            result.unmanaged.append(iam_user_name(self.checks.converger.environment, name))
        return found is not None and found.owned

    def _tear_down(self, name: str, result: SweepResult) -> bool:
        """The record is read once more: if it exists again, the user is restored. False: try again."""
        done = self.checks.run(name, result, lambda: self.checks.converger.converge(name, audit=True))
        result.orphans_removed += done is not None and done.result == "removed"
        return done is not None


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, STEP)):
        yield batch


def _first_seen(state: SweepState, name: str, now: datetime) -> datetime:
    """An invalid time counts as now."""
    seen = parse_timestamp(state.orphans.get(name, ""))
    return seen if seen is not None and seen <= now else now

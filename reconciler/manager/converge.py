"""Converge one SMTP user: observe, decide, perform. Every change of a user happens here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core import policy
from reconciler.core.arn import iam_arn
from reconciler.core.decision import (
    Decision,
    Fail,
    Identity,
    NoOp,
    RemoveRecord,
    Requeue,
    Settle,
)
from reconciler.core.differences import find_differences, find_memberships, warnings
from reconciler.core.lifecycle import decide, decide_unobserved
from reconciler.core.ownership import iam_path, iam_user_name
from reconciler.core.policy import Sending
from reconciler.core.record import AWAITING, Failure, Record, Status, parse_timestamp, timestamp
from reconciler.core.record_state import RecordState, processed_hash
from reconciler.core.text import clip
from reconciler.core.user import NAME
from reconciler.errors import ABSENT, AwsError, Conflict, Denied, Retryable, Terminal
from reconciler.manager.perform import Performer
from reconciler.ports import Identities, IssuedKey, ManagerRecords, SettledState, Vault

PROPAGATION = timedelta(minutes=1)
KEPT_INACTIVE = timedelta(days=1)  # a previous key: a forgotten client shows up before the key is deleted for good
LONGEST_MESSAGE = 2000  # characters of a failure in the record
ATTEMPTS = 3  # while the record is modified concurrently; after that, it is retried later


@dataclass(frozen=True, slots=True)
class ConvergeResult:
    """What one call did, for logs and metrics. `steps`: their names, in order."""

    name: str
    result: str  # active, disabled, failed, removed, unchanged
    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # of the steps
    differences: tuple[str, ...] = ()  # what an audit found changed
    warnings: tuple[str, ...] = ()  # what requires manual action
    correlation_id: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Converger:
    environment: str
    sending: Sending
    records: ManagerRecords
    identities: Identities
    vault: Vault
    now: Callable[[], datetime]

    def converge(self, name: str, *, attempt: int = 1, audit: bool = False) -> ConvergeResult:
        """Make IAM match the record, and store the result in the record.

        `attempt`: how often this was tried, for the record. `audit`: observe IAM fully, even if the record is settled.

        Raises Retryable when a later attempt may succeed. What no retry can help ends as status `failed` in the record;
        Terminal is raised only when no record waits for the result, or when it cannot be written.
        """
        correlation_id = ""
        for turn in range(ATTEMPTS):
            state = self._read(name)
            correlation_id = state.record.correlation_id if state else ""
            # Only the first turn may skip IAM: a lost race may have deleted the winner's key.
            if state and _is_done(state, shortcut=turn == 0 and not audit):
                return ConvergeResult(name, "unchanged", correlation_id=correlation_id)
            try:
                return self._attempt(name, state, attempt, audit=audit, lost_race=turn > 0)
            except Conflict:
                continue
            except AwsError as error:
                raise error.during(correlation_id) from error
        raise Conflict.of(name, correlation_id=correlation_id)

    def warn(self, name: str) -> ConvergeResult:
        """Check for what requires manual action, and change nothing."""
        try:
            attached = self.identities.attached(name) if NAME.fullmatch(name) else ()
        except Retryable as error:
            if error.code != ABSENT:
                raise
            attached = ()
        return ConvergeResult(name, "unchanged", warnings=warnings(attached))

    def give_up(self, name: str, error: Exception, attempt: int) -> ConvergeResult | None:
        """After the last attempt: a record that waits for the result becomes `failed`. None when no record waits."""
        record = self.records.get(name)
        if record is None or record.status not in AWAITING:
            return None
        if not isinstance(error, AwsError):
            return self._fail(record, "InternalError", type(error).__name__, attempt)
        if error.correlation_id != record.correlation_id:
            return None  # requested again meanwhile, and not attempted yet
        return self._fail(record, error.code, f"{error.operation}: {error.reason}", attempt)

    def _read(self, name: str) -> RecordState | None:
        record = self.records.get(name)
        return RecordState.of(record, self.sending, self.now()) if record else None

    def _attempt(
        self, name: str, state: RecordState | None, attempt: int, *, audit: bool, lost_race: bool
    ) -> ConvergeResult:
        record = state.record if state else None
        try:
            if state and not (audit or lost_race) and (decision := decide_unobserved(state)):
                return self._perform(name, record, decision, attempt)
            # An invalid name can never have had a managed IAM user.
            observe = self.identities.audit if audit else self.identities.observe
            identity = observe(name) if NAME.fullmatch(name) else None
            decision = decide(state, identity, lost_race=lost_race)
            if identity and not audit and decision.activates_key:
                identity = replace(identity, attachments=self.identities.attached(name))
                decision = decide(state, identity, lost_race=lost_race)
            if state and (audit or state.record.status == Status.FAILED) and state.record.status not in AWAITING:
                return self._repair(state, identity, decision, attempt)
            return self._perform(name, record, decision, attempt)
        except Terminal as error:
            if record is None or not (record.status in AWAITING or record.revoked):
                raise  # no record waits for the result, and a user that works is not marked as failed
            if isinstance(error, Denied) and self._is_premature(error, record):
                raise Retryable(error.operation, error.code, error.reason) from None
            message = f"{error.operation} was refused: {error.reason}"
            return self._fail(record, error.code, message, attempt, written=record.status == Status.FAILED)

    def _repair(
        self, state: RecordState, identity: Identity | None, decision: Decision, attempt: int
    ) -> ConvergeResult:
        """Repair what differs from the record. Writes nothing when nothing differs."""
        record, end = state.record, decision.end
        failed = isinstance(end, Fail)
        stores = isinstance(end, Settle) and end != Settle(end.status)
        differs = record.status != Status.FAILED if failed else stores or not state.settled
        result = ConvergeResult(record.name, "unchanged", correlation_id=record.correlation_id)
        if decision.steps or differs:
            result = self._perform(record.name, record, decision, attempt)
        attachments = identity.attachments if identity else ()
        found = () if failed else find_differences(decision)
        found += find_memberships(iam_user_name(self.environment, record.name), attachments)
        return replace(
            result,
            differences=tuple(difference.description for difference in found),
            warnings=warnings(attachments),
        )

    def _is_premature(self, error: Denied, record: Record) -> bool:
        """Permissions and users take a moment to propagate in IAM; until then a denial is not final."""
        moments = (parse_timestamp(record.requested_at), error.user_created_at)
        return any(abs(self.now() - moment) < PROPAGATION for moment in moments if moment)

    def _perform(self, name: str, record: Record | None, decision: Decision, attempt: int) -> ConvergeResult:
        if record and record.status != Status.DELETING and decision.deletes_unknown_key(record):
            self._check_unchanged(name, record)
        performer = Performer(self.identities, self.vault, self.sending.regions, self.now)
        issued: IssuedKey | None = None
        for step in decision.steps:
            issued = performer.perform(name, step) or issued
        result = ConvergeResult(
            name,
            "unchanged",
            steps=tuple(type(step).__name__ for step in decision.steps),
            reasons=tuple(reason.text for reason in decision.reasons),
            correlation_id=record.correlation_id if record else "",
        )
        match decision.end:
            case Settle() as settle if record:
                self._settle(record, self._settled_state(record, settle, issued))
                return replace(result, result=settle.status.value)
            case RemoveRecord() if record:
                self.records.remove(record)
                return replace(result, result="removed")
            case Requeue(reason):
                raise Retryable("iam:ListAccessKeys", "NotYetVisible", reason)
            case Fail(code, message) if record:
                failed = self._fail(record, code, message, attempt)
                return replace(failed, steps=result.steps, reasons=result.reasons)
            case NoOp() if decision.steps:
                return replace(result, result="removed")
        return result

    def _check_unchanged(self, name: str, record: Record) -> None:
        """An unknown key may be one that another delivery has just stored."""
        current = self.records.get(name)
        if current is None or current.lock != record.lock:
            raise Conflict.of(name)

    def _settled_state(self, record: Record, settle: Settle, issued: IssuedKey | None) -> SettledState:
        user, region = iam_user_name(self.environment, record.name), self.sending.regions[0]
        return SettledState(
            status=settle.status,
            observed_hash=processed_hash(record, record.user, self.sending) if record.user else "",
            policy_hash=policy.document_hash(policy.build(record.user, self.sending)) if record.user else "",
            settled_at=timestamp(self.now()) if settle.observed else record.settled_at,
            iam_user_name=user,
            iam_user_arn=iam_arn(region, self.sending.account_id, f"user{iam_path(self.environment)}{user}"),
            issued=issued,
            forget_previous=settle.forget_previous,
            previous_deletes_at=timestamp(self.now() + KEPT_INACTIVE) if settle.retire_previous else "",
        )

    def _settle(self, record: Record, settled: SettledState) -> None:
        """A key that could not be stored is deleted again.

        If only the answer was lost, the write may still succeed: then the next delivery finds the key stored, or
        unknown.
        """
        try:
            self.records.settle(record, settled)
        except (Conflict, Terminal):
            if settled.issued is None:
                raise
            current = self.records.get(record.name)
            if current and current.smtp_username == settled.issued.id:
                return
            self.identities.delete_key(record.name, settled.issued.id)
            raise

    def _fail(self, record: Record, code: str, message: str, attempt: int, *, written: bool = False) -> ConvergeResult:
        """`written`: the record says so already; writing it again would only trigger the next attempt."""
        during = record.failure.during if record.status == Status.FAILED and record.failure else record.status
        failure = Failure(code, clip(message, LONGEST_MESSAGE), timestamp(self.now()), attempt, during=during)
        if not written:
            self.records.fail(record, failure)
        return ConvergeResult(record.name, "failed", correlation_id=record.correlation_id, failure=failure)


def _is_done(state: RecordState, *, shortcut: bool) -> bool:
    if state.record.status == Status.FAILED:
        return state.settled  # it waits for a retry; but a revocation must be carried out
    return shortcut and state.settled

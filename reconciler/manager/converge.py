"""Converge one SMTP user: observe, decide, perform. Everything that happens to a user happens here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.decision import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Detach,
    Fail,
    Identity,
    IssueKey,
    NoOp,
    PutPolicy,
    RemoveRecord,
    RepairUser,
    Requeue,
    SetKey,
    Settle,
    Step,
)
from reconciler.core.differences import find_differences, warnings
from reconciler.core.lifecycle import decide
from reconciler.core.ownership import iam_path, iam_user_name
from reconciler.core.policy import Sending, grant_hash, partition
from reconciler.core.record import AWAITING, Failure, Record, Status, parse_timestamp, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.smtp import smtp_password
from reconciler.core.user import NAME
from reconciler.errors import ABSENT, DENIED, AwsError, Conflict, Retryable, Terminal
from reconciler.ports import Credentials, Identities, IssuedKey, ManagerRecords, SettledState, Vault

PROPAGATION = timedelta(minutes=1)
KEPT_INACTIVE = timedelta(days=1)  # a previous key: a client that was forgotten shows before it is gone for good
ATTEMPTS = 3  # at a row that keeps changing under our hands; then the stream brings it again


@dataclass(frozen=True, slots=True)
class ConvergeResult:
    """What one call did, for logs and metrics: step names in order, and how it ended."""

    name: str
    result: str  # active, disabled, failed, removed, unchanged
    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # why these steps
    differences: tuple[str, ...] = ()  # what an audit found changed by hand
    warnings: tuple[str, ...] = ()  # and what of it only a person can put right
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
        """Make IAM what the row asks for, and the row say so.

        `attempt`: how often this was tried, for the record. `audit`: look at IAM closely although the row is settled.

        Raises Retryable when a later try may do better. What no retry can help ends as status `failed` in the row;
        Terminal is raised only when no row waits for the answer, or it cannot be written.
        """
        record = None
        for turn in range(ATTEMPTS):
            record = self.records.get(name)
            state = RecordState.of(record, self.sending, self.now()) if record else None
            # Only at first sight: who has lost a race may have deleted the winner's key, so it looks at IAM again.
            shortcut = turn == 0 and not audit
            if state and _is_done(state, shortcut=shortcut, audit=audit):
                return ConvergeResult(name, "unchanged", correlation_id=state.record.correlation_id)
            try:
                return self._attempt(name, state, attempt, audit=audit, lost_race=turn > 0)
            except Conflict:
                continue
            except AwsError as error:
                error.correlation_id = record.correlation_id if record else ""
                raise
        conflict = Conflict(name)
        conflict.correlation_id = record.correlation_id if record else ""
        raise conflict

    def warn(self, name: str) -> ConvergeResult:
        """Look for what only a person can put right, and touch nothing."""
        try:
            attached = self.identities.attached(name)
        except Retryable as error:
            if error.code != ABSENT:
                raise
            attached = ()
        return ConvergeResult(name, "unchanged", warnings=warnings(attached))

    def give_up(self, name: str, error: Exception, attempt: int) -> ConvergeResult | None:
        """After the last try: the row that waited for the answer becomes `failed`. None when none waits (any more)."""
        record = self.records.get(name)
        if record is None or record.status not in AWAITING:
            return None
        if not isinstance(error, AwsError):
            return self._fail(record, "InternalError", type(error).__name__, attempt)
        if error.correlation_id != record.correlation_id:
            return None  # asked for anew meanwhile, and not tried yet
        return self._fail(record, error.code, f"{error.operation}: {error.reason}", attempt)

    def _attempt(
        self, name: str, state: RecordState | None, attempt: int, *, audit: bool, lost_race: bool
    ) -> ConvergeResult:
        record = state.record if state else None
        try:
            # A name that breaks the rules can never have had an IAM user of ours.
            look = self.identities.audit if audit else self.identities.observe
            identity = look(name) if NAME.fullmatch(name) else None
            decision = decide(state, identity, lost_race=lost_race)
            if identity and not audit and decision.activates_key:
                identity = replace(identity, attachments=self.identities.attached(name))
                decision = decide(state, identity, lost_race=lost_race)
            if not audit or state is None or state.record.status in AWAITING:
                return self._perform(name, record, decision, attempt)
            return self._repair(state, identity, decision, attempt)
        except Terminal as error:
            if record is None or record.status not in AWAITING:
                raise  # nobody waits for it, and what works is not called failed
            if error.code in DENIED and self._is_premature(error, record):
                raise Retryable(error.operation, error.code, error.reason) from None
            return self._fail(record, error.code, f"{error.operation} was refused: {error.reason}", attempt)

    def _repair(
        self, state: RecordState, identity: Identity | None, decision: Decision, attempt: int
    ) -> ConvergeResult:
        """Put right what is not as the settled row says. Writes nothing where all is."""
        record = state.record
        end, failed = decision.end, isinstance(decision.end, Fail)
        notes = isinstance(end, Settle) and end != Settle(end.status)
        to_fail = failed and record.status != Status.FAILED
        report = ConvergeResult(record.name, "unchanged", correlation_id=record.correlation_id)
        if decision.steps or notes or to_fail or not state.settled:
            report = self._perform(record.name, record, decision, attempt)
        found = () if failed else find_differences(decision)
        differences = tuple(difference.description for difference in found)
        return replace(report, differences=differences, warnings=warnings(identity.attachments if identity else ()))

    def _is_premature(self, error: Terminal, record: Record) -> bool:
        """Rights and users take a moment to reach every corner of IAM: until then a refusal is not the last word."""
        moments = (parse_timestamp(record.requested_at), error.refused_user_made_at)
        return any(abs(self.now() - moment) < PROPAGATION for moment in moments if moment)

    def _perform(self, name: str, record: Record | None, decision: Decision, attempt: int) -> ConvergeResult:
        if record and record.status != Status.DELETING and decision.deletes_unknown_key(record):
            self._check_unchanged(name, record)
        issued: IssuedKey | None = None
        for step in decision.steps:
            issued = self._take(name, step) or issued
        report = ConvergeResult(
            name,
            "unchanged",
            steps=tuple(type(step).__name__ for step in decision.steps),
            reasons=tuple(reason.text for reason in decision.reasons),
            correlation_id=record.correlation_id if record else "",
        )
        match decision.end:
            case Settle() as settle if record:
                self._settle(record, self._outcome(record, settle, issued))
                return replace(report, result=settle.status.value)
            case RemoveRecord() if record:
                self.records.remove(record)
                return replace(report, result="removed")
            case Requeue(reason):
                raise Retryable("iam:ListAccessKeys", "NotYetVisible", reason)
            case Fail(code, message) if record:
                failed = self._fail(record, code, message, attempt)
                return replace(report, result=failed.result, failure=failed.failure)
            case NoOp() if decision.steps:
                return replace(report, result="removed")
        return report

    def _check_unchanged(self, name: str, record: Record) -> None:
        """An unknown key may be one that another delivery has just stored."""
        current = self.records.get(name)
        if current is None or current.lock != record.lock:
            raise Conflict(name)

    def _take(self, name: str, step: Step) -> IssuedKey | None:
        match step:
            case CreateUser():
                self.identities.create_user(name)
            case RepairUser():
                self.identities.repair_user(name)
            case Detach(attachment):
                self.identities.detach(name, attachment)
            case PutPolicy(document):
                self.identities.put_policy(name, document)
            case DeleteKey(key_id):
                self.identities.delete_key(name, key_id)
            case SetKey(key_id, active):
                self.identities.set_key(name, key_id, active=active)
            case DeleteUser():
                self.identities.delete_user(name)
            case IssueKey():
                return self._issue(name, step)
        return None

    def _issue(self, name: str, step: IssueKey) -> IssuedKey:
        key = self.identities.create_key(name)
        passwords = {region: smtp_password(key.secret, region) for region in self.sending.regions}
        try:
            encrypted = self.vault.encrypt(name, Credentials(key.id, passwords))
        except AwsError:
            self.identities.delete_key(name, key.id)  # nobody will ever know its secret
            raise
        created_at = timestamp(self.now())
        return IssuedKey(key.id, created_at, step.credential, encrypted, step.replaces, step.retires_at)

    def _outcome(self, record: Record, settle: Settle, issued: IssuedKey | None) -> SettledState:
        user = iam_user_name(self.environment, record.name)
        prefix = f"arn:{partition(self.sending.regions[0])}:iam::{self.sending.account_id}:user"
        return SettledState(
            status=settle.status,
            observed_hash=grant_hash(record.user, self.sending) if record.user else "",
            settled_at=timestamp(self.now()),
            iam_user_name=user,
            iam_user_arn=f"{prefix}{iam_path(self.environment)}{user}",
            issued=issued,
            forget_previous=settle.forget_previous,
            previous_deletes_at=timestamp(self.now() + KEPT_INACTIVE) if settle.retire_previous else "",
        )

    def _settle(self, record: Record, outcome: SettledState) -> None:
        """A key that did not make it into the row is deleted again.

        Not where only the answer got lost, because that write may still land: then the next delivery finds the key
        stored, or unknown.
        """
        try:
            self.records.settle(record, outcome)
        except (Conflict, Terminal):
            if outcome.issued is None:
                raise
            current = self.records.get(record.name)
            if current and current.smtp_username == outcome.issued.id:
                return
            self.identities.delete_key(record.name, outcome.issued.id)
            raise

    def _fail(self, record: Record, code: str, message: str, attempt: int) -> ConvergeResult:
        failure = Failure(code, message, timestamp(self.now()), attempt, during=record.status)
        self.records.fail(record, failure)
        return ConvergeResult(record.name, "failed", correlation_id=record.correlation_id, failure=failure)


def _is_done(state: RecordState, *, shortcut: bool, audit: bool) -> bool:
    if state.record.status == Status.FAILED:
        return not (audit and state.record.revoked)  # it waits for a retry; but a revocation must be carried out
    return shortcut and state.settled

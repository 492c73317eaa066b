"""Converge one SMTP user: observe, decide, perform. Everything that happens to a user happens here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.lifecycle import (
    decide,
    iam_path,
    iam_user_name,
    is_settled,
)
from reconciler.core.policy import Sending, grant_hash, partition
from reconciler.core.record import Failure, Record, Status, parse_timestamp, timestamp
from reconciler.core.smtp import smtp_password
from reconciler.core.steps import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Fail,
    IssueKey,
    LookAgain,
    Nothing,
    PutPolicy,
    RemoveRow,
    RepairUser,
    SetKey,
    Settle,
    Step,
)
from reconciler.core.user import NAME
from reconciler.errors import DENIED, AwsError, Conflict, Retryable, Terminal
from reconciler.ports import Credentials, Identities, IssuedKey, Outcome, Rows, Vault

PROPAGATION = timedelta(minutes=1)
ATTEMPTS = 3  # at a row that keeps changing under our hands; then the stream brings it again


@dataclass(frozen=True, slots=True)
class Report:
    """What one call did, for logs and metrics: step names in order, and how it ended."""

    name: str
    result: str  # active, disabled, failed, removed, unchanged
    steps: tuple[str, ...] = ()
    correlation_id: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Converger:
    environment: str
    sending: Sending
    rows: Rows
    identities: Identities
    vault: Vault
    now: Callable[[], datetime]

    def converge(self, name: str) -> Report:
        """Make IAM what the row asks for, and the row say so.

        Raises Retryable when a later try may do better. What no retry can help ends as status `failed` in the
        row; Terminal is raised only when there is no row to write it into, or it cannot be written.
        """
        record = None
        for attempt in range(ATTEMPTS):
            record = self.rows.get(name)
            # Only at first sight: who has lost a race may have deleted the winner's key, so it looks at IAM again.
            if attempt == 0 and record and is_settled(record, self.sending, self.now()):
                return Report(name, "unchanged", correlation_id=record.correlation_id)
            try:
                return self._attempt(name, record)
            except Conflict:
                continue
            except AwsError as error:
                error.correlation_id = record.correlation_id if record else ""
                raise
        conflict = Conflict(name)
        conflict.correlation_id = record.correlation_id if record else ""
        raise conflict

    def _attempt(self, name: str, record: Record | None) -> Report:
        try:
            # A name that breaks the rules can never have had an IAM user of ours.
            identity = self.identities.observe(name) if NAME.fullmatch(name) else None
            decision = decide(record, identity, self.sending, self.now())
            return self._perform(name, record, decision)
        except Terminal as error:
            if record is None:
                raise  # no row left to write it into
            if error.code in DENIED and self._is_young(record):
                raise Retryable(error.operation, error.code, error.reason) from None
            return self._fail(record, error.code, f"{error.operation} was refused: {error.reason}")

    def _is_young(self, record: Record) -> bool:
        """Rights take a moment to reach every corner of IAM: until then a refusal may not be the last word."""
        since = parse_timestamp(record.requested_at)
        return since is not None and abs(self.now() - since) < PROPAGATION

    def _perform(self, name: str, record: Record | None, decision: Decision) -> Report:
        if record and record.status != Status.DELETING and decision.deletes_unknown_key(record):
            self._check_unchanged(name, record)
        issued: IssuedKey | None = None
        for step in decision.steps:
            issued = self._take(name, step) or issued
        result = "unchanged"
        match decision.end:
            case Settle(status, forget_previous) if record:
                self._settle(record, self._outcome(record, status, forget_previous, issued))
                result = status.value
            case RemoveRow() if record:
                self.rows.remove(record)
                result = "removed"
            case LookAgain(reason):
                raise Retryable("iam:ListAccessKeys", "NotYetVisible", reason)
            case Fail(code, message) if record:
                return self._fail(record, code, message)
            case Nothing() if decision.steps:
                result = "removed"
        steps = tuple(type(step).__name__ for step in decision.steps)
        return Report(name, result, steps, record.correlation_id if record else "")

    def _check_unchanged(self, name: str, record: Record) -> None:
        """An unknown key may be one that another delivery has just stored."""
        current = self.rows.get(name)
        if current is None or current.lock != record.lock:
            raise Conflict(name)

    def _take(self, name: str, step: Step) -> IssuedKey | None:
        match step:
            case CreateUser():
                self.identities.create_user(name)
            case RepairUser():
                self.identities.repair_user(name)
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

    def _outcome(self, record: Record, status: Status, forget_previous: bool, issued: IssuedKey | None) -> Outcome:
        user = iam_user_name(self.environment, record.name)
        prefix = f"arn:{partition(self.sending.regions[0])}:iam::{self.sending.account_id}:user"
        return Outcome(
            status=status,
            observed_hash=grant_hash(record.user, self.sending) if record.user else "",
            settled_at=timestamp(self.now()),
            iam_user_name=user,
            iam_user_arn=f"{prefix}{iam_path(self.environment)}{user}",
            issued=issued,
            forget_previous=forget_previous,
        )

    def _settle(self, record: Record, outcome: Outcome) -> None:
        """A key that did not make it into the row is deleted again, unless the write only seemed to fail."""
        try:
            self.rows.settle(record, outcome)
        except AwsError:
            if outcome.issued is None:
                raise
            current = self.rows.get(record.name)
            if current and current.smtp_username == outcome.issued.id:
                return
            self.identities.delete_key(record.name, outcome.issued.id)
            raise

    def _fail(self, record: Record, code: str, message: str) -> Report:
        failure = Failure(code, message, timestamp(self.now()), during=record.status)
        self.rows.fail(record, failure)
        return Report(record.name, "failed", (), record.correlation_id, failure)

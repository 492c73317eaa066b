"""What a person asks for beside the manifests: retry, revoke, resume. Each stands in the row, with who and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.aws.records import DynamoRecordWriter
from reconciler.core.record import AWAITING, Record, Status
from reconciler.core.record_state import is_rotation_due
from reconciler.core.text import count, printable
from reconciler.engine.progress import follow
from reconciler.engine.provenance import find_checkout, make_request
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_INCOMPLETE, EXIT_OK, AwsError, Conflict, ReconcileError
from reconciler.manifests.environments import Environment
from reconciler.output.terminal import say, say_line
from reconciler.ports import ChangeRequest


@dataclass(frozen=True, slots=True)
class Desk:
    """Where such requests are made: the rows, who asks, and how long to wait for the outcome (None: not at all)."""

    store: DynamoRecordWriter
    environment: str
    request: ChangeRequest
    timeout: float | None

    def find(self, name: str) -> Record:
        if record := self.store.fetch([name]).get(name):
            return record
        raise ReconcileError(f"no SMTP user '{name}' in {self.environment}", "reconcile status lists them")

    def write(self, records: Sequence[Record], write: Callable[[Record], int]) -> int:
        """Write each, and follow those that were written. Returns the exit code."""
        say_line(f"writing as {self.request.actor}, correlation id {self.request.correlation_id}")
        written: dict[str, int] = {}
        for record in records:
            try:
                written[record.name] = write(record)
            except Conflict:
                say_line(f"  ! {record.name}: it changed meanwhile; run again", err=True, fg="red")
            except AwsError as error:
                say_line(f"  ! {record.name}: not written: {error}", err=True, fg="red")
        good = len(written) == len(records)
        leaving = [record.name for record in records if record.is_being_deleted]
        if self.timeout is None:
            say(f"{count(len(written), 'user')} left to the credential manager")
        elif written:
            good = follow(self.store, written, leaving, self.timeout) and good
        return EXIT_OK if good else EXIT_INCOMPLETE


def open_desk(environment: Environment, sandbox_folder: Path, timeout: float | None) -> Desk:
    connection = connect_checked(environment, sandbox_folder)
    request = make_request(environment.name, find_checkout(environment.config), os.environ, datetime.now(UTC))
    # The manifests speak through a commit; here a person does, as AWS knows them.
    actor = os.environ.get("GITHUB_ACTOR") or connection.caller()
    return Desk(connection.store(), environment.name, replace(request, actor=actor), timeout)


def retry(desk: Desk, names: Sequence[str], *, all_failed: bool) -> int:
    """Ask again for users that failed or hang."""
    if all_failed:
        records = [record for record in desk.store.records() if record.status == Status.FAILED]
        if not records:
            say(f"no failed users in {desk.environment}")
            return EXIT_OK
    else:
        records = [_check_retry(desk.find(name)) for name in dict.fromkeys(names)]
    return desk.write(records, lambda record: desk.store.retry(record, desk.request))


def revoke(desk: Desk, name: str, reason: str) -> int:
    """Make every key of a user inactive, until it is resumed."""
    record = desk.find(name)
    if record.is_being_deleted:
        hint = f"a deletion that hangs: reconcile retry {name}"
        raise ReconcileError(f"{name} is being deleted: its keys go with it", hint)
    if record.revoked:  # who was first stays named; its keys are looked at once more
        say_line(f"{name} was revoked at {record.revoked.at} by {record.revoked.actor}: {record.revoked.reason}")
        return desk.write([record], lambda record: desk.store.retry(record, desk.request))
    return desk.write([record], lambda record: desk.store.revoke(record, printable(reason), desk.request))


def resume(desk: Desk, name: str) -> int:
    """Let the declaration of a revoked user count again."""
    record = desk.find(name)
    if record.revoked is None:
        raise ReconcileError(f"{name} is not revoked", "reconcile status tells how it stands")
    if record.is_being_deleted:
        raise ReconcileError(f"{name} is being deleted", "to keep it, declare it again and run reconcile")
    if _has_the_same_key(record):
        say_line(f"{name}: its old password works again. If that leaked, raise `credential` in its manifest instead.")
    return desk.write([record], lambda record: desk.store.resume(record, desk.request))


def _check_retry(record: Record) -> Record:
    if record.status != Status.FAILED and record.status not in AWAITING:
        hint = "reconcile drift compares it with IAM; the sweep repairs what differs"
        raise ReconcileError(f"{record.name} is {record.status or 'without a status'}: nothing failed", hint)
    return record


def _has_the_same_key(record: Record) -> bool:
    user, as_resumed = record.user, replace(record, revoked=None)
    if user is None or not record.smtp_username or record.key_credential != user.credential:
        return False
    return not is_rotation_due(as_resumed, user, datetime.now(UTC))

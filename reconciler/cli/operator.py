"""`reconcile retry`, `revoke` and `resume`: requests of an operator, kept in the record with who and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from reconciler.aws.records import DynamoRecordWriter
from reconciler.cli.lookup import find_record
from reconciler.cli.options import (
    Target,
    name_argument,
    names_argument,
    target_options,
    wait_options,
    yes_option,
)
from reconciler.core.applied_state import AppliedState
from reconciler.core.key_decision import is_replaced, stored_key
from reconciler.core.record import AWAITING, Record, Status
from reconciler.core.text import count, printable
from reconciler.engine.apply import write_records
from reconciler.engine.git import find_checkout, read_source
from reconciler.engine.progress import show_progress
from reconciler.engine.provenance import make_origin, make_request
from reconciler.engine.session import connect_checked
from reconciler.engine.writing import writing
from reconciler.errors import EXIT_INCOMPLETE, EXIT_OK, Conflict, ReconcileError
from reconciler.output.prompt import can_ask, confirm
from reconciler.output.terminal import say
from reconciler.planning.revocations import resume_remembered
from reconciler.ports import AppliedStates, ChangeRequest

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """Where an operator's requests are written. `timeout`: seconds to wait for the result; None: do not wait."""

    store: DynamoRecordWriter
    states: AppliedStates
    environment: str
    request: ChangeRequest
    timeout: float | None
    yes: bool = False

    def find(self, name: str) -> Record:
        return find_record(self.store, name, self.environment)

    def write(self, records: Sequence[Record], write: Callable[[Record], int], question: str) -> int:
        """Ask, write each record, and wait for those that were written. Returns the exit code."""
        if not self.yes:
            confirm(question)
        with writing():
            say(f"writing as {self.request.actor}, correlation id {self.request.correlation_id}")
            written = write_records({record.name: lambda record=record: write(record) for record in records})  # type: ignore[misc]
            succeeded = len(written) == len(records)
            deleting = [record.name for record in records if record.is_being_deleted]
            if self.timeout is None:
                say(f"{count(len(written), 'user')} queued; not waiting (--no-wait)")
            elif written:
                settled = show_progress(self.store, written, deleting, self.timeout, self.environment)
                succeeded = settled and succeeded
        return EXIT_OK if succeeded else EXIT_INCOMPLETE


@click.command()
@names_argument
@target_options
@click.option("--all-failed", is_flag=True, help="Retry every user in status failed.")
@yes_option
@wait_options
def retry(target: Target, names: tuple[str, ...], all_failed: bool, yes: bool, wait: bool, timeout: float) -> int:
    """Retry users in status failed, pending or deleting, after the cause is fixed."""
    if bool(names) == all_failed:
        raise click.UsageError("Pass one or more NAMEs, or --all-failed.", click.get_current_context())
    return retry_users(open_session(target, timeout if wait else None, yes), names, all_failed=all_failed)


@click.command()
@name_argument
@target_options
@click.option("--reason", required=True, help="Reason; stored in the record and shown in plan and status.")
@yes_option
@wait_options
def revoke(target: Target, name: str, reason: str, yes: bool, wait: bool, timeout: float) -> int:
    """Deactivate all access keys of a user at once, whatever its manifest says.

    The revocation stays in effect through every later `reconcile apply`, until `reconcile resume`.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise click.UsageError(f"--reason takes 1 to {MAX_REASON} characters.", click.get_current_context())
    return revoke_user(open_session(target, timeout if wait else None, yes), name, reason.strip())


@click.command()
@name_argument
@target_options
@click.option("--keep-key", is_flag=True, help="Activate the same key again; only if it did not leak.")
@yes_option
@wait_options
def resume(target: Target, name: str, keep_key: bool, yes: bool, wait: bool, timeout: float) -> int:
    """Lift a revocation; the manifest applies again.

    The user gets a new password: first raise `credential` in its manifest and run `reconcile apply`.
    """
    return resume_user(open_session(target, timeout if wait else None, yes), name, keep_key=keep_key)


def open_session(target: Target, timeout: float | None, yes: bool) -> OperatorSession:
    environment = target.environment()
    connection = connect_checked(environment, target.sandbox)
    source = read_source(find_checkout(environment.config), [environment.config, target.users])
    origin = make_origin(source, connection.caller(), os.environ)
    request = make_request(environment.name, origin, os.environ, datetime.now(UTC))
    return OperatorSession(connection.store(), connection.applied_states(), environment.name, request, timeout, yes)


def retry_users(session: OperatorSession, names: Sequence[str], *, all_failed: bool) -> int:
    if all_failed:
        records = [record for record in session.store.records() if record.status == Status.FAILED]
        if not records:
            say(f"no failed users in {session.environment}")
            return EXIT_OK
    else:
        records = [_check_retry(session.find(name)) for name in dict.fromkeys(names)]
    question = f"Retry {count(len(records), 'user')} in {session.environment}?"
    return session.write(records, lambda record: session.store.retry(record, session.request), question)


def revoke_user(session: OperatorSession, name: str, reason: str) -> int:
    record = session.find(name)
    if record.is_being_deleted:
        hint = f"if the deletion does not finish: reconcile retry {name} --env {session.environment}"
        raise ReconcileError(f"{name} is being deleted, with its access keys", hint)
    question = f"Revoke {name} in {session.environment}? All its access keys become inactive."
    if revoked := record.revoked:  # keep the first revocation; reprocess the user
        by, why = revoked.actor or "an unknown actor", revoked.reason or "no reason given"
        say(f"{name} was already revoked at {revoked.at or 'an unknown time'} by {by}: {why}")
        return session.write([record], lambda record: session.store.retry(record, session.request), question)
    reason = printable(reason)
    return session.write([record], lambda record: session.store.revoke(record, reason, session.request), question)


def resume_user(session: OperatorSession, name: str, *, keep_key: bool = False) -> int:
    """A revoked key may have leaked, so it is activated again only with `keep_key`."""
    state = session.states.load()
    found = session.store.fetch([name]).get(name)
    if name in state.revoked and (found is None or found.revoked is None):
        return _resume_deleted(session, name, state)
    record = found or session.find(name)
    if record.revoked is None:
        raise ReconcileError(f"{name} is not revoked", f"see reconcile status {name} --env {session.environment}")
    if record.is_being_deleted:
        raise ReconcileError(f"{name} is being deleted", "to keep it, declare it again and run reconcile apply")
    question = f"Lift the revocation of {name} in {session.environment}?"
    if _has_key_to_keep(record):
        if not keep_key:
            raise ReconcileError(f"{name}: its key may have leaked; resuming would activate it again", _NEW_KEY)
        if not session.yes and not can_ask():
            raise ReconcileError("--keep-key needs a confirmation", "run it on a terminal, or add --yes")
        question = f"{question} Its old password works again."
        say(f"{name}: its old password works again")
    elif not _is_carried_out(record):
        hint = f"see reconcile status {name} --env {session.environment}; run again when it is disabled"
        raise ReconcileError(f"{name} is {record.status or 'without a status'}: its revocation is not complete", hint)
    return session.write([record], lambda record: session.store.resume(record, session.request), question)


def _resume_deleted(session: OperatorSession, name: str, state: AppliedState) -> int:
    """Of a user that was deleted while it was revoked, only the name is kept; another record may have it by now."""
    if not session.yes:
        confirm(f"Lift the revocation of {name} in {session.environment}? It was deleted; it may be declared again.")
    try:
        session.states.save_revoked(replace(state, revoked=resume_remembered(name, state.revoked)))
    except Conflict:
        raise ReconcileError(f"{name}: changed by another run in the meantime", "run the command again") from None
    say(f"{name} may be declared again; it gets a new password")
    return EXIT_OK


def _check_retry(record: Record) -> Record:
    if record.status != Status.FAILED and record.status not in AWAITING:
        hint = "reconcile drift compares it with IAM; the sweep repairs differences"
        status = record.status or "without a status"
        raise ReconcileError(f"{record.name} is {status}; only failed, pending or deleting users can be retried", hint)
    return record


_NEW_KEY = (
    "raise `credential` in its manifest, run reconcile apply, then resume: it gets a new password; "
    "if the key did not leak, add --keep-key"
)


def _has_key_to_keep(record: Record) -> bool:
    """Unless another `credential` is declared: then the credential manager deletes the key of the revoked user."""
    replaced = record.user is not None and is_replaced(record, record.user)
    return bool(stored_key(record) or record.previous_key) and not replaced


def _is_carried_out(record: Record) -> bool:
    """The credential manager has processed the revocation and the present declaration.

    If it had not, the key could still be active, and a new one would replace it with an overlap.
    """
    return record.status == Status.DISABLED and record.observed_revision == (record.revision or 0)

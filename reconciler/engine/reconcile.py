"""One run of the reconciler: observe, plan, check, apply, wait."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from reconciler import __version__
from reconciler.core.applied_state import NOTHING_APPLIED, AppliedState
from reconciler.core.record import AWAITING, Record, manager_tag
from reconciler.core.text import count
from reconciler.core.user import Declaration
from reconciler.engine.apply import change_writes, write_records
from reconciler.engine.history import judge_history, open_checkout, store_applied
from reconciler.engine.iam_names import find_taken
from reconciler.engine.plan_file import check_plan, read_plan
from reconciler.engine.progress import show_progress
from reconciler.engine.provenance import check_variables, make_origin, make_request
from reconciler.engine.session import connect
from reconciler.engine.writing import writing
from reconciler.errors import EXIT_INCOMPLETE, EXIT_OK, Refused
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.output.prompt import confirm
from reconciler.output.terminal import say, show_plan, show_warnings
from reconciler.planning.diff import Delete, Diff, diff
from reconciler.planning.limits import Allowance, check_creates, check_deletes, check_target, count_managed
from reconciler.planning.plan import Plan, make_plan
from reconciler.planning.plan_file import Basis, make_basis
from reconciler.planning.revocations import check_revoked, remembered_after
from reconciler.planning.settings import compare_settings
from reconciler.planning.widening import find_examples
from reconciler.ports import AppliedStates, ChangeRequest, RecordWriter


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from. `moved`: the applied state is to be stored even without a change."""

    plan: Plan
    changes: Diff
    records: RecordWriter
    awaiting: dict[str, int]  # requested by an earlier run and not finished: revision by name
    states: AppliedStates
    state: AppliedState
    moved: bool
    basis: Callable[[], Basis]  # only for a plan in a file: it reads every record again


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """`yes`: do not ask. `timeout`: seconds to wait for the users; None: do not wait.

    `plan`: a file of `plan --out`; nothing else than what it contains is applied.
    """

    allowance: Allowance
    yes: bool = False
    timeout: float | None = 300
    plan: Path | None = None


def prepare(environment: Environment, users: Path, sandbox_folder: Path, allowance: Allowance) -> Prepared:
    """Read everything, write nothing. Raises for invalid manifests; refusals are part of the plan."""
    desired = load_manifests(users, environment)
    show_warnings(check_variables(os.environ))
    connection = connect(environment, sandbox_folder)
    store, states = connection.store(), connection.applied_states()
    wanted = (environment.account_id, environment.region)
    refusals = check_target(wanted, connection.target(), environment.name)
    # A wrong account is not even read. The state first: what another run applies meanwhile then stops this one.
    state = NOTHING_APPLIED if refusals else states.load()
    records = [] if refusals else [_share_user(record, desired) for record in store.records()]
    checkout = open_checkout(environment, users)
    history = judge_history(environment, checkout, state, records, accepted=allowance.history)
    refusals += history.refusals
    tag = manager_tag(environment.name)
    now = datetime.now(UTC)
    changes = Diff() if refusals else diff(desired, records, tag, environment.sending, now)
    managed = count_managed(records, tag)
    # A plan that was refused so far has no changes, and IAM of a wrong account is not read either.
    taken = find_taken(connection.iam_names(), environment.name, changes, records) if not refusals else ()
    refusals += check_creates(changes, environment.limits, allowance)
    refusals += check_deletes(changes, len(desired), managed, environment.limits, allowance)
    refusals += check_revoked(changes, state.revoked)
    plan = make_plan(
        environment.name, changes, managed, len(desired), environment.sending, refusals,
        origin=make_origin(checkout.source, connection.caller(), os.environ),
        settings=compare_settings(state.settings, environment.settings),
        warnings=history.warnings,
        taken=taken,
        reserved=environment.reserved,
        examples=find_examples(changes.changes, now),
    )  # fmt: skip
    before = (state.commit, state.settings, state.revoked.keys())
    after = (checkout.source.commit, environment.settings, remembered_after(changes, state.revoked).keys())
    moved = before != after or not state.exists
    place = {**environment.settings, "table": environment.table}
    basis = partial(
        make_basis, environment.name, __version__, checkout.source.commit, place, desired, records, state.version
    )
    return Prepared(plan, changes, store, _awaiting(changes, records), states, state, moved, basis)


def _share_user(record: Record, desired: Mapping[str, Declaration]) -> Record:
    """A user that is as it was declared is in memory once."""
    declaration = desired.get(record.name)
    if declaration is None or declaration.user != record.user:
        return record
    return replace(record, name=declaration.user.name, user=declaration.user)


def _awaiting(changes: Diff, records: Sequence[Record]) -> dict[str, int]:
    """Managed users that the credential manager is still processing: a run succeeds only when they do."""
    managed = {*changes.unchanged, *changes.deleting}
    return {r.name: r.revision or 0 for r in records if r.name in managed and r.status in AWAITING}


def reconcile(environment: Environment, users: Path, sandbox_folder: Path, options: ApplyOptions) -> int:
    """Apply the manifests of an environment. Returns the exit code."""
    planned = read_plan(options.plan) if options.plan else ""
    prepared = prepare(environment, users, sandbox_folder, options.allowance)
    show_warnings(prepared.plan.warnings)
    show_plan(prepared.plan)
    if options.plan:
        check_plan(options.plan, planned, prepared.basis(), prepared.plan)
    if prepared.plan.refusals:
        raise Refused(prepared.plan.refusals)
    changes = prepared.changes.changes
    if changes and not options.yes:
        confirm(f"Apply {count(len(changes), 'change')} to {environment.name}?")
    request = make_request(environment.name, prepared.plan.origin, os.environ, datetime.now(UTC))
    if changes or prepared.moved:
        settings = environment.settings
        store_applied(prepared.states, prepared.state, prepared.plan, prepared.changes, settings, request)
    with writing(bool(changes)):
        written = _apply(prepared, request) if changes else {}
        succeeded = len(written) == len(changes)
        following = {**prepared.awaiting, **written}
        if following and options.timeout is not None:
            deleting = {*prepared.changes.deleting, *(c.name for c in changes if isinstance(c, Delete))}
            settled = show_progress(prepared.records, following, deleting, options.timeout, environment.name)
            succeeded = settled and succeeded
        elif following:
            say(f"{count(len(following), 'user')} queued; not waiting (--no-wait)")
    return EXIT_OK if succeeded else EXIT_INCOMPLETE


def _apply(prepared: Prepared, request: ChangeRequest) -> dict[str, int]:
    """Write the changes; returns the written revisions by name."""
    say()
    say(f"writing as {request.actor}, correlation id {request.correlation_id}")
    return write_records(change_writes(prepared.changes.changes, prepared.records, request))

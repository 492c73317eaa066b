"""One run of the reconciler: observe, plan, guard, apply, wait."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.core.record import AWAITING, Record, manager_tag
from reconciler.core.text import count
from reconciler.engine.apply import Result, apply_changes
from reconciler.engine.progress import follow
from reconciler.engine.provenance import find_checkout, make_request, newer_commits
from reconciler.engine.session import connect
from reconciler.errors import EXIT_INCOMPLETE, EXIT_OK, ReconcileError, Refused
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.output.terminal import is_interactive, say, say_line, show_plan
from reconciler.planning.diff import Delete, Diff, diff
from reconciler.planning.limits import Allowance, check_checkout, check_deletes, check_target, count_managed
from reconciler.planning.plan import Plan, make_plan
from reconciler.ports import RecordWriter


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from."""

    plan: Plan
    changes: Diff
    requests: RecordWriter
    under_way: dict[str, int]  # asked for by an earlier run and not settled yet: revision by name


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who runs it chose."""

    allowance: Allowance
    yes: bool = False
    wait: bool = True
    timeout: float = 300


def prepare(environment: Environment, users: Path, sandbox_folder: Path, allowance: Allowance) -> Prepared:
    """Read everything, write nothing. Raises for invalid manifests; refusals stand in the plan."""
    desired = load_manifests(users, environment)
    connection = connect(environment, sandbox_folder)
    store = connection.store()
    wanted = (environment.account_id, environment.region)
    refusals = check_target(wanted, connection.target(), environment.name)
    records = [] if refusals else list(store.records())  # not even read from the wrong place
    refusals += check_checkout(newer_commits(find_checkout(environment.config), {record.commit for record in records}))
    mark = manager_tag(environment.name)
    changes = Diff() if refusals else diff(desired, records, mark, environment.sending, datetime.now(UTC))
    managed = count_managed(records, mark)
    refusals += check_deletes(changes, len(desired), managed, environment.limits, allowance)
    plan = make_plan(environment.name, changes, managed, len(desired), environment.sending, refusals)
    return Prepared(plan, changes, store, _under_way(changes, records))


def _under_way(changes: Diff, records: Sequence[Record]) -> dict[str, int]:
    """Ours that the credential manager is still at: a run does not end well while they have not."""
    ours = {*changes.unchanged, *changes.leaving}
    return {r.name: r.revision or 0 for r in records if r.name in ours and r.status in AWAITING}


def reconcile(environment: Environment, users: Path, sandbox_folder: Path, choices: Choices) -> int:
    """Make the rows what the manifests say, and see it through. Returns the exit code."""
    prepared = prepare(environment, users, sandbox_folder, choices.allowance)
    show_plan(prepared.plan)
    if prepared.plan.refusals:
        raise Refused(prepared.plan.refusals)
    changes = prepared.changes
    written: dict[str, int] = {}
    good = True
    if changes.changes:
        written = _apply(environment, prepared, choices)
        good = len(written) == len(changes.changes)
    following = {**prepared.under_way, **written}
    if choices.wait and following:
        leaving = {*changes.leaving, *(change.name for change in changes.changes if isinstance(change, Delete))}
        good = follow(prepared.requests, following, leaving, choices.timeout) and good
    elif following:
        say(f"{count(len(following), 'user')} left to the credential manager")
    return EXIT_OK if good else EXIT_INCOMPLETE


def _apply(environment: Environment, prepared: Prepared, choices: Choices) -> dict[str, int]:
    """Write the changes; returns what was written, as revisions by name."""
    _confirm_deletes(prepared.changes, choices)
    request = make_request(environment.name, find_checkout(environment.config), os.environ, datetime.now(UTC))
    say()
    say_line(f"writing as {request.actor}, correlation id {request.correlation_id}")
    results = apply_changes(prepared.changes.changes, prepared.requests, request, _show_unwritten)
    return {result.change.name: result.revision for result in results if not result.error}


def _confirm_deletes(changes: Diff, choices: Choices) -> None:
    deletes = sum(isinstance(change, Delete) for change in changes.changes)
    if deletes and not choices.yes and is_interactive():
        noun = "user loses" if deletes == 1 else "users lose"
        if not click.confirm(f"{deletes} {noun} key, policy and IAM user. Go on?"):
            raise ReconcileError("not confirmed; nothing was changed")


def _show_unwritten(result: Result) -> None:
    if result.lost_race:
        say_line(f"  ! {result.change.name}: another run changed it meanwhile; run again", err=True, fg="red")
    elif result.error:
        say_line(f"  ! {result.change.name}: not written: {result.error}", err=True, fg="red")

"""What was applied last: judge a run by it, and store what the run is about to apply."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.applied_state import AppliedState
from reconciler.core.record import Record, manager_tag
from reconciler.engine.git import compare, find_checkout, read_source
from reconciler.engine.provenance import check_workflow, in_github
from reconciler.errors import Conflict, ReconcileError
from reconciler.manifests.environments import Environment
from reconciler.output.terminal import in_ci
from reconciler.planning.diff import Diff
from reconciler.planning.history import Comparison, Relation, Source, Verdict, applied_commits, check_history, worst
from reconciler.planning.plan import ACTIONS, Plan
from reconciler.planning.revocations import remembered_after
from reconciler.ports import AppliedStates, ChangeRequest


@dataclass(frozen=True, slots=True)
class Checkout:
    """The checkout that holds `reconcile.yaml`, and what it contains."""

    root: Path | None
    source: Source


def open_checkout(environment: Environment, users: Path) -> Checkout:
    root = find_checkout(environment.config)
    return Checkout(root, read_source(root, [environment.config, users]))


def judge_history(
    environment: Environment, checkout: Checkout, state: AppliedState, records: Iterable[Record], *, accepted: bool
) -> Verdict:
    """A local AWS holds no grant that a run could restore: there, an unknown history does not matter."""
    commits = applied_commits(state, records, manager_tag(environment.name))
    found = worst(compare(checkout.root, checkout.source, commit) for commit in commits)
    if environment.local:
        found = found if found.relation is Relation.BEHIND else Comparison(Relation.AHEAD)
    else:
        found = check_workflow(found, checkout.source, os.environ)
    strict = (in_ci() or in_github(os.environ)) and not environment.local
    return check_history(checkout.source, state, found, strict=strict, accepted=accepted)


def store_applied(
    states: AppliedStates,
    state: AppliedState,
    plan: Plan,
    changes: Diff,
    settings: Mapping[str, object],
    by: ChangeRequest,
) -> None:
    """Before the first change of a run. Raises ReconcileError if another run was applied since `state` was read."""
    new = AppliedState(
        commit=by.commit,
        actor=by.actor,
        ci_actor=by.ci_actor,
        run=by.run,
        correlation_id=by.correlation_id,
        applied_at=by.requested_at,
        counts={action: plan.count(action) for action in ACTIONS.values()},
        settings=settings,
        revoked=remembered_after(changes, state.revoked),
        version=state.version,
    )
    try:
        states.save(new)
    except Conflict:
        message = "another run applied in the meantime; nothing was changed"
        raise ReconcileError(message, "run the command again") from None

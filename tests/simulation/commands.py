"""The real command line with the simulated account: `reconcile`, and the commands for single users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from reconciler.aws import dynamodb as table
from reconciler.aws.applied_state import DynamoAppliedStates
from reconciler.aws.iam_names import IamNames
from reconciler.cli import operator as on_demand
from reconciler.core.record import timestamp
from reconciler.core.user import Declaration
from reconciler.engine import apply, history, wait
from reconciler.engine import progress as follow
from reconciler.engine import reconcile as run
from reconciler.engine.reconcile import ApplyOptions
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.output import terminal
from reconciler.planning.history import Comparison, Relation, Source
from reconciler.planning.limits import Allowance
from reconciler.planning.plan import Origin, Plan
from reconciler.ports import ChangeRequest
from simulation.at_once import AtOnce
from simulation.scheduler import Actor
from simulation.wire import Client
from simulation.world import ENV, MANAGER, World

EVERYTHING = Allowance(deletes=1000, empty=True, creates=1000)


@dataclass(frozen=True, slots=True)
class Checkout:
    """The input of one run: the manifests of a commit, in memory or in files."""

    commit: int
    declarations: Mapping[str, Declaration]
    folder: Path | None = None

    def load(self, environment: Environment) -> dict[str, Declaration]:
        return load_manifests(self.folder, environment) if self.folder else dict(self.declarations)


def check_out(world: World, behind: int = 0, folder: Path | None = None) -> Checkout:
    """`behind`: how many commits the checkout is older than the newest."""
    commit = max(0, world.commits - behind)
    declared = {
        name: Declaration(user, "users/test/team.yaml", line)
        for line, (name, user) in enumerate(sorted(world.history[commit].items()), start=1)
    }
    return Checkout(commit, declared, folder)


def start_reconcile(world: World, checkout: Checkout, allowance: Allowance, *, timeout: float = 0.0) -> Actor:
    """`timeout`: how long it waits for a final status of the users; 0: it does not wait."""
    options = ApplyOptions(allowance, yes=True, timeout=timeout or None)
    environment = replace(ENV, config=checkout)  # type: ignore[arg-type]
    actor = Actor("reconcile", lambda: run.reconcile(environment, checkout, Path("sandbox"), options))  # type: ignore[arg-type]
    world.scheduler.start(actor)
    return actor


def start_command(world: World, word: str, name: str, *, keep_key: bool = False) -> Actor:
    """`revoke`, `resume` or `retry` of one user. Each may find that there is nothing to do, or refuse."""

    def command() -> int:
        request = make_request(world, world.commits)
        session = on_demand.OperatorSession(world.store, applied_states(world), ENV.name, request, None, yes=True)
        match word:
            case "revoke":
                return on_demand.revoke_user(session, name, "it leaked")
            case "resume":
                return on_demand.resume_user(session, name, keep_key=keep_key)
        return on_demand.retry_users(session, [name], all_failed=False)

    actor = Actor(word, command)
    world.scheduler.start(actor)
    return actor


def make_request(world: World, commit: int) -> ChangeRequest:
    world.requests += 1
    return ChangeRequest(
        MANAGER, commit_id(commit), "operator", f"{commit:04d}-{world.requests}", timestamp(world.clock.local())
    )


def applied_states(world: World) -> DynamoAppliedStates:
    return DynamoAppliedStates(Client(world.wire, "dynamodb", world.table), ENV.table)  # type: ignore[arg-type]


def commit_id(commit: int) -> str:
    """The history of the manifests is linear, so the number of a commit says what it contains."""
    return f"{commit:040d}"


def compare(_root: Any, source: Source, commit: str) -> Comparison:
    if not commit:
        return Comparison(Relation.UNKNOWN, commit, "its commit was not recorded", "none")
    if commit == source.head:
        return Comparison(Relation.SAME, commit)
    return Comparison(Relation.AHEAD if int(source.head) > int(commit) else Relation.BEHIND, commit)


@contextmanager
def command_line(world: World, announce: Callable[[Plan], None]) -> Iterator[None]:
    """Replace what the commands use of the machine: Git, files, sockets, threads and clocks."""

    def show_plan(plan: Plan) -> None:
        announce(plan)
        terminal.show_plan(plan)

    def request(_environment: str, origin: Origin, *_: Any) -> ChangeRequest:
        return make_request(world, int(origin.commit))

    connection = SimpleNamespace(
        store=lambda: world.store,
        target=lambda: (ENV.account_id, ENV.region),
        applied_states=lambda: applied_states(world),
        caller=lambda: "operator",
        iam_names=lambda: IamNames(Client(world.wire, "iam", world.iam)),  # type: ignore[arg-type]
    )
    replacements: list[tuple[Any, str, Any]] = [
        (run, "load_manifests", lambda checkout, environment: checkout.load(environment)),
        (history, "find_checkout", lambda checkout: checkout),
        (history, "read_source", lambda checkout, _: Source(commit_id(checkout.commit))),
        (history, "compare", compare),
        (history, "in_ci", lambda: False),
        (run, "make_request", request),
        (run, "connect", lambda *_: connection),
        (run, "datetime", SimpleNamespace(now=lambda _: world.clock.local())),
        (run, "write_records", partial(apply.write_records, pool=AtOnce())),
        (on_demand, "write_records", partial(apply.write_records, pool=AtOnce())),
        (run, "show_plan", show_plan),
        (
            follow,
            "wait_for_users",
            partial(wait.wait_for_users, clock=world.clock.monotonic, sleep=world.sleep),
        ),
        (table, "time", SimpleNamespace(sleep=world.sleep)),
    ]
    with ExitStack() as stack:
        for module, name, value in replacements:
            stack.enter_context(mock.patch.object(module, name, value))
        yield

"""The measurements, in order."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.pipeline.lambda_zip import ROOT, build_zip
from scripts.bench.calls import LEAST
from scripts.bench.commits import SAMPLE, write_commits
from scripts.bench.dataset import FIRST, commit, write_repository, write_zone
from scripts.bench.measure import Command, Sample, count_instructions, interleaved, measure
from scripts.bench.paths import BASELINES, PYTHON, RECONCILE, TESTS_PYTHON
from scripts.bench.profiles import find_costs
from scripts.bench.results import Ratio, Results, Size
from scripts.bench.sandbox import run_on_sandbox
from scripts.bench.server import read_counts, serving

ALONE = 10**9  # all users in one environment
IAM_SECONDS = 0.12


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `counted`: users of the comparisons under valgrind, which are 50 times slower there."""

    users: int = 5000
    sizes: tuple[int, ...] = (50, 5000, 25000, 100000)
    repetitions: int = 5
    counted: int = 500  # 0: none
    sandbox: int = 500
    fleet: int = 5000  # users of the models
    commits: int = 5000


QUICK = Scale(users=500, sizes=(50, 500, 2500), repetitions=2, counted=0, sandbox=20, fleet=200, commits=500)


def run_all(scale: Scale, folder: Path, report: Callable[[str], None]) -> Results:
    """`folder`: an empty one. `report` gets one line before each step."""
    report("comparisons")
    ratios, costs = compare(scale, folder)
    sizes = []
    for users in scale.sizes:
        report(f"{users:,} users")
        sizes.append(measure_size(folder / f"size-{users}", users))
    report("AWS calls of each operation")
    calls = _json_of("scripts.bench.calls", environ={"AWS_DEFAULT_REGION": "eu-central-1"})
    report(f"{scale.sandbox} users on the sandbox")
    sandbox = run_on_sandbox(folder / "sandbox", scale.sandbox)
    report(f"sweep and drift with {scale.fleet:,} users")
    write_repository(folder / "fleet", scale.fleet)
    latency = _json_of("simulation.latency", str(folder / "fleet"), str(scale.fleet), str(IAM_SECONDS))
    report(f"creation of {scale.fleet:,} users")
    creations = _json_of("simulation.creations", str(scale.fleet), "--latency", str(IAM_SECONDS))
    report(f"the history of a user in {scale.commits:,} commits")
    history = measure_history(folder / "commits", scale)
    lock = (ROOT / "requirements" / "cli.txt").read_text(encoding="utf-8")
    return Results(
        users=scale.users,
        repetitions=scale.repetitions,
        ratios=ratios,
        sizes=sizes,
        calls={name: calls[name] for name in LEAST},
        sandbox=sandbox,
        latency={**latency, "users": scale.fleet, "iam_seconds": IAM_SECONDS},
        creations=creations,
        zip_bytes=build_zip().stat().st_size,
        cli_packages=sum("==" in line for line in lock.splitlines()),
        costs=costs,
        commits=scale.commits,
        history=history,
    )


def compare(scale: Scale, folder: Path) -> tuple[dict[str, Ratio], dict[str, Any]]:
    with prepared(folder / "compared", scale.users) as (pairs, plan):
        names = [(name, side) for name in pairs for side in (0, 1)]
        samples = interleaved({f"{name}/{side}": pairs[name][side] for name, side in names}, scale.repetitions)
        validate = pairs["validate"][0]
        costs = {name: find_costs(each, folder / "profile") for name, each in (("validate", validate), ("plan", plan))}
    counts: Mapping[str, int] = {}
    if scale.counted:
        with prepared(folder / "counted", scale.counted) as (pairs, _):
            counts = count_instructions({f"{name}/{side}": pairs[name][side] for name, side in names})
    ratios = {
        name: Ratio(
            samples[f"{name}/0"],
            samples[f"{name}/1"],
            counts[f"{name}/0"] / counts[f"{name}/1"] if counts else 0.0,
        )
        for name in pairs
    }
    return ratios, costs


@contextmanager
def prepared(folder: Path, users: int) -> Iterator[tuple[dict[str, tuple[Command, Command]], Command]]:
    """The commands of each comparison: the project's, and the one that it is compared with; and `plan` alone."""
    write_repository(folder, users)
    zone = write_zone(folder.with_name(f"{folder.name}-zone"), users)
    with serving(folder, users, commit(folder)) as variables:
        plan = Command([*RECONCILE, "plan", "--env", FIRST], folder, variables)
        octodns = Command([PYTHON, "-m", "octodns.cmds.sync", "--config-file", str(zone)])
        help_text = Command([*RECONCILE, "--help"])
        handler = Command([PYTHON, "-c", "import reconciler.manager.handlers.stream"])
        pairs = {
            "validate": (Command([*RECONCILE, "validate"], folder), _baseline(folder)),
            "plan": (plan, octodns),
            "help": (help_text, Command([PYTHON, str(BASELINES / "bare_command.py"), "--help"])),
            "handler": (handler, Command([PYTHON, str(BASELINES / "bare_handler.py")])),
        }
        yield pairs, plan


def _baseline(folder: Path) -> Command:
    schema = ROOT / "schema" / "users.schema.json"
    return Command([PYTHON, str(BASELINES / "parse_and_check.py"), str(schema), str(folder / "users")])


def measure_size(folder: Path, users: int) -> Size:
    """Once each: what a larger number of users adds is far more than the variation."""
    write_repository(folder / "many", users)
    write_repository(folder / "alone", users, ALONE)
    validate = [measure(Command([*RECONCILE, "validate"], folder / place)) for place in ("many", "alone")]
    with serving(folder / "alone", users, commit(folder / "alone")) as variables:
        plan, requests = _plan(folder / "alone", variables)
    return Size(users, validate[0], measure(_baseline(folder / "many")), validate[1], plan, requests)


def measure_history(folder: Path, scale: Scale) -> Sample:
    write_commits(folder, scale.users, scale.commits)
    return measure(Command([*RECONCILE, "history", SAMPLE, "--env", FIRST], folder))


def _plan(folder: Path, variables: dict[str, str]) -> tuple[Sample, Mapping[str, int]]:
    command = Command([*RECONCILE, "plan", "--env", FIRST], folder, variables)
    return measure(command), read_counts(variables)


def _json_of(module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Any:
    command = Command([TESTS_PYTHON, "-m", module, *arguments], environ=environ or {})
    process = command.start(output=subprocess.PIPE)
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"exit code {process.returncode}: {module}\n{output.decode(errors='replace')[-2000:]}")
    return json.loads(output.splitlines()[-1])

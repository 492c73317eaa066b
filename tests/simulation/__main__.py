"""`make simulate`: run random scenarios until a limit is reached, or run a single one."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import click

from simulation.bugs import BUGS, planted
from simulation.campaign import run
from simulation.generate import make_scenario
from simulation.shrink import shrink
from simulation.story import Result, Scenario, simulate


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", type=int, help="Run only this scenario and print every call.")
@click.option("--steps", type=int, default=100_000, show_default=True, help="Stop after this number of steps.")
@click.option("--seconds", type=float, default=300, show_default=True, help="Stop after this number of seconds.")
@click.option("--first", type=int, default=1, show_default=True, help="The first seed.")
@click.option("--bug", type=click.Choice(list(BUGS)), help="Plant this bug in the code; the simulator should find it.")
@click.option("--bugs", is_flag=True, help="Print the first seed that finds each planted bug, as in the README.")
@click.option(
    "--shrink-seconds", type=float, default=60, show_default=True, help="Time limit for shrinking a failed scenario."
)
def main(
    seed: int | None, steps: int, seconds: float, first: int, bug: str | None, bugs: bool, shrink_seconds: float
) -> None:
    """Run random scenarios with the real code against models of DynamoDB, its stream, IAM, KMS and SQS.

    A step is one action of a scenario or one AWS call. A seed always produces the same scenario. If a scenario
    violates an invariant, it is shrunk and printed, and the exit code is 1.
    """
    if bugs:
        _show_bugs(steps)
        return
    with planted(bug) if bug else nullcontext():
        if seed is not None:
            broken = _run_one(seed, shrink_seconds)
        else:
            broken = _run_many(steps, seconds, first, shrink_seconds)
    sys.exit(1 if broken else 0)


def _run_one(seed: int, shrink_seconds: float) -> bool:
    scenario = make_scenario(seed)
    result = simulate(scenario)
    click.echo(scenario)
    _show_trace(result)
    if result.broken:
        _show_failure(scenario, result, shrink_seconds)
    else:
        click.echo(f"{result.steps} steps: no invariant violated ({result.digest()})")
    return bool(result.broken)


def _run_many(steps: int, seconds: float, first: int, shrink_seconds: float) -> bool:
    campaign = run(steps, seconds, first)
    click.echo(campaign)
    if campaign.failed is None:
        click.echo("no invariant violated")
        return False
    _show_failure(*campaign.failed, shrink_seconds)
    return True


def _show_bugs(steps: int) -> None:
    for bug in BUGS:
        with planted(bug):
            campaign = run(steps)
        if campaign.failed:
            scenario, result = campaign.failed
            click.echo(f"| {bug} | {scenario.seed} | {result.invariant} | {campaign.steps:,} |")
        else:
            click.echo(f"| {bug} | not found in {campaign.steps:,} steps | |")


def _show_failure(scenario: Scenario, result: Result, shrink_seconds: float) -> None:
    shown = "\n".join(result.broken)
    click.echo(f"\nscenario {scenario.seed} ({len(scenario.actions)} actions) violates an invariant:\n{shown}\n")
    shortest = shrink(scenario, shrink_seconds)
    result = simulate(shortest)
    click.echo(f"shortest scenario that violates it:\n{shortest}")
    _show_trace(result)
    click.echo("\n".join(result.broken))
    click.echo(f"\nto repeat: make simulate SEED={scenario.seed}")


def _show_trace(result: Result) -> None:
    for actor, operation, target, outcome in result.trace:
        click.echo(f"    {actor:<24} {operation:<34} {target:<24} {outcome}".rstrip())


if __name__ == "__main__":
    main(prog_name="python -m simulation")

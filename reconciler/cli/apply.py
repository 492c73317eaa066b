"""`reconcile apply`, also run by a bare `reconcile --env ENV`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import Target, allowance_options, target_options, wait_options, yes_option
from reconciler.engine.reconcile import ApplyOptions, reconcile
from reconciler.planning.limits import Allowance


@click.command()
@target_options
@yes_option
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Apply exactly the plan that `reconcile plan --out FILE` wrote, or nothing.",
)
@allowance_options
@wait_options
def apply(target: Target, yes: bool, plan_file: Path | None, allowance: Allowance, wait: bool, timeout: float) -> int:
    """Apply the manifests of an environment: create, update and delete SMTP users.

    Validates, shows the plan, runs safety checks, asks for confirmation on a terminal, writes the changes and waits
    until each changed user is active, disabled or deleted.

    With --plan, it refuses if records, manifests, settings, commit or version are not those of the plan, or if time has
    changed it. Pass the same --allow options as for the plan.
    """
    options = ApplyOptions(allowance, yes, timeout if wait else None, plan_file)
    return reconcile(target.environment(), target.users, target.sandbox, options)

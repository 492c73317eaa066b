"""`reconcile apply`, also run by a bare `reconcile --env ENV`."""

from __future__ import annotations

import click

from reconciler.cli.options import Target, allowance_options, target_options, wait_options, yes_option
from reconciler.engine.reconcile import ApplyOptions, reconcile
from reconciler.planning.limits import Allowance


@click.command()
@target_options
@yes_option
@allowance_options
@wait_options
def apply(target: Target, yes: bool, allowance: Allowance, wait: bool, timeout: float) -> int:
    """Apply the manifests of an environment: create, update and delete SMTP users.

    Validates, shows the plan, runs safety checks, asks for confirmation on a terminal, writes the changes and waits
    until each changed user is active, disabled or deleted.
    """
    options = ApplyOptions(allowance, yes, timeout if wait else None)
    return reconcile(target.environment(), target.users, target.sandbox, options)

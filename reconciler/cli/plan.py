"""`reconcile plan`."""

from __future__ import annotations

import click

from reconciler.cli.options import Target, allowance_options, format_option, target_options
from reconciler.engine.reconcile import prepare
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK
from reconciler.output.plan import to_json, to_markdown
from reconciler.output.terminal import say, show_plan, show_refusals
from reconciler.planning.limits import Allowance


@click.command()
@target_options
@format_option("text", "markdown", "json")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, as Terraform does.")
@allowance_options
def plan(target: Target, form: str, detailed_exitcode: bool, allow_deletes: int, allow_empty: bool) -> int:
    """Show what `reconcile apply` would change. Changes nothing.

    A plan that fails a safety check is printed together with the reason, and the exit code is 1.
    """
    allowance = Allowance(allow_deletes, allow_empty)
    plan = prepare(target.environment(), target.users, target.sandbox, allowance).plan
    if form == "text":
        show_plan(plan)
        show_refusals(plan.refusals)
    else:
        say(to_json(plan) if form == "json" else to_markdown(plan))
    if plan.refusals:
        return EXIT_ERROR
    return EXIT_CHANGES if detailed_exitcode and plan.lines else EXIT_OK

"""`reconcile plan`."""

from __future__ import annotations

import click

from reconciler.cli.options import Target, allowance_options, format_option, target_options
from reconciler.engine.reconcile import prepare
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK
from reconciler.output.plan import to_markdown
from reconciler.output.plan_json import to_json
from reconciler.output.terminal import say_document, show_plan, show_refusals, show_warnings
from reconciler.planning.limits import Allowance


@click.command()
@target_options
@format_option("text", "markdown", "json")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, as Terraform does.")
@allowance_options
def plan(target: Target, form: str, detailed_exitcode: bool, allowance: Allowance) -> int:
    """Show what `reconcile apply` would change. Changes nothing.

    A plan that fails a safety check is printed together with the reason, and the exit code is 1.
    """
    plan = prepare(target.environment(), target.users, target.sandbox, allowance).plan
    show_warnings(plan.warnings)
    if form == "text":
        show_plan(plan)
        show_refusals(plan.refusals)
    else:
        say_document(to_json(plan) if form == "json" else to_markdown(plan))
    if plan.refusals:
        return EXIT_ERROR
    return EXIT_CHANGES if detailed_exitcode and (plan.lines or plan.settings) else EXIT_OK

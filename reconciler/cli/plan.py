"""`reconcile plan`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import Target, allowance_options, format_option, target_options
from reconciler.engine.plan_file import save_plan
from reconciler.engine.reconcile import Prepared, prepare
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK, ReconcileError
from reconciler.output.comment import to_comment, to_failed_comment
from reconciler.output.plan import to_markdown
from reconciler.output.plan_json import to_json
from reconciler.output.terminal import say_document, show_plan, show_refusals, show_warnings
from reconciler.planning.limits import Allowance
from reconciler.planning.plan import Plan


@click.command()
@target_options
@format_option("text", "markdown", "json", "comment")
@click.option(
    "--links",
    metavar="URL",
    default="",
    help="For the format comment: the address of the repository's files at the commit.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the plan to a file, for `reconcile apply --plan FILE`. It contains no secret.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, as Terraform does.")
@allowance_options
def plan(target: Target, form: str, links: str, out: Path | None, detailed_exitcode: bool, allowance: Allowance) -> int:
    """Show what `reconcile apply` would change. Changes nothing.

    A plan that fails a safety check is printed together with the reason, and the exit code is 1.
    """
    prepared = _prepare(target, form, links, allowance)
    plan = prepared.plan
    if out:
        save_plan(out, prepared.basis(), plan)
    show_warnings(plan.warnings)
    _print(plan, form, links)
    if plan.refusals:
        return EXIT_ERROR
    return EXIT_CHANGES if detailed_exitcode and (plan.lines or plan.settings) else EXIT_OK


def _prepare(target: Target, form: str, links: str, allowance: Allowance) -> Prepared:
    """A comment also says why no plan could be made."""
    try:
        return prepare(target.environment(), target.users, target.sandbox, allowance)
    except ReconcileError as error:
        if form == "comment":
            say_document(to_failed_comment(target.env, error, links))
        raise


def _print(plan: Plan, form: str, links: str) -> None:
    match form:
        case "text":
            show_plan(plan)
            show_refusals(plan.refusals)
        case "json":
            say_document(to_json(plan))
        case "comment":
            say_document(to_comment(plan, links))
        case _:
            say_document(to_markdown(plan))

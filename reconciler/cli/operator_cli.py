"""`reconcile retry`, `revoke` and `resume`."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import Selected, env_option, follow_options, load

MAX_REASON = 500


@click.command()
@env_option
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all-failed", is_flag=True, help="Every user whose status is failed.")
@follow_options
@click.pass_obj
def retry(
    selected: Selected, env: str | None, names: tuple[str, ...], all_failed: bool, no_wait: bool, timeout: float
) -> int:
    """Ask again for users that failed or hang, once the cause is mended."""
    from reconciler.cli import operator as on_demand

    if bool(names) == all_failed:
        raise click.UsageError("Whom? Name users, or add --all-failed.")
    return on_demand.retry(_desk(selected, env, no_wait, timeout), names, all_failed=all_failed)


@click.command()
@env_option
@click.argument("name")
@click.option("--reason", required=True, help="Why: it stands in the row, in every plan and in the status.")
@follow_options
@click.pass_obj
def revoke(selected: Selected, env: str | None, name: str, reason: str, no_wait: bool, timeout: float) -> int:
    """Break-glass: make every key of a user inactive at once, whatever its manifest says.

    It holds through every later reconcile, until `reconcile resume`.
    """
    from reconciler.cli import operator as on_demand

    if not reason.strip() or len(reason) > MAX_REASON:
        raise click.UsageError(f"--reason takes 1 to {MAX_REASON} characters.")
    return on_demand.revoke(_desk(selected, env, no_wait, timeout), name, reason.strip())


@click.command()
@env_option
@click.argument("name")
@follow_options
@click.pass_obj
def resume(selected: Selected, env: str | None, name: str, no_wait: bool, timeout: float) -> int:
    """Let a revoked user's manifest count again."""
    from reconciler.cli import operator as on_demand

    return on_demand.resume(_desk(selected, env, no_wait, timeout), name)


def _desk(selected: Selected, env: str | None, no_wait: bool, timeout: float) -> Any:
    from reconciler.cli.operator import open_desk

    return open_desk(load(selected, env), selected.paths.sandbox, None if no_wait else timeout)

"""`reconcile sandbox …`."""

from __future__ import annotations

import click

from reconciler.cli.options import Selected, load


@click.group()
def sandbox() -> None:
    """A local AWS with the real Lambda zip deployed on it, for environment `sandbox`."""


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, envvar="RECONCILE_SANDBOX_PORT",
              help="Port on 127.0.0.1; a free one when left out.")  # fmt: skip
@click.option("--bare", is_flag=True, help="Deploy nothing on it: for make apply ENV=sandbox.")
@click.pass_obj
def up(selected: Selected, port: int, bare: bool) -> int:
    """Start it and deploy the pipeline. Does nothing when it is up."""
    from reconciler.cli.sandbox_commands import bring_up

    return bring_up(load(selected, "sandbox"), selected.paths.sandbox, port, bare=bare)


@sandbox.command()
@click.pass_obj
def down(selected: Selected) -> int:
    """Stop it. Nothing is left behind."""
    from reconciler.cli.sandbox_commands import bring_down

    return bring_down(selected.paths.sandbox)


@sandbox.command(name="status")
@click.pass_obj
def sandbox_status(selected: Selected) -> int:
    """Tell whether it is up, and where. Exits 1 when it is not."""
    from reconciler.cli.sandbox_commands import show_status

    return show_status(selected.paths.sandbox)

"""`reconcile sandbox up`, `down` and `status`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli.group import CommandGroup
from reconciler.cli.options import Target, sandbox_target_options
from reconciler.errors import EXIT_ERROR, EXIT_OK
from reconciler.output.terminal import say
from reconciler.sandbox.emulator import Server, find_server, start_server, stop_server
from reconciler.sandbox.start import start_sandbox

ENVIRONMENT = "sandbox"


@click.group(cls=CommandGroup)
def sandbox() -> None:
    """Start, stop or show a local AWS with the real Lambda zip deployed on it, for environment `sandbox`."""


@sandbox.command()
@sandbox_target_options
@click.option("--port", type=click.IntRange(0, 65535), default=0, envvar="RECONCILE_SANDBOX_PORT",
              help="Port on 127.0.0.1; by default a free one.")  # fmt: skip
@click.option("--bare", is_flag=True, help="Deploy nothing on it: for make apply ENV=sandbox.")
def up(target: Target, port: int, bare: bool) -> int:
    """Start the local AWS and deploy the pipeline. Does nothing if it is running."""
    environment = replace(target, env=ENVIRONMENT).environment()
    folder = target.sandbox
    if server := find_server(folder):
        say(_running(server))
        return EXIT_OK
    if bare:
        server = start_server(folder, environment.account_id, environment.region, port, bare=True)
    else:
        server = start_sandbox(environment, folder, port, lambda line: say(line, err=True))
    say(_running(server))
    say(f"log: {folder / 'ministack.log'}")
    return EXIT_OK


@sandbox.command()
@sandbox_target_options
def down(target: Target) -> int:
    """Stop the local AWS and delete its state."""
    say("sandbox is down" if stop_server(target.sandbox) else "sandbox was not up")
    return EXIT_OK


@sandbox.command(name="status")
@sandbox_target_options
def sandbox_status(target: Target) -> int:
    """Show whether the sandbox is running, and where. Exits with 1 if it is not."""
    server = find_server(target.sandbox)
    if server is None:
        say("sandbox is not up")
        return EXIT_ERROR
    say(f"{_running(server)}, account {server.account_id}, region {server.region}")
    return EXIT_OK


def _running(server: Server) -> str:
    kind = "bare sandbox" if server.bare else "sandbox"
    return f"{kind} is up at {server.endpoint} (pid {server.pid})"

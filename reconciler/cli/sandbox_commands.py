"""`reconcile sandbox up|down|status`."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import EXIT_ERROR, EXIT_OK
from reconciler.manifests.environments import Environment
from reconciler.output.terminal import say
from reconciler.sandbox.emulator import find_server, start_server, stop_server
from reconciler.sandbox.start import start_sandbox


def bring_up(environment: Environment, folder: Path, port: int, *, bare: bool) -> int:
    if server := find_server(folder):
        say(f"sandbox is up at {server.endpoint} (pid {server.pid})")
        return EXIT_OK
    if bare:
        server = start_server(folder, environment.account_id, environment.region, port, bare=True)
        say(f"bare sandbox is up at {server.endpoint} (pid {server.pid}), log in {folder / 'ministack.log'}")
        return EXIT_OK
    server = start_sandbox(environment, folder, port, lambda line: say(line, err=True))
    say(f"sandbox is up at {server.endpoint} (pid {server.pid}), log in {folder / 'ministack.log'}")
    return EXIT_OK


def bring_down(folder: Path) -> int:
    say("sandbox is down" if stop_server(folder) else "sandbox was not up")
    return EXIT_OK


def show_status(folder: Path) -> int:
    server = find_server(folder)
    if server is None:
        say("sandbox is not up")
        return EXIT_ERROR
    say(f"sandbox is up at {server.endpoint} (pid {server.pid}), account {server.account_id}, region {server.region}")
    return EXIT_OK

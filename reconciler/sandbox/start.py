"""Start a sandbox: the emulator with the real Lambda zip deployed on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import build_zip
from reconciler.sandbox.deploy import deploy
from reconciler.sandbox.emulator import Server, require_extra, start_server, stop_server
from reconciler.sandbox.session import sandbox_session


def start_sandbox(environment: Environment, folder: Path, port: int, report: Callable[[str], None]) -> Server:
    """`report` gets one line before each step. If a step fails, nothing is left behind. `port` 0 means a free port."""
    require_extra()
    report("building the Lambda zip")
    code = build_zip()
    report("starting the local AWS")
    server = start_server(folder, environment.account_id, environment.region, port)
    try:
        report("deploying the table, key, queues and functions")
        deploy(sandbox_session(server), environment, load_pipeline(environment.name), code)
    except BaseException:
        stop_server(folder)
        raise
    return server

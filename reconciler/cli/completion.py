"""Names for shell completion, from the files alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from reconciler.errors import ReconcileError
from reconciler.manifests.environments import load_environment, load_environments
from reconciler.manifests.loader import load_manifests


def environment_names(context: click.Context) -> Iterable[str]:
    try:
        return load_environments(context.params.get("config") or Path("reconcile.yaml"))
    except (ReconcileError, OSError):
        return ()


def user_names(context: click.Context) -> Iterable[str]:
    """The declared users of the environment on the command line."""
    env = context.params.get("env")
    try:
        environment = load_environment(context.params.get("config") or Path("reconcile.yaml"), env or "")
        return load_manifests(context.params.get("users") or Path("users"), environment)
    except (ReconcileError, OSError):
        return ()

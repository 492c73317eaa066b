"""What the commands share: options, and what stands before the subcommand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Paths:
    config: Path
    users: Path
    sandbox: Path


@dataclass(slots=True)
class Selected:
    """What stands before the subcommand."""

    env: str | None
    paths: Paths
    allow_deletes: int
    allow_empty: bool


def env_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--env", "-e", help="Environment of reconcile.yaml, for example test.")(command)


def allowance_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--allow-empty", is_flag=True, help="Allow that no user is declared at all.")(command)
    return click.option("--allow-deletes", type=click.IntRange(0), default=0, metavar="N",
                        help="Allow up to N deletes, over the environment's limits.")(command)  # fmt: skip


def follow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--no-wait", is_flag=True, help="Do not follow to the end.")(command)
    return click.option("--timeout", type=click.FloatRange(0), default=300.0, show_default=True,
                        help="Seconds to wait.")(command)  # fmt: skip


def load(selected: Selected, env: str | None) -> Any:
    from reconciler.manifests.environments import load_environment

    name = env or selected.env
    if not name:
        raise click.UsageError("Which environment? Add --env, for example --env test.")
    return load_environment(selected.paths.config, name)

"""`reconcile validate`: check files, without AWS."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from reconciler.cli.deployability import check_deployable
from reconciler.cli.options import Target, offline_target_options
from reconciler.core.smtp import KNOWN_REGIONS
from reconciler.core.text import count
from reconciler.errors import EXIT_OK, InvalidInput, Problem, ReconcileError
from reconciler.manifests.environments import Environment, load_environments
from reconciler.manifests.loader import load_manifests
from reconciler.output.terminal import say


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@offline_target_options
def validate(target: Target, paths: tuple[Path, ...]) -> int:
    """Check manifests and reconcile.yaml. Reads only files: needs neither AWS credentials nor a network.

    Checks every environment, or the one of --env, or those that the given files belong to (for pre-commit).
    """
    environments = [target.environment()] if target.env else _select(target, paths)
    names = [environment.name for environment in environments]
    # What is wrong with the folder of all is found once for each environment.
    problems: set[Problem] = {*check_deployable(target.config, names)}
    lines: list[str] = []
    for environment in environments:
        _warn(environment)
        try:
            declared = load_manifests(target.users, environment)
        except InvalidInput as error:
            problems.update(error.problems)
            continue
        _warn_of_reservations(environment, declared)
        files = len({declaration.manifest for declaration in declared.values()})
        lines.append(f"{environment.name}: {count(len(declared), 'user')} in {count(files, 'manifest')}, valid")
    if problems:
        raise InvalidInput([*problems])
    for line in lines:
        say(line, fg="green")
    return EXIT_OK


def _select(target: Target, paths: tuple[Path, ...]) -> list[Environment]:
    """Names are unique across the files of an environment, so it is always checked as a whole."""
    environments = load_environments(target.config)
    if not paths or target.config.absolute() in [path.absolute() for path in paths]:
        return [*environments.values()]
    folders = {(target.users / name).absolute(): environment for name, environment in environments.items()}
    selected = []
    for path in paths:
        folder = next((folder for folder in path.absolute().parents if folder in folders), None)
        if folder is None:
            hint = f"pass {target.config} or files below {target.users}/ENV/"
            raise ReconcileError(f"{path} belongs to no environment", hint)
        selected.append(folders[folder])
    return [environment for environment in environments.values() if environment in selected]


def _warn(environment: Environment) -> None:
    for region in environment.smtp_regions:
        if region not in KNOWN_REGIONS:
            say(f"warning: {environment.name}: {region} is not a known SES SMTP region", err=True, fg="yellow")


def _warn_of_reservations(environment: Environment, declared: Collection[str]) -> None:
    """No problem: the team of a reserved address may remove its user first. But anybody could declare that name."""
    for reservation in environment.reserved:
        for name in sorted(reservation.users - set(declared)):
            text = f"{environment.name}: {reservation.address} is reserved for {name}, which no manifest declares"
            say(f"warning: {text}", err=True, fg="yellow")

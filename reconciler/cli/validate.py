"""`reconcile validate`: check files, without AWS."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from reconciler.cli.deployability import check_deployable
from reconciler.cli.options import Target, format_option, offline_target_options
from reconciler.core.smtp import KNOWN_REGIONS
from reconciler.core.text import count
from reconciler.errors import EXIT_OK, InvalidInput, Problem, ReconcileError
from reconciler.manifests.environments import Environment, load_environments
from reconciler.manifests.loader import load_manifests
from reconciler.output.annotations import to_annotations
from reconciler.output.terminal import say, say_document


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@offline_target_options
@format_option("text", "github")
def validate(target: Target, paths: tuple[Path, ...], form: str) -> int:
    """Check manifests and reconcile.yaml. Reads only files: needs neither AWS credentials nor a network.

    Checks every environment, or the one of --env, or those that the given files belong to (for pre-commit). The format
    github also prints the commands by which GitHub shows each problem at its line.
    """
    warnings: list[Problem] = []
    error: ReconcileError | None = None
    try:
        lines = _check(target, paths, warnings)
    except ReconcileError as raised:
        error = raised
    if form == "github" and (error or warnings):
        say_document(to_annotations(error, warnings))
    for warning in warnings:
        say(f"warning: {warning.message}", err=True, fg="yellow")
    if error:
        raise error
    for line in lines:
        say(line, fg="green")
    return EXIT_OK


def _check(target: Target, paths: tuple[Path, ...], warnings: list[Problem]) -> list[str]:
    """One line per valid environment; fills `warnings`. Raises InvalidInput with the problems of all of them."""
    environments = [target.environment()] if target.env else _select(target, paths)
    names = [environment.name for environment in environments]
    # What is wrong with the folder of all is found once for each environment.
    problems: set[Problem] = {*check_deployable(target.config, names)}
    lines: list[str] = []
    for environment in environments:
        warnings += _unknown_regions(environment)
        try:
            declared = load_manifests(target.users, environment)
        except InvalidInput as error:
            problems.update(error.problems)
            continue
        warnings += _unused_reservations(environment, declared)
        files = len({declaration.manifest for declaration in declared.values()})
        lines.append(f"{environment.name}: {count(len(declared), 'user')} in {count(files, 'manifest')}, valid")
    if problems:
        raise InvalidInput([*problems])
    return lines


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


def _unknown_regions(environment: Environment) -> list[Problem]:
    unknown = [region for region in environment.smtp_regions if region not in KNOWN_REGIONS]
    return [_warning(environment, f"{region} is not a known SES SMTP region") for region in unknown]


def _unused_reservations(environment: Environment, declared: Collection[str]) -> list[Problem]:
    """No problem: the team of a reserved address may remove its user first. But anybody could declare that name."""
    unused = [(one.address, name) for one in environment.reserved for name in sorted(one.users - set(declared))]
    return [
        _warning(environment, f"{address} is reserved for {name}, which no manifest declares")
        for address, name in unused
    ]


def _warning(environment: Environment, message: str) -> Problem:
    return Problem(str(environment.config), 0, 0, f"{environment.name}: {message}")

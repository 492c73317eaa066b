"""Check manifests offline, in every environment asked for."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.smtp import KNOWN_REGIONS
from reconciler.core.text import count
from reconciler.errors import EXIT_OK, InvalidInput
from reconciler.manifests.environments import Environment, load_environment, load_environments
from reconciler.manifests.loader import load_manifests, strays
from reconciler.output.terminal import say


def validate_environments(config: Path, users: Path, names: list[str]) -> int:
    """Raises InvalidInput with the problems of all environments together."""
    environments = [load_environment(config, name) for name in names] or [*load_environments(config).values()]
    problems = [] if names else strays(users, {environment.name for environment in environments})
    lines: list[str] = []
    for environment in environments:
        _warn(environment)
        try:
            declared = load_manifests(users, environment)
        except InvalidInput as error:
            problems += error.problems
            continue
        files = len({declaration.manifest for declaration in declared.values()})
        lines.append(f"{environment.name}: {count(len(declared), 'user')} in {count(files, 'manifest')}, valid")
    if problems:
        raise InvalidInput(problems)
    for line in lines:
        say(line, fg="green")
    return EXIT_OK


def _warn(environment: Environment) -> None:
    for region in environment.smtp_regions:
        if region not in KNOWN_REGIONS:
            say(f"warning: {environment.name}: {region} is not known to offer SES SMTP", err=True, fg="yellow")

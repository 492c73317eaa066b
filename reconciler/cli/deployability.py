"""Can the environments of `reconcile.yaml` be deployed, as far as the file shows it?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import Problem
from reconciler.manifests.environment_checks import check_environments
from reconciler.manifests.environments import load_environments
from reconciler.manifests.yaml_source import read_source
from reconciler.sandbox.function_variables import MOST_BYTES, measure_variables


def check_deployable(config: Path, names: Iterable[str]) -> list[Problem]:
    """Problems of the named environments. Raises InvalidInput if the file itself is invalid."""
    environments, names = load_environments(config), [*names]
    problems = check_environments(config, environments, names)
    source = read_source(config, str(config))
    for name in names:
        size = measure_variables(environments[name])
        if size > MOST_BYTES:
            message = f"the settings of the functions of '{name}' would have {size} of {MOST_BYTES} bytes"
            hint = "most of it are domains and tags: use fewer, or several environments"
            problems.append(source.problem(("environments", name, "allowed_domains"), message, hint))
    return problems

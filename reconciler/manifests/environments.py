"""`reconcile.yaml`: account, region and rules of each environment."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reconciler.core.address import Rules
from reconciler.core.policy import Sending
from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.manifests.schema import check_schema
from reconciler.manifests.yaml_source import Source, read_source
from reconciler.planning.limits import Limits


@dataclass(frozen=True, slots=True)
class Environment:
    """`config`: the file that defines it."""

    name: str
    config: Path
    account_id: str
    region: str
    smtp_regions: tuple[str, ...]
    table: str
    configuration_set: str
    allowed_domains: frozenset[str]
    allow_wildcards: bool
    limits: Limits
    local: bool

    @property
    def rules(self) -> Rules:
        return Rules(self.allowed_domains, self.allow_wildcards)

    @property
    def sending(self) -> Sending:
        return Sending(self.account_id, self.smtp_regions, self.configuration_set)


def load_environment(path: Path, name: str) -> Environment:
    """Raises InvalidInput for an invalid file, ReconcileError for an unknown environment."""
    environments = load_environments(path)
    if name not in environments:
        near = get_close_matches(name, environments, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known environments: {', '.join(environments)}"
        raise ReconcileError(f"no environment '{name}' in {path}", hint)
    return environments[name]


def load_environments(path: Path) -> dict[str, Environment]:
    source = read_source(path, str(path))
    problems = source.problems or check_schema(source, "reconcile")
    if problems:
        raise InvalidInput(problems)
    environments = {name: _environment(name, path, fields) for name, fields in source.data["environments"].items()}
    if problems := _check_tables(source, environments):
        raise InvalidInput(problems)
    return environments


def _check_tables(source: Source, environments: dict[str, Environment]) -> list[Problem]:
    """Records do not name their environment: two environments with one table would undo each other's changes."""
    problems: list[Problem] = []
    seen: dict[tuple[str, str, str], str] = {}
    for name, environment in environments.items():
        table = (environment.account_id, environment.region, environment.table)
        if (other := seen.setdefault(table, name)) != name:
            message = f"'{name}' uses the table of '{other}'"
            problems.append(source.problem(("environments", name, "table"), message, "one table per environment"))
    return problems


def _environment(name: str, config: Path, fields: dict[str, Any]) -> Environment:
    return Environment(
        name=name,
        config=config,
        account_id=fields["account_id"],
        region=fields["region"],
        smtp_regions=tuple(fields.get("smtp_regions", [fields["region"]])),
        table=fields["table"],
        configuration_set=fields["configuration_set"],
        allowed_domains=frozenset(fields["allowed_domains"]),
        allow_wildcards=fields.get("allow_wildcards", False),
        limits=Limits(fields["limits"]["max_deletes"], fields["limits"]["max_delete_percent"]),
        local=fields.get("local", False),
    )

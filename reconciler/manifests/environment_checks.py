"""What makes an environment of `reconcile.yaml` impossible or unsafe to deploy, as far as the file shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from reconciler.core.arn import account_of
from reconciler.errors import Problem
from reconciler.manifests.environments import Environment
from reconciler.manifests.examples import find_examples
from reconciler.manifests.yaml_source import Place, Source, read_source


def check_environments(path: Path, environments: Mapping[str, Environment], names: Iterable[str]) -> list[Problem]:
    """Problems of the named environments; each is also compared with all others of the file.

    A local environment is deployed on this machine only: it may contain examples.
    """
    source = read_source(path, str(path))
    deployed = [environment for environment in environments.values() if not environment.local]
    selected = [environment for environment in deployed if environment.name in set(names)]
    problems: list[Problem] = []
    for environment in selected:
        place = ("environments", environment.name)
        problems += find_examples(source, place, source.data["environments"][environment.name])
        problems += _check_identities(source, environment)
        problems += _check_readers(source, environment)
    for one, other in combinations(deployed, 2):
        if one in selected or other in selected:
            problems += _check_shared(source, one, other)
    return problems


def _check_identities(source: Source, environment: Environment) -> Iterator[Problem]:
    for domain in sorted(environment.deployment.existing_identities - environment.allowed_domains):
        place = ("environments", environment.name, "identities", domain)
        yield source.problem(place, f"'{domain}' is not one of allowed_domains", "add it there", at_key=True)


def _check_readers(source: Source, environment: Environment) -> Iterator[Problem]:
    """A principal of another account depends on that account's administrators, so it has a setting of its own."""
    own, external = "credential_readers", "external_credential_readers"
    environments = ("environments", environment.name)
    for index, arn in enumerate(environment.deployment.credential_readers):
        if account_of(arn) != environment.account_id:
            place = (*environments, own, index)
            yield source.problem(place, f"{arn} is in another account", f"move it to {external}")
    for index, arn in enumerate(environment.deployment.external_credential_readers):
        if account_of(arn) == environment.account_id:
            place = (*environments, external, index)
            yield source.problem(place, f"{arn} is in this account", f"move it to {own}")


def _check_shared(source: Source, one: Environment, other: Environment) -> Iterator[Problem]:
    """An SES identity and a configuration set exist once per account and region: one environment manages each."""
    regions = set(one.smtp_regions) & set(other.smtp_regions)
    if one.account_id != other.account_id or not regions:
        return
    where = f"in account {one.account_id}, {', '.join(sorted(regions))}"
    managed = [found.allowed_domains - found.deployment.existing_identities for found in (one, other)]
    for domain in sorted(managed[0] & managed[1]):
        place: Place = ("environments", other.name, "allowed_domains", _index(source, other, domain))
        message = f"'{one.name}' and '{other.name}' both manage the identity {domain} {where}"
        yield source.problem(place, message, f"set identities: {{{domain}: existing}} in one of them")
    same = one.configuration_set == other.configuration_set
    if same and not (one.deployment.existing_configuration_set or other.deployment.existing_configuration_set):
        place = ("environments", other.name, "configuration_set")
        message = f"'{one.name}' and '{other.name}' both manage the configuration set {one.configuration_set} {where}"
        yield source.problem(place, message, "use two names, or set existing_configuration_set: true in one of them")


def _index(source: Source, environment: Environment, domain: str) -> int:
    found: list[str] = source.data["environments"][environment.name]["allowed_domains"]
    return found.index(domain)

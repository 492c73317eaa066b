"""What makes an environment of `reconcile.yaml` impossible or unsafe to deploy, as far as the file shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from reconciler.core.arn import account_of, partition
from reconciler.errors import Problem
from reconciler.manifests.environments import Environment
from reconciler.manifests.examples import find_examples
from reconciler.manifests.schema import default_threshold
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
        problems += _check_domains(source, environment)
        problems += _check_readers(source, environment)
        problems += _check_arns(source, environment)
        problems += _check_tags(source, environment)
        problems += _check_thresholds(source, environment)
    for one, other in combinations(deployed, 2):
        if one in selected or other in selected:
            problems += _check_shared(source, one, other)
    return problems


def _check_domains(source: Source, environment: Environment) -> Iterator[Problem]:
    named = {
        "identities": environment.deployment.existing_identities,
        "receiving_hosts": environment.dns.receiving_hosts,
    }
    for field, domains in named.items():
        for domain in sorted({*domains} - environment.allowed_domains):
            place: Place = ("environments", environment.name, field, domain)
            yield source.problem(place, f"'{domain}' is not one of allowed_domains", "add it there", at_key=True)
    label = environment.dns.mail_from_label
    labels = [label, *(f"{label}-{region}" for region in environment.smtp_regions[1:])]
    for domain in sorted(environment.allowed_domains):
        first, _, above = domain.partition(".")
        if first in labels and above in environment.allowed_domains:
            place = ("environments", environment.name, "allowed_domains", _index(source, environment, domain))
            message = f"'{domain}' is the MAIL FROM domain of {above}, which sends no mail of its own"
            yield source.problem(place, message, "remove it, or set another mail_from_label")


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


def _check_arns(source: Source, environment: Environment) -> Iterator[Problem]:
    deployment, wanted = environment.deployment, partition(environment.region)
    own = {
        "oidc_provider_arn": [deployment.oidc_provider_arn],
        "role_permissions_boundary": [deployment.role_permissions_boundary],
    }
    readers = {
        "credential_readers": deployment.credential_readers,
        "external_credential_readers": deployment.external_credential_readers,
    }
    for field, arns in {**own, **readers}.items():
        for index, arn in enumerate(filter(None, arns)):
            place: Place = ("environments", environment.name, field)
            place = (*place, index) if field in readers else place
            if arn.split(":")[1] != wanted:
                yield source.problem(
                    place, f"{arn} is in another partition than {environment.region}", f"arn:{wanted}:…"
                )
            elif field in own and account_of(arn) not in (environment.account_id, "aws"):
                yield source.problem(place, f"{arn} is in another account", f"use one of {environment.account_id}")
    for region, arn in deployment.topic_kms_keys.items():
        if arn.split(":")[3] != region:
            place = ("environments", environment.name, "topic_kms_keys", region)
            yield source.problem(place, f"{arn} is not in {region}", "a topic needs a key of its own region")


def _check_tags(source: Source, environment: Environment) -> Iterator[Problem]:
    """Tag keys are case-insensitive in IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""
    for field in ("tags", "iam_user_tags"):
        seen: dict[str, str] = {}
        for key in source.data["environments"][environment.name].get(field, {}):
            other = seen.setdefault(key.lower(), key)
            if other != key:
                place = ("environments", environment.name, field, key)
                yield source.problem(
                    place, f"'{key}' and '{other}' are the same key for AWS", "remove one", at_key=True
                )


def _check_thresholds(source: Source, environment: Environment) -> Iterator[Problem]:
    """A warning comes before its alarm; defaults count."""
    given = source.data["environments"][environment.name].get("alarm_thresholds", {})
    for rate in ("bounce_rate", "complaint_rate"):
        first, second = (given.get(name, default_threshold(name)) for name in (f"{rate}_warning", rate))
        if first >= second:
            place = ("environments", environment.name, "alarm_thresholds")
            yield source.problem(place, f"{rate}_warning ({first}) is not below {rate} ({second})", "set both")


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

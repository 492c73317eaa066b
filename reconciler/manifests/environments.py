"""`reconcile.yaml`: account, region and rules of each environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from reconciler.core.address import Rules, check_address, normalize_address
from reconciler.core.policy import BOUNDARY_QUOTA, Sending, boundary, measure
from reconciler.core.text import quote
from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.manifests.files import DISK, Files
from reconciler.manifests.schema import check_schema
from reconciler.manifests.yaml_source import Source, read_source
from reconciler.planning.dns_settings import DnsSettings
from reconciler.planning.limits import Limits
from reconciler.planning.reserved import Reservation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the deployment uses, and no plan. Terraform reads it, and more, from the file itself."""

    confirm: bool = False
    existing_table: bool = False
    existing_configuration_set: bool = False
    existing_identities: frozenset[str] = frozenset()
    github_subject_prefix: str = ""
    oidc_provider_arn: str = ""
    credential_readers: tuple[str, ...] = ()
    wide_reads: bool = True
    external_credential_readers: tuple[str, ...] = ()
    role_permissions_boundary: str = ""
    iam_user_tags: Mapping[str, str] = field(default_factory=dict)
    alarm_emails: tuple[str, ...] = ()
    topic_kms_keys: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environment:
    """`config`: the file that defines it. `known`: the names of all environments of that file."""

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
    known: frozenset[str] = frozenset()
    reserved: tuple[Reservation, ...] = ()
    dns: DnsSettings = field(default_factory=DnsSettings)
    deployment: Deployment = field(default_factory=Deployment)

    @property
    def rules(self) -> Rules:
        return Rules(self.allowed_domains, self.allow_wildcards)

    @property
    def sending(self) -> Sending:
        return Sending(self.account_id, self.smtp_regions, self.configuration_set)

    @property
    def settings(self) -> dict[str, Any]:
        """What affects grants, as it is stored with the last apply."""
        return {
            "account_id": self.account_id,
            "region": self.region,
            "smtp_regions": list(self.smtp_regions),
            "configuration_set": self.configuration_set,
            "allowed_domains": sorted(self.allowed_domains),
            "allow_wildcards": self.allow_wildcards,
            "reserved_addresses": sorted(f"{one.address}: {one.holders}" for one in self.reserved),
            "limits": asdict(self.limits),
        }


def load_environment(path: Path, name: str) -> Environment:
    """Raises InvalidInput for an invalid file, ReconcileError for an unknown environment."""
    environments = load_environments(path)
    if name not in environments:
        near = get_close_matches(name, environments, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known environments: {', '.join(environments)}"
        raise ReconcileError(f"no environment '{name}' in {path}", hint)
    return environments[name]


def load_environments(path: Path, files: Files = DISK) -> dict[str, Environment]:
    source = read_source(path, str(path), files)
    problems = source.problems or check_schema(source, "reconcile")
    if problems:
        raise InvalidInput(problems)
    found = source.data["environments"]
    environments = {name: _environment(name, path, fields, frozenset(found)) for name, fields in found.items()}
    checks = (_check_tables, _check_boundaries, _check_reserved)
    if problems := [problem for check in checks for problem in check(source, environments)]:
        raise InvalidInput(problems)
    return environments


def _check_tables(source: Source, environments: dict[str, Environment]) -> list[Problem]:
    """Records do not name their environment: two environments with one table would undo each other's changes.

    Also in two regions: the replicas of a global table hold the same records. A local AWS is another account.
    """
    problems: list[Problem] = []
    seen: dict[tuple[bool, str, str], Environment] = {}
    for name, environment in environments.items():
        other = seen.setdefault((environment.local, environment.account_id, environment.table), environment)
        if other is environment:
            continue
        message, hint = f"'{name}' uses the table of '{other.name}'", "one table per environment"
        if other.region != environment.region:
            message += f" (in {other.region})"
            hint += ": a global table would give the records of both to the functions of both regions"
        problems.append(source.problem(("environments", name, "table"), message, hint))
    return problems


def _check_boundaries(source: Source, environments: dict[str, Environment]) -> list[Problem]:
    problems: list[Problem] = []
    for name, environment in environments.items():
        size = measure(boundary(environment.sending, environment.allowed_domains))
        if size > BOUNDARY_QUOTA:
            message = f"the permissions boundary of '{name}' would have {size} of {BOUNDARY_QUOTA} characters"
            hint = "it names every domain and every SMTP region: use fewer, or several environments"
            problems.append(source.problem(("environments", name, "allowed_domains"), message, hint))
    return problems


def _check_reserved(source: Source, environments: dict[str, Environment]) -> list[Problem]:
    """A reservation may name a wildcard also where none can be granted."""
    problems: list[Problem] = []
    for name, environment in environments.items():
        rules = Rules(environment.allowed_domains, allow_wildcards=True)
        seen: set[str] = set()
        for index, reservation in enumerate(environment.reserved):
            place = ("environments", name, "reserved_addresses", index, "address")
            address = source.data["environments"][name]["reserved_addresses"][index]["address"]
            if fault := check_address(address, rules):
                problems.append(source.problem(place, fault.message, fault.hint))
            elif reservation.address in seen:
                message = f"'{quote(address)}' is reserved twice"
                problems.append(source.problem(place, message, "name all its users in one reservation"))
            seen.add(reservation.address)
    return problems


def _environment(name: str, config: Path, found: dict[str, Any], known: frozenset[str]) -> Environment:
    identities = found.get("identities", {})
    existing = frozenset(domain for domain, kind in identities.items() if kind == "existing")
    return Environment(
        name=name,
        config=config,
        account_id=found["account_id"],
        region=found["region"],
        smtp_regions=tuple(found.get("smtp_regions", [found["region"]])),
        table=found["table"],
        configuration_set=found["configuration_set"],
        allowed_domains=frozenset(found["allowed_domains"]),
        allow_wildcards=found.get("allow_wildcards", False),
        limits=Limits(**found["limits"]),
        local=found.get("local", False),
        known=known,
        reserved=tuple(
            Reservation(normalize_address(one["address"]), frozenset(one["users"]))
            for one in found.get("reserved_addresses", [])
        ),
        dns=_select(DnsSettings, found),
        deployment=_select(Deployment, {**found, "existing_identities": existing}),
    )


def _select(kind: type[T], found: dict[str, Any]) -> T:
    """The fields of `kind` that are set; a list becomes a tuple."""
    given = {each.name: found[each.name] for each in fields(kind) if each.name in found}  # type: ignore[arg-type]
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})

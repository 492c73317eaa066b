"""What a resolver would answer, for checks without one."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.planning.dns_answers import Answer, Lookup, Outcome
from reconciler.planning.dns_settings import DnsSettings
from reconciler.planning.dns_wanted import WantedDomain
from support.world import REGION


def published(
    *records: str, silent: Collection[str] = (), failed: Collection[str] = (), outcome: Outcome = Outcome.SILENT
) -> Lookup:
    """`records`: `NAME TYPE VALUE`. `silent`, `failed`: names."""
    parts = [record.split(" ", 2) for record in records]

    def lookup(name: str, kind: str) -> Answer:
        if name in silent:
            return Answer(outcome)
        if name in failed:
            return Answer(Outcome.FAILED)
        values = tuple(value for owner, type_, value in parts if (owner, type_) == (name, kind))
        if values:
            return Answer(Outcome.FOUND, values)
        aliases = [value for owner, type_, value in parts if (owner, type_) == (name, "CNAME")]
        if aliases and kind != "CNAME":
            found = lookup(aliases[0], kind)
            return Answer(found.outcome, found.values, aliases[0])
        exists = any(owner == name for owner, *_ in parts)
        return Answer(Outcome.NO_RECORD if exists else Outcome.NO_NAME)

    return lookup


def wanted(domain: str = "example.com", **changes: object) -> WantedDomain:
    """`changes`: of the domain, or of its DNS settings."""
    own = {name: value for name, value in changes.items() if name in WantedDomain.__slots__}
    dns = {name: value for name, value in changes.items() if name not in own}
    fields: dict[str, object] = {
        "environment": "test",
        "domain": domain,
        "domains": frozenset({domain}),
        "regions": (REGION,),
        "configuration_set": "smtp-test",
        "existing": False,
        "local": False,
        "dns": DnsSettings(**dns),  # type: ignore[arg-type]
        **own,
    }
    return WantedDomain(**fields)  # type: ignore[arg-type]

"""All checks of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.ses import SesAccount, SesIdentity
from reconciler.planning.dmarc_check import check_dmarc
from reconciler.planning.dns_answers import Check, Lookup, Verdict
from reconciler.planning.dns_wanted import WantedDomain
from reconciler.planning.identity_checks import check_identity
from reconciler.planning.mta_sts import Fetched
from reconciler.planning.receiving_checks import check_receiving
from reconciler.planning.spf_check import check_spf


@dataclass(frozen=True, slots=True)
class DnsReport:
    """`policies`: the MTA-STS policy by domain. `notes`: what could not be checked, and why."""

    environment: str
    accounts: Sequence[SesAccount]
    checks: Sequence[Check]
    policies: Mapping[str, str]
    notes: Sequence[str] = ()

    def count(self, verdict: Verdict) -> int:
        return sum(check.verdict is verdict for check in self.checks)

    @property
    def failed(self) -> bool:
        """Is something missing or wrong?"""
        return any(check.failed for check in self.checks)


def check_domain(
    wanted: WantedDomain,
    identities: Mapping[str, SesIdentity | None],
    lookup: Lookup,
    fetch: Callable[[str], Fetched],
) -> list[Check]:
    """`identities`: by region. `fetch`: the MTA-STS policy file of a domain."""
    dns = wanted.dns
    return [
        *(check for region in wanted.regions for check in check_identity(wanted, region, identities[region], lookup)),
        check_spf(wanted.domain, "", wanted.domain, dns.spf_includes, dns.spf_all, lookup),
        *check_dmarc(wanted, lookup),
        *check_receiving(wanted, lookup, fetch),
    ]

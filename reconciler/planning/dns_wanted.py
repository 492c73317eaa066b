"""What is wanted of the domains of an environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.planning.dmarc import Wish
from reconciler.planning.dns_settings import DnsSettings
from reconciler.planning.mta_sts import policy_text


@dataclass(frozen=True, slots=True)
class WantedDomain:
    """`existing`: the identity is managed elsewhere, so its own settings count. `regions`: the home region comes first.

    `domains`: all of the environment. `local`: a local AWS verifies nothing.
    """

    environment: str
    domain: str
    domains: frozenset[str]
    regions: Sequence[str]
    configuration_set: str
    existing: bool
    local: bool
    dns: DnsSettings

    def mail_from(self, region: str) -> str:
        """A MAIL FROM domain has exactly one MX record, which names a region: each further region has its own label."""
        label = self.dns.mail_from_label
        return f"{label}.{self.domain}" if region == self.regions[0] else f"{label}-{region}.{self.domain}"

    @property
    def dmarc(self) -> Wish:
        dns = self.dns
        return Wish(dns.dmarc_policy, dns.dmarc_subdomain_policy or dns.dmarc_policy, dns.dmarc_report_address)

    @property
    def receiving_hosts(self) -> tuple[str, ...]:
        """Empty for a domain that receives no mail."""
        return tuple(self.dns.receiving_hosts.get(self.domain, ()))

    @property
    def mta_sts_policy(self) -> str:
        return policy_text(self.dns.mta_sts_mode, self.receiving_hosts)

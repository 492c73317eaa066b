"""What `reconcile.yaml` decides about the DNS records of an environment's domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """`dmarc_subdomain_policy`: empty if subdomains have the same. `spf_includes`: other senders of the domains.

    `receiving_hosts`: the MX hosts of the domains that receive mail, for their MTA-STS policy.
    """

    mail_from_label: str = "bounce"
    dmarc_policy: str = "none"
    dmarc_subdomain_policy: str = ""
    dmarc_report_address: str = ""
    tls_report_address: str = ""
    spf_includes: tuple[str, ...] = ()
    spf_all: str = "~all"
    mta_sts_mode: str = "testing"
    receiving_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

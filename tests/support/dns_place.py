"""Two domains with correct records, and the settings, identities and servers that belong to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.engine import dns as engine_dns
from support.dns_server import DnsServer
from support.policy_server import PolicyServer, make_certificate
from support.runs import Checkout, Outcome
from support.ses import an_identity
from support.world import REGION, World

ZONE = f"c7.dkim.{REGION}.amazonses.com"
DOMAINS = ("example.com", "news.example.com")
SETTINGS = {
    "dmarc_policy": "quarantine",
    "dmarc_report_address": "dmarc@example.net",
    "spf_includes": ["_spf.example.net"],
    "receiving_hosts": {"example.com": ["mx1.example.com", "mx2.example.com"]},
    "tls_report_address": "tls@example.com",
}
POLICY = "version: STSv1\nmode: testing\nmx: mx1.example.com\nmx: mx2.example.com\nmax_age: 604800\n"


def _identity_records(domain: str) -> str:
    tokens = [f"{domain.partition('.')[0]}eu{n}" for n in (1, 2, 3)]
    lines = [f"{token}._domainkey.{domain}. CNAME {token}.{ZONE}." for token in tokens]
    lines += [f'{token}.{ZONE}. TXT "p=MIGfMA0GCSqGSIb3"' for token in tokens]
    lines += [
        f"bounce.{domain}. MX 10 feedback-smtp.{REGION}.amazonses.com.",
        f'bounce.{domain}. TXT "v=spf1 include:amazonses.com ~all"',
    ]
    return "\n".join(lines)


CORRECT = f"""
{_identity_records("example.com")}
{_identity_records("news.example.com")}
amazonses.com. TXT "v=spf1 ip4:192.0.2.0/24 -all"
_spf.example.net. TXT "v=spf1 ip4:198.51.100.0/24 -all"
example.com. TXT "another-service=verified"
example.com. TXT "v=spf1 include:amazonses.com include:_spf.example.net ~all"
example.com. MX 10 mx1.example.com.
example.com. MX 20 mx2.example.com.
news.example.com. TXT "v=spf1 include:amazonses.com include:_spf.example.net ~all"
_dmarc.example.com. TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.net"
example.com._report._dmarc.example.net. TXT "v=DMARC1"
mta-sts.example.com. A 127.0.0.1
_mta-sts.example.com. TXT "v=STSv1; id=e0c9e24a13d76980"
_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:tls@example.com"
"""


@dataclass
class Place:
    checkout: Checkout
    world: World
    server: DnsServer
    policy: PolicyServer
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))

    def configure(self, **changes: Any) -> None:
        self.settings |= changes
        self.checkout.configure(**self.settings)

    def run(self, *words: str) -> Outcome:
        return self.checkout.run("dns", "--resolver", self.server.address, *words)

    def not_ok(self) -> list[dict[str, Any]]:
        records = json.loads(self.run("--format", "json").out)["records"]
        return [record for record in records if record["verdict"] != "ok"]

    def zone(self) -> list[str]:
        """Its records, without comments."""
        lines = self.run("--format", "zone").out.splitlines()
        return [line for line in lines if line and not line.startswith(";")]

    def change(self, old: str, new: str) -> None:
        assert old in self.server.zone, old
        self.server.zone = self.server.zone.replace(old, new)

    def remove(self, text: str) -> None:
        lines = self.server.zone.splitlines()
        self.server.zone = "".join(f"{line}\n" for line in lines if text not in line)

    def add(self, *records: str) -> None:
        self.server.zone += "".join(f"{record}\n" for record in records)


@contextmanager
def make_place(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for domain in DOMAINS:
        world.ses.identities[REGION, domain] = an_identity(REGION, domain)
    certificate = checkout.root / "certificate.pem"
    make_certificate(certificate, "mta-sts.example.com")
    with DnsServer(CORRECT).running() as server, PolicyServer(certificate, POLICY).running() as policy:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setattr(engine_dns, "HTTPS_PORT", policy.port)
        monkeypatch.setattr(engine_dns, "is_public", lambda _: True)
        place = Place(checkout, world, server, policy)
        place.configure()
        yield place

"""Two domains with correct records, and the settings and identities that belong to them."""

from __future__ import annotations

from support.runs import Checkout
from support.ses import an_identity
from support.world import REGION, World

ZONE = f"c7.dkim.{REGION}.amazonses.com"
DOMAINS = ("example.com", "news.example.com")
TOKENS = {domain: [f"{domain.partition('.')[0]}eu{n}" for n in (1, 2, 3)] for domain in DOMAINS}


def _identity_records(domain: str) -> str:
    lines = [f"{token}._domainkey.{domain}. CNAME {token}.{ZONE}." for token in TOKENS[domain]]
    lines += [f'{token}.{ZONE}. TXT "p=MIGfMA0GCSqGSIb3"' for token in TOKENS[domain]]
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
news.example.com. TXT "v=spf1 include:amazonses.com include:_spf.example.net ~all"
_dmarc.example.com. TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.net"
example.com._report._dmarc.example.net. TXT "v=DMARC1"
"""


def with_settings(world: World, checkout: Checkout, **changes: object) -> None:
    for domain in DOMAINS:
        world.ses.identities[REGION, domain] = an_identity(REGION, domain)
    settings = {
        "dmarc_policy": "quarantine",
        "dmarc_report_address": "dmarc@example.net",
        "spf_includes": ["_spf.example.net"],
    }
    checkout.configure(**settings, **changes)

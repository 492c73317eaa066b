"""`reconcile dns` against a real DNS server: every planted mistake is reported with its fix, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from support.dns_place import Place

HOST = "feedback-smtp.eu-central-1.amazonses.com"
DKIM = "exampleeu1._domainkey.example.com"
SPF = "v=spf1 include:amazonses.com include:_spf.example.net ~all"
DMARC = "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.net"
POLICY_URL = "https://mta-sts.example.com/.well-known/mta-sts.txt"


@dataclass(frozen=True)
class Planted:
    """`fix`: a part of what the report says."""

    what: str
    plant: Callable[[Place], None]
    name: str
    verdict: str
    fix: str


MISTAKES = (
    Planted("a DKIM record is missing", lambda p: p.remove(f"{DKIM}."), DKIM, "missing", "publish it"),
    Planted(
        "a DKIM record leads to the wrong zone",
        lambda p: p.change(f"{DKIM}. CNAME exampleeu1.c7.dkim.eu-central-1.", f"{DKIM}. CNAME exampleeu1.dkim."),
        DKIM,
        "wrong",
        "change the target to exampleeu1.c7.dkim.eu-central-1.amazonses.com",
    ),
    Planted(
        "the target of a DKIM record has no key",
        lambda p: p.remove("exampleeu1.c7.dkim.eu-central-1.amazonses.com. TXT"),
        DKIM,
        "wrong",
        "SES publishes the key there: wait",
    ),
    Planted(
        "the zone was appended to the name of a DKIM record",
        lambda p: p.change(f"{DKIM}.", f"{DKIM}.example.com."),
        DKIM,
        "wrong",
        f"{DKIM}.example.com has this record: the zone was appended twice",
    ),
    Planted(
        "the zone was appended to the target of a DKIM record",
        lambda p: p.change(
            f"{DKIM}. CNAME exampleeu1.c7.dkim.eu-central-1.amazonses.com.",
            f"{DKIM}. CNAME exampleeu1.c7.dkim.eu-central-1.amazonses.com.example.com.",
        ),
        DKIM,
        "wrong",
        "the zone was appended to the target",
    ),
    Planted(
        "the key was published instead of the CNAME",
        lambda p: p.change(f"{DKIM}. CNAME exampleeu1.c7.dkim.eu-central-1.amazonses.com.", f'{DKIM}. TXT "p=MIG"'),
        DKIM,
        "wrong",
        "replace the TXT record with the CNAME record",
    ),
    Planted(
        "a second MX of MAIL FROM",
        lambda p: p.add("bounce.example.com. MX 20 mx.example.net."),
        "bounce.example.com",
        "wrong",
        "the only MX record of the name: remove the others",
    ),
    Planted(
        "the MX of MAIL FROM is of another region",
        lambda p: p.change(f"bounce.example.com. MX 10 {HOST}", "bounce.example.com. MX 10 feedback-smtp.us-east-1"),
        "bounce.example.com",
        "wrong",
        f"change the host to {HOST}",
    ),
    Planted(
        "the MX of MAIL FROM is missing",
        lambda p: p.remove("bounce.example.com. MX"),
        "bounce.example.com",
        "missing",
        "publish it",
    ),
    Planted(
        "two SPF records",
        lambda p: p.add('\nexample.com. TXT "v=spf1 include:_spf.example.net -all"'),
        "example.com",
        "wrong",
        "2 SPF records are invalid together: replace them with one",
    ),
    Planted(
        "SPF without Amazon SES",
        lambda p: p.change(f'\nexample.com. TXT "{SPF}"', '\nexample.com. TXT "v=spf1 include:_spf.example.net ~all"'),
        "example.com",
        "wrong",
        "add include:amazonses.com",
    ),
    Planted(
        "SPF needs too many look-ups",
        lambda p: p.change("ip4:198.51.100.0/24", " ".join(f"a:host{n}.example.net" for n in range(9))),
        "example.com",
        "wrong",
        "more than 10 DNS look-ups",
    ),
    Planted(
        "SPF allows everybody",
        lambda p: p.change(f'\nexample.com. TXT "{SPF}"', f'\nexample.com. TXT "{SPF[:-4]}+all"'),
        "example.com",
        "wrong",
        "end it with ~all",
    ),
    Planted("no DMARC", lambda p: p.remove("_dmarc.example.com."), "_dmarc.example.com", "missing", "publish it"),
    Planted(
        "DMARC of a subdomain is weaker than what it inherits",
        lambda p: p.add('_dmarc.news.example.com. TXT "v=DMARC1; p=none"'),
        "_dmarc.news.example.com",
        "wrong",
        "it replaces the p=quarantine of example.com: remove it",
    ),
    Planted(
        "DMARC is weaker than wanted",
        lambda p: p.change("p=quarantine", "p=quarantine; pct=20"),
        "_dmarc.example.com",
        "wrong",
        "it is weaker than p=quarantine: replace it",
    ),
    Planted(
        "two DMARC records",
        lambda p: p.add('_dmarc.example.com. TXT "v=DMARC1; p=reject"'),
        "_dmarc.example.com",
        "wrong",
        "several DMARC records mean the same as none: keep only this one",
    ),
    Planted(
        "DMARC with an unknown policy",
        lambda p: p.change("p=quarantine", "p=quarantaine"),
        "_dmarc.example.com",
        "wrong",
        "p=quarantaine is no policy: replace it",
    ),
    Planted(
        "DMARC without its version",
        lambda p: p.change('_dmarc.example.com. TXT "v=DMARC1; ', '_dmarc.example.com. TXT "'),
        "_dmarc.example.com",
        "wrong",
        "does not begin with v=DMARC1",
    ),
    Planted(
        "DMARC is a CNAME that leads nowhere",
        lambda p: p.change(f'_dmarc.example.com. TXT "{DMARC}"', "_dmarc.example.com. CNAME dmarc.example.org."),
        "_dmarc.example.com",
        "wrong",
        "the CNAME leads to dmarc.example.org, which has no TXT record",
    ),
    Planted(
        "the other organisation does not agree to reports",
        lambda p: p.remove("_report._dmarc"),
        "example.com._report._dmarc.example.net",
        "missing",
        "publish it in the zone of example.net",
    ),
    Planted(
        "MTA-STS without its policy file",
        lambda p: setattr(p.policy, "status", 404),
        POLICY_URL,
        "missing",
        "serve the policy text there",
    ),
    Planted(
        "the MTA-STS policy names other hosts",
        lambda p: setattr(p.policy, "text", p.policy.text.replace("mx2.example.com", "mx2.example.net")),
        POLICY_URL,
        "wrong",
        "senders refuse to deliver to mx2.example.com: add mx: mx2.example.com",
    ),
    Planted(
        "MTA-STS without an id",
        lambda p: p.change("v=STSv1; id=", "v=STSv1; version="),
        "_mta-sts.example.com",
        "wrong",
        "its id is not 1 to 32 letters and digits",
    ),
    Planted(
        "TLS-RPT is malformed",
        lambda p: p.change("v=TLSRPTv1; rua=mailto:", "v=TLSRPTv1; rua="),
        "_smtp._tls.example.com",
        "wrong",
        "its rua is no mailto: or https:",
    ),
)


def test_nothing_is_reported_on_a_correct_zone(place: Place) -> None:
    outcome = place.run()
    assert (outcome.code, outcome.err) == (0, "")
    assert place.not_ok() == []
    assert re.search(r"^Records: 24 ok\.$", outcome.out, re.MULTILINE)
    assert place.policy.hosts[0] == "mta-sts.example.com/.well-known/mta-sts.txt"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_planted_mistake_is_reported_with_its_fix_and_nothing_else(place: Place, mistake: Planted) -> None:
    mistake.plant(place)
    outcome = place.run()
    assert outcome.code == 2
    reported = [record for record in place.not_ok() if record["verdict"] in ("missing", "wrong")]
    affected = {"example.com", "news.example.com"} if "look-ups" in mistake.what else {mistake.name}
    assert {record["name"] for record in reported} == affected
    assert reported[0]["verdict"] == mistake.verdict
    assert mistake.fix in reported[0]["fix"]
    assert mistake.name in outcome.out
    assert mistake.fix in re.sub(r"\s+", " ", outcome.out)

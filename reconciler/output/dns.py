"""The DNS records of an environment for a terminal, for programs, and as text for a zone file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from reconciler.core.text import count
from reconciler.output.neutral import for_json
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import Column, Table
from reconciler.planning.dns_answers import Check, Verdict
from reconciler.planning.dns_report import DnsReport
from reconciler.planning.mta_sts import policy_id
from reconciler.planning.ses_account import account_warnings

TTL = 3600
# In a string of a zone file; a runner would read `##[name]` and `::name::` as commands.
SPECIAL = re.compile(r'[^ -~]|["\\]|#(?=#)|:(?=:)')
COLORS = {
    Verdict.OK: Style.GOOD,
    Verdict.ACCEPTABLE: Style.GOOD,
    Verdict.OPTIONAL: Style.MUTED,
    Verdict.UNKNOWN: Style.CHANGED,
    Verdict.MISSING: Style.BAD,
    Verdict.WRONG: Style.BAD,
}
PURPOSES = {
    "dkim": "DKIM: verifies the domain in {region} and signs its mail",
    "mail_from_mx": "MAIL FROM: receives the bounces of {region}; must be the only MX record of this name",
    "mail_from_spf": "SPF of MAIL FROM: makes DMARC pass through SPF",
    "spf": "SPF of the domain: a name has only one SPF record",
    "dmarc": "DMARC: what receivers do with mail that fails",
    "dmarc_agreement": "consent to receive DMARC reports about {domain}, for the zone of the receiving domain",
    "mta_sts": "MTA-STS, for mail that the domain receives: publish it after its policy file is available",
    "tls_rpt": "TLS-RPT, for mail that the domain receives: reports of failed TLS connections",
}
NAMES = {"identity": "identity", "mail_from": "MAIL FROM domain", "configuration_set": "default configuration set"}
DETAILS = Table([Column("what"), Column("text", wraps=True)], indent=13)
PARAGRAPH = Table([Column("text", wraps=True)])


def to_lines(report: DnsReport, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then no text is wrapped."""
    lines = [line(f"dns · {report.environment} · {count(len({c.domain for c in report.checks}), 'domain')}")]
    for account in report.accounts:
        for what, fix in account_warnings(account):
            lines += PARAGRAPH.lines([[Segment(f"warning: {what}", Style.CHANGED)]], width)
            lines += Table(PARAGRAPH.columns, indent=2).lines([[Segment(f"hint: {fix}")]], width)
    for domain, checks in groupby(report.checks, lambda check: check.domain):
        lines += [line(""), line(domain, Style.HEADING)]
        lines += [each for check in checks for each in _check_lines(check, width)]
    lines += _policy_lines(report)
    lines += [line(""), line(summary(report))]
    for note in report.notes:
        lines += PARAGRAPH.lines([[Segment(note, Style.MUTED)]], width)
    return lines


def _check_lines(check: Check, width: int | None) -> Iterator[StyledLine]:
    label = f"{check.type} {check.name}" if check.type != "SES" else f"SES {NAMES[check.kind]} in {check.region}"
    yield (Segment(f"  {check.verdict:<11}", COLORS[check.verdict]), Segment(label))
    if check.verdict is Verdict.OK:
        rows = [("note", check.fix)] if check.fix else []
    else:
        last = "fix" if check.failed else "note"
        rows = [("wanted", check.wanted), *(("found", found) for found in check.found)]
        rows += [(last, check.fix)] if check.fix else []
    yield from DETAILS.lines([[Segment(what, Style.MUTED), Segment(text)] for what, text in rows], width)


def _policy_lines(report: DnsReport) -> list[StyledLine]:
    """The policies that are not served yet."""
    lines: list[StyledLine] = []
    for check in report.checks:
        if check.kind == "mta_sts_policy" and check.verdict not in (Verdict.OK, Verdict.ACCEPTABLE):
            lines += [line(""), line(f"{check.name} should be:")]
            lines += [line(f"  {text}") for text in report.policies[check.domain].splitlines()]
    return lines


def summary(report: DnsReport) -> str:
    order = (Verdict.MISSING, Verdict.WRONG, Verdict.UNKNOWN, Verdict.OPTIONAL, Verdict.ACCEPTABLE, Verdict.OK)
    counts = [f"{report.count(verdict)} {verdict}" for verdict in order if report.count(verdict)]
    return f"Records: {', '.join(counts)}."


def to_zone(report: DnsReport) -> list[StyledLine]:
    """Names are absolute, with a final dot, so that the text has the same meaning under every $ORIGIN."""
    lines = [f"; DNS records for environment {report.environment}, merged with what is published. See docs/dns.md."]
    for domain, checks in groupby(report.checks, lambda check: check.domain):
        lines += ["", f"; ==== {domain}"]
        for purpose, group in groupby((each for each in checks if each.kind in PURPOSES), _purpose):
            lines += [f"; {purpose}", *(text for check in group for text in _zone_lines(check))]
    return [line(text) for text in lines]


def _purpose(check: Check) -> str:
    return PURPOSES[check.kind].format(region=check.region, domain=check.domain)


def _zone_lines(check: Check) -> Iterable[str]:
    if not check.publish:
        reason = check.fix or ", ".join(check.found)
        return [f"; not printed: {check.name} {check.type}: {reason}"]
    value = _quoted(check.publish) if check.type == "TXT" else f"{check.publish}."
    record = f"{check.name}. {TTL} IN {check.type} {value}"
    if check.kind == "dmarc_agreement":
        return [f"; {record}"]  # in another zone
    return [f"; replaces what is published: {check.fix}", record] if check.verdict is Verdict.WRONG else [record]


def _quoted(text: str) -> str:
    """Strings of up to 255 bytes (RFC 1035, 3.3 and 5.1)."""
    parts = [text[at : at + 255] for at in range(0, len(text), 255)]
    return " ".join(f'"{SPECIAL.sub(_escape, part)}"' for part in parts)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return f"\\{character}" if character in '"\\' else f"\\{ord(character):03d}"


def to_json(report: DnsReport) -> str:
    return for_json(to_dict(report))


def to_dict(report: DnsReport) -> dict[str, Any]:
    """Plain data for JSON."""
    return {
        "format": 1,
        "environment": report.environment,
        "accounts": [
            {
                "region": account.region,
                "sandbox": account.sandbox,
                "sending_enabled": account.sending_enabled,
                "enforcement": account.enforcement,
                "warnings": [{"message": what, "hint": hint} for what, hint in account_warnings(account)],
            }
            for account in report.accounts
        ],
        "records": [
            {
                "domain": check.domain,
                "region": check.region or None,
                "kind": check.kind,
                "type": check.type,
                "name": check.name,
                "wanted": check.wanted,
                "found": list(check.found),
                "verdict": check.verdict,
                "fix": check.fix,
                "publish": check.publish or None,
            }
            for check in report.checks
        ],
        "mta_sts_policies": {domain: {"id": policy_id(text), "text": text} for domain, text in report.policies.items()},
        "notes": list(report.notes),
    }

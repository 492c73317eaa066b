"""The access review as JSON, CSV and one page. The three belong together: the JSON's digest covers them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler import __version__
from reconciler.core.record import timestamp
from reconciler.output.neutral import for_json
from reconciler.output.report_csv import to_csv
from reconciler.output.report_page import NO_DIGEST, set_digest, to_html
from reconciler.planning.report import AccessKey, Entry, Report
from reconciler.planning.report_chain import digest_of, digest_of_bytes
from reconciler.planning.report_findings import MEANINGS

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Documents:
    """The bytes of the three files."""

    html: bytes
    csv: bytes
    json: bytes
    digest: str


def render(report: Report, previous: str, json_name: str) -> Documents:
    """`previous`: the digest of the report that this one continues, or ''. `json_name`: shown on the page.

    The page shows the digest, which covers the page: it is computed with NO_DIGEST in its place.
    """
    content = to_dict(report, previous)
    html = to_html(report, previous, json_name)
    csv = b"\xef\xbb\xbf" + to_csv(content["users"]).encode()  # spreadsheets recognise UTF-8 by its mark
    content["files"] = {"html": digest_of_bytes(html.encode()), "csv": digest_of_bytes(csv)}
    digest = digest_of(content)
    page = set_digest(html, NO_DIGEST, digest)
    return Documents(page.encode(), csv, to_json(content | {"digest": digest}).encode(), digest)


def to_json(content: dict[str, Any]) -> str:
    return f"{for_json(content)}\n"


def to_dict(report: Report, previous: str) -> dict[str, Any]:
    """Without `files` and `digest`."""
    return {
        "format": FORMAT,
        "tool_version": __version__,
        "environment": report.environment,
        "account_id": report.account_id,
        "region": report.region,
        "created_at": timestamp(report.at),
        "created_by": report.by,
        "commit": report.commit or None,
        "repository": report.repository or None,
        "previous": previous or None,
        "notes": list(report.notes),
        "counts": {kind.value: count for kind, count in report.counts.items()},
        "users": [_user(entry) for entry in report.entries],
    }


def _user(entry: Entry) -> dict[str, Any]:
    user, grant = entry.user, entry.grant
    return {
        "name": entry.name,
        "description": user.description if user else "",
        "owner": user.owner if user else "",
        "state": entry.state,
        "addresses": list(user.allowed_from_addresses) if user else [],
        "networks": list(user.allowed_source_ips) if user else [],
        "expires": user.expires.isoformat() if user and user.expires else None,
        "source": {
            "commit": grant.commit or None,
            "pull_request": grant.pull_request or None,
            "approver": grant.approver or None,
            "actor": grant.actor or None,
            "run": grant.run or None,
            "requested_at": grant.requested_at or None,
            "manifest": grant.manifest or None,
            "line": grant.line or None,
        },
        "keys": [_key(key) for key in entry.keys],
        "key_created_at": timestamp(entry.key_created_at) if entry.key_created_at else None,
        "last_use": last_use(entry),
        "last_used_at": timestamp(entry.last_used) if entry.last_used and entry.use_is_known else None,
        "findings": [
            {
                "kind": finding.kind.value,
                "severity": MEANINGS[finding.kind].severity.name.lower(),
                "description": finding.description,
            }
            for finding in entry.findings
        ],
    }


def _key(key: AccessKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "active": key.active,
        "created_at": timestamp(key.created_at) if key.created_at else None,
        "last_use": "unknown" if not key.use_is_known else "used" if key.last_used else "never",
        "last_used_at": timestamp(key.last_used) if key.last_used else None,
    }


def last_use(entry: Entry) -> str:
    if not entry.keys:
        return "no key"
    if not entry.use_is_known:
        return "unknown"
    return "used" if entry.last_used else "never"

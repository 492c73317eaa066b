"""One user of the access review as a row of its page: texts, links and what the row is sorted by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.differences import Drift
from reconciler.core.record import Status
from reconciler.core.text import count
from reconciler.output.neutral import for_page
from reconciler.output.report_links import commit_url, manifest_url, pull_request_url
from reconciler.planning.report import NOT_APPLIED, Entry, Report
from reconciler.planning.report_findings import MEANINGS, Kind

_STATE_TONES = {Status.ACTIVE: "good", Status.FAILED: "high"}
_QUIET = {Status.DISABLED, Status.PENDING, Status.DELETING, NOT_APPLIED}
# What the other columns say already.
_EVIDENT = {Kind.NO_EXPIRY, Kind.NO_OWNER, Kind.UNUSED, Kind.WILDCARD}
_LATE = "9999-99-99"  # what never expires is behind everything that does


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    title: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The keys are numbers, but `expires_key`. `kinds`: of the findings, separated by spaces."""

    name: str
    description: str
    state: str
    state_tone: str
    addresses: tuple[str, ...]
    networks: str
    expires: str
    expires_key: str
    expired: bool
    owner: str
    source: tuple[Text, ...]
    key_age: str
    key_age_key: int
    key_created: str
    last_use: str
    last_use_key: int
    last_used: str
    kinds: str
    findings_key: int
    findings: tuple[Shown, ...] = field(default=())


def tone(kind: Kind | Drift) -> str:
    return MEANINGS[kind].severity.name.lower()


def to_row(entry: Entry, report: Report) -> Row:
    user = entry.user
    expires_at = user.expires_at() if user else None
    age = _days(entry.key_created_at, report.at)
    use, use_key = _last_use(entry, report.at)
    severities = [MEANINGS[finding.kind].severity for finding in entry.findings]
    return Row(
        name=for_page(entry.name),
        description=for_page(user.description) if user else "",
        state=for_page(entry.state),
        state_tone=_STATE_TONES.get(entry.state, "" if entry.state in _QUIET else "high"),  # type: ignore[call-overload]
        addresses=tuple(map(for_page, user.allowed_from_addresses)) if user else (),
        networks=_networks(entry),
        expires=user.expires.isoformat() if user and user.expires else "never" if user else "unknown",
        expires_key=user.expires.isoformat() if user and user.expires else _LATE,
        expired=expires_at is not None and report.at >= expires_at,
        owner=for_page(user.owner) if user else "",
        source=tuple(_source(entry, report)),
        key_age=count(age, "day") if age is not None else "unknown" if entry.keys else "no key",
        key_age_key=-1 if age is None else age,
        key_created=_moment(entry.key_created_at),
        last_use=use,
        last_use_key=use_key,
        last_used=_moment(entry.last_used),
        kinds=" ".join(dict.fromkeys(finding.kind.value for finding in entry.findings)),
        findings_key=sum(1000 ** (2 - severity) for severity in severities),
        findings=tuple(
            Shown(
                MEANINGS[finding.kind].title,
                "" if finding.kind in _EVIDENT else for_page(finding.description),
                tone(finding.kind),
            )
            for finding in entry.findings
        ),
    )


def _networks(entry: Entry) -> str:
    if entry.user is None:
        return ""
    return f"from {', '.join(entry.user.allowed_source_ips)}" if entry.user.allowed_source_ips else "from any network"


def _source(entry: Entry, report: Report) -> Iterator[Text]:
    grant = entry.grant
    if grant.pull_request:
        url = pull_request_url(grant.pull_request)
        yield Text(f"pull request {url.rpartition('/')[2]}" if url else for_page(grant.pull_request), url)
    if grant.commit:
        commit = grant.commit.partition("-")[0]
        shown = commit[:12] + ("-dirty" if commit != grant.commit else "")
        yield Text(for_page(shown), commit_url(report.repository, commit))
    if grant.approver:
        yield Text(for_page(f"approved by {', '.join(grant.approver.split())}"))
    if grant.manifest:
        where = f"{grant.manifest}:{grant.line}" if grant.line else grant.manifest
        commit = report.commit if grant.line else grant.commit
        yield Text(for_page(where), manifest_url(report.repository, commit, grant.manifest, grant.line))


def _last_use(entry: Entry, now: datetime) -> tuple[str, int]:
    """The text, and the days since then: what is unknown comes first, then what was never used."""
    if not entry.keys:
        return "no key", -1
    if not entry.use_is_known:
        return "unknown", 10**7
    days = _days(entry.last_used, now)
    if days is None:
        return "never", 10**6
    return (f"{count(days, 'day')} ago" if days else "today"), days


def _days(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max((now - moment).days, 0)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""

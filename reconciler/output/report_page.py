"""The access review as one page: nothing is loaded, and nothing but its own script runs."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from reconciler.core.record import Status
from reconciler.errors import ReconcileError
from reconciler.output.neutral import for_page
from reconciler.output.report_links import commit_url
from reconciler.output.report_rows import to_row, tone
from reconciler.planning.report import Entry, Report
from reconciler.planning.report_findings import MEANINGS, Severity

NO_DIGEST = "0" * 64
_DIGEST = '<code id="digest">{}</code>'
_COLUMNS = (
    ("User", "name", False), ("State", "state-column", False), ("May send as", "grant", False),
    ("Expires", "date", False), ("Owner", "owner", False), ("Source", "source", False), ("Key age", "age", True),
    ("Last use", "use", True), ("Findings", "findings", True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    value: str
    count: int
    tone: str = ""


def require_extra() -> None:
    """Raises ReconcileError if the extra `report` is not installed: before anything is read."""
    if find_spec("jinja2") is None:
        message = "the report needs the package Jinja2, which is not installed"
        raise ReconcileError(message, 'install "ses-smtp-reconciler[report]"')


def set_digest(html: str, old: str, new: str) -> str:
    """The page with another digest in its place. Raises ValueError if it does not show the old one exactly once."""
    if html.count(_DIGEST.format(old)) != 1:
        raise ValueError("the page does not show this digest")
    return html.replace(_DIGEST.format(old), _DIGEST.format(new))


def to_html(report: Report, previous: str, json_name: str) -> str:
    """With NO_DIGEST in the place of the digest. All text is escaped by the template, and neutralised here."""
    from jinja2 import Environment, StrictUndefined  # of the extra

    folder = files("reconciler.output") / "page"
    source, script, style = (folder.joinpath(f"report.{end}").read_text("utf-8") for end in ("html", "js", "css"))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(
        page=_Page(report, previous, json_name),
        script=_trusted(script),
        style=_trusted(style),
        script_hash=_hash(script),
        style_hash=_hash(style),
    )


def _trusted(text: str) -> Any:
    """Our own script or style: its element ends at no other place."""
    from markupsafe import Markup  # of Jinja2

    return Markup(text)  # noqa: S704 - no value of a report is in it


def _hash(text: str) -> str:
    """https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/script-src"""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class _Page:
    """What the template shows."""

    digest = NO_DIGEST

    def __init__(self, report: Report, previous: str, json_name: str) -> None:
        self._report = report
        self.environment = for_page(report.environment)
        self.day = f"{report.at:%Y-%m-%d}"
        self.previous = previous
        self.json_name = for_page(json_name)
        self.notes = [for_page(note) for note in report.notes]
        self.columns = [{"label": label, "style": style, "number": number} for label, style, number in _COLUMNS]
        self.shown = f"{len(report.entries):,} users"
        self.facts = [*_facts(report)]
        self.tiles = [*_tiles(report.entries)]
        self.chips = [*_chips(report)]
        self.owners = _choices((entry.user.owner if entry.user else "") or "none" for entry in report.entries)
        self.states = _choices(entry.state for entry in report.entries)
        self.meanings = [
            {"title": MEANINGS[kind].title, "text": MEANINGS[kind].advice, "tone": tone(kind)} for kind in report.counts
        ]

    @property
    def rows(self) -> Iterator[Any] | tuple[()]:
        """One after the other: thousands of users need little memory. Falsy if there is none."""
        return (to_row(entry, self._report) for entry in self._report.entries) if self._report.entries else ()


def _facts(report: Report) -> Iterator[dict[str, str]]:
    yield {"label": "Created", "text": f"{report.at:%Y-%m-%d %H:%M} UTC", "url": ""}
    yield {"label": "By", "text": for_page(report.by.rpartition(":")[2]), "url": ""}
    yield {"label": "Account", "text": f"{report.account_id}, {report.region}", "url": ""}
    if report.commit:
        yield {
            "label": "Commit",
            "text": report.commit[:12] + ("-dirty" if "-" in report.commit else ""),
            "url": commit_url(report.repository, report.commit),
        }


def _tiles(entries: tuple[Entry, ...]) -> Iterator[dict[str, Any]]:
    severities = [min((MEANINGS[each.kind].severity for each in one.findings), default=None) for one in entries]
    high = sum(severity is Severity.HIGH for severity in severities)
    yield _tile(len(entries), "user" if len(entries) == 1 else "users")
    yield _tile(sum(entry.state == Status.ACTIVE for entry in entries), "active", "good")
    yield _tile(high, "with high severity", "high" if high else "good")
    yield _tile(sum(severity is Severity.MEDIUM for severity in severities), "with medium severity")
    yield _tile(sum(severity is None for severity in severities), "without findings")


def _tile(number: int, label: str, style: str = "") -> dict[str, Any]:
    return {"number": f"{number:,}", "label": label, "tone": style}


def _chips(report: Report) -> Iterator[Choice]:
    for kind, count in report.counts.items():
        yield Choice(MEANINGS[kind].title, kind.value, count, tone(kind))


def _choices(values: Iterable[str]) -> list[Choice]:
    counted = sorted(Counter(for_page(value) for value in values).items(), key=lambda item: item[0].lower())
    return [Choice(value, value, count) for value, count in counted]

"""An audit for a terminal, for a job summary and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.core.text import count
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, fitting
from reconciler.output.neutral import for_json, for_markdown
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import Column, Table
from reconciler.planning.audit import Audit, Finding, Note

FINDINGS = (Column("user"), Column("kind"), Column("description", wraps=True), Column("declared at", drop_below=24))
NOTES = (Column("user"), Column("description", wraps=True))


def to_lines(audit: Audit, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then every finding takes one line."""
    sides = f"{audit.declared} declared, {count(audit.records, 'record')}, {count(audit.iam_users, 'IAM user')}"
    findings = [
        _cells(Style.BAD, f"! {finding.name}", finding.kind, finding.description, finding.source)
        for finding in audit.findings
    ]
    notes = [_cells(Style.MUTED, f"· {note.name}", note.description) for note in audit.notes]
    return [
        line(f"smtp users · {audit.environment} · {sides}"),
        *Table(FINDINGS, gap=3, indent=2).lines(findings, width),
        *Table(NOTES, gap=3, indent=2).lines(notes, width),
        *([] if audit.complete else [line(INCOMPLETE)]),
        line(summary(audit)),
    ]


def _cells(style: Style, *texts: str) -> list[Segment]:
    return [Segment(text, style) for text in texts]


INCOMPLETE = "Not read: console passwords and other ways to sign in; --thorough reads them."


def summary(audit: Audit) -> str:
    if not audit.findings:
        return f"No drift: {count(audit.checked, 'user')} checked."
    users = f"{len(audit.differing)} of {count(audit.checked, 'user')}"
    return f"Drift: {count(len(audit.findings), 'finding')} for {users}."


def to_markdown(audit: Audit) -> str:
    """For a job summary or a comment."""
    parts = [f"### SMTP users · {for_markdown(audit.environment)} · drift", "", f"**{summary(audit)}**"]
    if audit.findings:
        parts += ["", "| user | kind | description | declared at |", "|---|---|---|---|"]
        shown = fitting(map(_row, audit.findings), TABLE_BYTES)
        parts += shown
        if left := len(audit.findings) - len(shown):
            parts.append(f"| … | | {count(left, 'more finding')} | |")
    parts += _markdown_notes(audit.notes)
    if not audit.complete:
        parts += ["", INCOMPLETE]
    return "\n".join(parts)


def _row(finding: Finding) -> str:
    texts = (finding.name, finding.kind.value, finding.description, finding.source)
    cells = [for_markdown(text) for text in texts]
    return f"| {' | '.join(cells)} |"


def _markdown_notes(notes: Sequence[Note]) -> list[str]:
    shown = fitting((f"- {for_markdown(note.name)} {for_markdown(note.description)}" for note in notes), NAMES_BYTES)
    more = [f"- and {len(notes) - len(shown)} more"] if len(shown) < len(notes) else []
    return ["", *shown, *more] if notes else []


def to_json(audit: Audit) -> str:
    return for_json(to_dict(audit))


def to_dict(audit: Audit) -> dict[str, Any]:
    """Plain data for JSON."""
    return {
        "format": 1,
        "environment": audit.environment,
        "declared": audit.declared,
        "records": audit.records,
        "iam_users": audit.iam_users,
        "checked": audit.checked,
        "complete": audit.complete,
        "findings": [
            {
                "name": finding.name,
                "kind": finding.kind,
                "description": finding.description,
                "manifest": finding.manifest or None,
                "line": finding.line or None,
            }
            for finding in audit.findings
        ],
        "notes": [{"name": note.name, "description": note.description} for note in audit.notes],
    }

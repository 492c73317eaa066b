"""An audit as people read it: in a terminal, in a job summary, in a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.core.text import count, printable
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, escape, fitting
from reconciler.planning.audit import Audit, Finding, Note

WORDS_WIDTH = 72  # what is longer does not push the columns of the others away


def to_text(audit: Audit) -> str:
    """Without colour; the caller may colour lines by their sign."""
    columns = [(finding.name, finding.kind, finding.description) for finding in audit.findings]
    name, kind, words = (max((len(row[n]) for row in columns), default=0) for n in range(3))
    words = min(words, WORDS_WIDTH)
    sides = f"{audit.declared} declared, {count(audit.records, 'row')}, {count(audit.iam_users, 'IAM user')}"
    lines = [f"smtp users · {audit.environment} · {sides}"]
    for finding in audit.findings:
        shown = f"  ! {finding.name:{name}}   {finding.kind:{kind}}   {finding.description:{words}}   {finding.source}"
        lines.append(shown.rstrip())
    lines += [f"  · {note.name}   {note.description}" for note in audit.notes]
    return "\n".join(map(printable, [*lines, summary(audit)]))


def summary(audit: Audit) -> str:
    if not audit.findings:
        return f"Nothing differs: {count(audit.checked, 'user')} checked."
    users = f"{len(audit.differing)} of {count(audit.checked, 'user')}"
    return f"Drift: {count(len(audit.findings), 'difference')} at {users}."


def to_markdown(audit: Audit) -> str:
    """For a job summary or a comment."""
    parts = [f"### SMTP users · `{audit.environment}` · drift", "", f"**{summary(audit)}**"]
    if audit.findings:
        parts += ["", "| user | kind | what differs | declared at |", "|---|---|---|---|"]
        shown = fitting([_row(finding) for finding in audit.findings], TABLE_BYTES)
        parts += shown
        if left := len(audit.findings) - len(shown):
            parts.append(f"| … | | {count(left, 'more difference')} | |")
    parts += _markdown_notes(audit.notes)
    return "\n".join(parts)


def _row(finding: Finding) -> str:
    cells = (f"**{escape(finding.name)}**", finding.kind.value, escape(finding.description), escape(finding.source))
    return f"| {' | '.join(cells)} |"


def _markdown_notes(notes: Sequence[Note]) -> list[str]:
    lines = [f"- **{escape(note.name)}** {escape(note.description)}" for note in notes]
    shown = fitting(lines, NAMES_BYTES)
    more = [f"- and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return ["", *shown, *more] if lines else []


def to_json(audit: Audit) -> str:
    return json.dumps(to_dict(audit), indent=2)


def to_dict(audit: Audit) -> dict[str, Any]:
    """Plain data for JSON."""
    return {
        "format": 1,
        "environment": audit.environment,
        "declared": audit.declared,
        "records": audit.records,
        "iam_users": audit.iam_users,
        "checked": audit.checked,
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

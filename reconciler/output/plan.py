"""A plan as people read it: in a terminal, in a pull request, in a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reconciler.core.policy import QUOTA
from reconciler.core.text import count, printable
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, escape, fitting
from reconciler.planning.plan import Foreign, Line, Plan, Revoked

SIGNS = {"create": "+", "adopt": ">", "update": "~", "delete": "-"}
VERBS = ("create", "adopt", "update", "delete")
REVOKED_ROWS = 10


def to_text(plan: Plan) -> str:
    """Without colour; the caller may colour lines by their sign."""
    rows = [_cells(line) for line in plan.lines]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    lines = [f"smtp users · {plan.environment} · {count(plan.records, 'record')}, {plan.declared} declared"]
    for line, (name, words, size, source) in zip(plan.lines, rows, strict=True):
        words_width = min(widths[1], 72)
        shown = f"  {SIGNS[line.action]} {name:{widths[0]}}   {words:{words_width}}   {size:{widths[2]}}   {source}"
        lines.append(shown.rstrip())
    lines += [f"  · {name}   deletion is under way" for name in plan.leaving]
    lines += [
        f"  ? {row.name}   foreign, not touched: {row.status or 'no status'}, "
        f"{f'managed by {row.managed_by}' if row.managed_by else 'put by hand'}"
        for row in plan.foreign
    ]
    lines += [f"  ! {row.name}   {_revoked_words(row)}" for row in plan.revoked]
    return "\n".join(map(printable, [*lines, summary(plan)]))


def _revoked_words(row: Revoked) -> str:
    return f"revoked by {row.actor or 'somebody'}: {row.reason or 'no reason given'}; no key works until it is resumed"


def _cells(line: Line) -> tuple[str, str, str, str]:
    size = f"policy {line.policy_size}/{QUOTA}" if line.policy_size else ""
    return line.name, "; ".join(line.words), size, line.source


def summary(plan: Plan) -> str:
    if plan.refusals and not plan.lines:
        return "Refused: nothing was planned."
    if not plan.lines:
        return f"Nothing to do: {len(plan.unchanged)} unchanged."
    counts = [f"{plan.count(verb)} to {verb}" for verb in VERBS if verb != "adopt" or plan.count(verb)]
    return f"Plan: {', '.join(counts)}, {len(plan.unchanged)} unchanged."


def to_markdown(plan: Plan) -> str:
    """For a job summary or a comment on a pull request."""
    parts = [f"### SMTP users · `{plan.environment}`", "", f"**{summary(plan)}**"]
    for reason, hint in plan.refusals:
        parts += ["", f"> **Refused:** {escape(reason)}", f"> {escape(hint)}"]
    if plan.lines:
        parts += ["", "| | user | what changes | policy | declared at |", "|---|---|---|---|---|"]
        parts += _markdown_rows(plan.lines)
    if plan.leaving:
        parts += ["", f"Deletion under way: {_names(plan.leaving)}"]
    if plan.foreign:
        parts += ["", f"Foreign rows, not touched: {_names([row.name for row in plan.foreign])}"]
    parts += _markdown_revoked(plan.revoked)
    return "\n".join(parts)


def _markdown_revoked(rows: Sequence[Revoked]) -> list[str]:
    shown = [f"> **Revoked:** **{escape(row.name)}** {escape(_revoked_words(row))}" for row in rows[:REVOKED_ROWS]]
    more = [f"> and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
    return [line for row in [*shown, *more] for line in ("", row)]


def _markdown_rows(lines: Sequence[Line]) -> list[str]:
    rows = [_markdown_row(line) for line in lines]
    shown = list(fitting(rows, TABLE_BYTES))
    more = len(rows) - len(shown)
    return [*shown, f"| | … | {count(more, 'more change')} | | |"] if more else shown


def _markdown_row(line: Line) -> str:
    size = f"{line.policy_size}/{QUOTA}" if line.policy_size else ""
    words = "<br>".join(escape(word) for word in line.words)
    cells = (f"`{SIGNS[line.action]}`", f"**{escape(line.name)}**", words, size, escape(line.source))
    return f"| {' | '.join(cells)} |"


def _names(names: Sequence[str]) -> str:
    escaped = [escape(name) for name in names]
    shown = fitting([f"{name}," for name in escaped], NAMES_BYTES)
    more = len(escaped) - len(shown)
    return ", ".join(escaped[: len(shown)]) + (f" and {more} more" if more else "")


def to_json(plan: Plan) -> str:
    return json.dumps(to_dict(plan), indent=2)


def to_dict(plan: Plan) -> dict[str, Any]:
    """Plain data for JSON; `from_dict` reads it back."""
    return {
        "format": 1,
        "environment": plan.environment,
        "records": plan.records,
        "declared": plan.declared,
        "changes": [
            {
                "action": line.action,
                "name": line.name,
                "words": list(line.words),
                "manifest": line.manifest or None,
                "line": line.line or None,
                "policy": {"size": line.policy_size, "quota": QUOTA} if line.policy_size else None,
            }
            for line in plan.lines
        ],
        "unchanged": list(plan.unchanged),
        "leaving": list(plan.leaving),
        "foreign": [{"name": row.name, "status": row.status, "managed_by": row.managed_by} for row in plan.foreign],
        "revoked": [asdict(row) for row in plan.revoked],
        "refusals": [{"reason": reason, "hint": hint} for reason, hint in plan.refusals],
    }


def from_dict(data: dict[str, Any]) -> Plan:
    return Plan(
        environment=data["environment"],
        records=data["records"],
        declared=data["declared"],
        lines=tuple(
            Line(
                change["action"],
                change["name"],
                tuple(change["words"]),
                change["manifest"] or "",
                change["line"] or 0,
                change["policy"]["size"] if change["policy"] else 0,
            )
            for change in data["changes"]
        ),
        unchanged=tuple(data["unchanged"]),
        leaving=tuple(data["leaving"]),
        foreign=tuple(Foreign(row["name"], row["status"], row["managed_by"]) for row in data["foreign"]),
        revoked=tuple(Revoked(**row) for row in data["revoked"]),
        refusals=tuple((refusal["reason"], refusal["hint"]) for refusal in data["refusals"]),
    )

"""A plan for a terminal, for a pull request and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reconciler.core.policy import QUOTA
from reconciler.core.text import count
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, escape, fitting
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import LONGEST_ALIGNED, Column, Table
from reconciler.planning.plan import Line, Plan, Revoked, Unmanaged

SIGNS = {"create": "+", "adopt": ">", "update": "~", "delete": "-"}
STYLES = {"create": Style.GOOD, "adopt": Style.ADOPTED, "update": Style.CHANGED, "delete": Style.BAD}
VERBS = ("create", "adopt", "update", "delete")
REVOKED_ROWS = 10

CHANGES = (
    Column("user"),
    Column("details", wraps=True),
    Column("policy size", drop_below=60),
    Column("declared at", drop_below=32),
)
OTHERS = (Column("user"), Column("details", wraps=True))


def to_lines(plan: Plan, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then every user takes one line."""
    changes, others = [_cells(change) for change in plan.lines], _others(plan)
    names = max((row[0].width for row in (*changes, *others)), default=0)
    first_width = min(names, LONGEST_ALIGNED)
    return [
        line(f"smtp users · {plan.environment} · {count(plan.records, 'record')}, {plan.declared} declared"),
        *Table(CHANGES, gap=3, indent=2, first_width=first_width).lines(changes, width),
        *Table(OTHERS, gap=3, indent=2, first_width=first_width).lines(others, width),
        line(summary(plan)),
    ]


def _cells(change: Line) -> tuple[Segment, ...]:
    size = f"policy {change.policy_size}/{QUOTA}" if change.policy_size else ""
    cells = (f"{SIGNS[change.action]} {change.name}", "; ".join(change.details), size, change.source)
    return tuple(Segment(cell, STYLES[change.action]) for cell in cells)


def _others(plan: Plan) -> list[tuple[Segment, ...]]:
    """Users that this run does not change, but that a reader has to know of."""
    texts = [
        *(("·", name, "deletion in progress", Style.MUTED) for name in plan.deleting),
        *(("?", record.name, _describe_unmanaged(record), Style.MUTED) for record in plan.unmanaged),
        *(("!", user.name, _describe_revoked(user), Style.BAD) for user in plan.revoked),
    ]
    return [(Segment(f"{sign} {name}", style), Segment(text, style)) for sign, name, text, style in texts]


def _describe_unmanaged(record: Unmanaged) -> str:
    source = f"managed by {record.managed_by}" if record.managed_by else "created manually"
    return f"unmanaged, ignored: {record.status or 'no status'}, {source}"


def _describe_revoked(user: Revoked) -> str:
    by, reason = user.actor or "an unknown actor", user.reason or "no reason given"
    return f"revoked by {by}: {reason}; keys stay inactive until `reconcile resume {user.name}`"


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
    if plan.deleting:
        parts += ["", f"Deletion in progress: {_names(plan.deleting)}"]
    if plan.unmanaged:
        parts += ["", f"Unmanaged records, ignored: {_names([record.name for record in plan.unmanaged])}"]
    parts += _markdown_revoked(plan.revoked)
    return "\n".join(parts)


def _markdown_revoked(users: Sequence[Revoked]) -> list[str]:
    shown = [
        f"> **Revoked:** **{escape(user.name)}** {escape(_describe_revoked(user))}" for user in users[:REVOKED_ROWS]
    ]
    more = [f"> and {len(users) - len(shown)} more"] if len(users) > len(shown) else []
    return [text for quote in [*shown, *more] for text in ("", quote)]


def _markdown_rows(changes: Sequence[Line]) -> list[str]:
    shown = fitting(map(_markdown_row, changes), TABLE_BYTES)
    more = len(changes) - len(shown)
    return [*shown, f"| | … | {count(more, 'more change')} | | |"] if more else shown


def _markdown_row(change: Line) -> str:
    size = f"{change.policy_size}/{QUOTA}" if change.policy_size else ""
    details = "<br>".join(escape(detail) for detail in change.details)
    cells = (f"`{SIGNS[change.action]}`", f"**{escape(change.name)}**", details, size, escape(change.source))
    return f"| {' | '.join(cells)} |"


def _names(names: Sequence[str]) -> str:
    shown = fitting((f"{escape(name)}," for name in names), NAMES_BYTES)
    more = len(names) - len(shown)
    return " ".join(shown).removesuffix(",") + (f" and {more} more" if more else "")


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
                "action": change.action,
                "name": change.name,
                "details": list(change.details),
                "manifest": change.manifest or None,
                "line": change.line or None,
                "policy": {"size": change.policy_size, "quota": QUOTA} if change.policy_size else None,
            }
            for change in plan.lines
        ],
        "unchanged": list(plan.unchanged),
        "deleting": list(plan.deleting),
        "unmanaged": [asdict(record) for record in plan.unmanaged],
        "revoked": [asdict(user) for user in plan.revoked],
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
                tuple(change["details"]),
                change["manifest"] or "",
                change["line"] or 0,
                change["policy"]["size"] if change["policy"] else 0,
            )
            for change in data["changes"]
        ),
        unchanged=tuple(data["unchanged"]),
        deleting=tuple(data["deleting"]),
        unmanaged=tuple(Unmanaged(**record) for record in data["unmanaged"]),
        revoked=tuple(Revoked(**user) for user in data["revoked"]),
        refusals=tuple((refusal["reason"], refusal["hint"]) for refusal in data["refusals"]),
    )

"""A plan as people read it: in a terminal, in a pull request, in a program."""

from __future__ import annotations

import json

from reconciler.core.plan import Line, Plan, to_dict
from reconciler.core.policy import QUOTA

SIGNS = {"create": "+", "adopt": ">", "update": "~", "delete": "-"}
VERBS = ("create", "adopt", "update", "delete")
# A job summary holds 1 MB, a comment 64 KB: the rest is counted, never cut off in the middle of a line.
MARKDOWN_LINES = 200


def to_text(plan: Plan) -> str:
    """Without colour; the caller may colour lines by their sign."""
    rows = [_cells(line) for line in plan.lines]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    lines = [f"smtp users · {plan.environment} · {_count(plan.records, 'record')}, {plan.declared} declared"]
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
    return "\n".join([*lines, summary(plan)])


def _cells(line: Line) -> tuple[str, str, str, str]:
    size = f"policy {line.policy_size}/{QUOTA}" if line.policy_size else ""
    return line.name, "; ".join(line.words), size, line.source


def summary(plan: Plan) -> str:
    if not plan.lines:
        return f"Nothing to do: {len(plan.unchanged)} unchanged."
    counts = [f"{plan.count(verb)} to {verb}" for verb in VERBS if verb != "adopt" or plan.count(verb)]
    return f"Plan: {', '.join(counts)}, {len(plan.unchanged)} unchanged."


def to_markdown(plan: Plan) -> str:
    """For a job summary or a comment on a pull request."""
    parts = [f"### SMTP users · `{plan.environment}`", "", f"**{summary(plan)}**"]
    if plan.lines:
        parts += ["", "| | user | what changes | policy | declared at |", "|---|---|---|---|---|"]
        parts += [_markdown_row(line) for line in plan.lines[:MARKDOWN_LINES]]
        if len(plan.lines) > MARKDOWN_LINES:
            parts.append(f"| | … | {len(plan.lines) - MARKDOWN_LINES} more changes | | |")
    if plan.leaving:
        parts += ["", f"Deletion under way: {', '.join(f'`{name}`' for name in plan.leaving)}"]
    if plan.foreign:
        names = ", ".join(f"`{_escape(row.name)}`" for row in plan.foreign[:MARKDOWN_LINES])
        parts += ["", f"Foreign rows, not touched: {names}"]
    for reason, hint in plan.refusals:
        parts += ["", f"> **Refused:** {_escape(reason)}", f"> {_escape(hint)}"]
    return "\n".join(parts)


def _markdown_row(line: Line) -> str:
    size = f"{line.policy_size}/{QUOTA}" if line.policy_size else ""
    source = f"`{line.source}`" if line.source else ""
    words = "<br>".join(_escape(word) for word in line.words)
    return f"| `{SIGNS[line.action]}` | **{line.name}** | {words} | {size} | {source} |"


def _escape(text: str) -> str:
    for character in "\\`*_|<>":
        text = text.replace(character, f"\\{character}")
    return text


def to_json(plan: Plan) -> str:
    return json.dumps(to_dict(plan), indent=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"

"""The history of a user as text, Markdown and JSON, newest first."""

from __future__ import annotations

from typing import Any

from reconciler.core.record import timestamp
from reconciler.core.text import clip
from reconciler.output.markdown import TABLE_BYTES, fitting
from reconciler.output.neutral import for_json, for_markdown
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.planning.user_history import Event, HistoryEntry, UserHistory

_STYLES = {Event.CREATED: Style.GOOD, Event.REMOVED: Style.BAD, Event.RECORD: Style.MUTED}


def to_lines(history: UserHistory) -> list[StyledLine]:
    lines = [line(f"smtp users · {history.environment} · history of {history.name}", Style.HEADING)]
    for entry in history.entries:
        heading = Segment(f"  {timestamp(entry.at)}  {entry.event}", _STYLES.get(entry.event, Style.CHANGED))
        lines.append((heading, Segment(f"  {_origin(entry)}")))
        lines += [line(f"      {text}", Style.BAD if is_widening else None) for text, is_widening in _clauses(entry)]
        if entry.version:
            lines.append(line(f"      {_place(entry)}", Style.MUTED))
    return [*lines, *([line(f"Incomplete: {history.incomplete}", Style.BAD)] if history.incomplete else [])]


def _origin(entry: HistoryEntry) -> str:
    if entry.event is Event.RECORD:
        return ""
    origin = entry.origin
    if not origin.commit:
        return "not committed"
    pull_request = f" · pull request {origin.pull_request}" if origin.pull_request else ""
    return f"{clip(origin.author, 120)} · commit {origin.commit[:12]}{pull_request}"


def _clauses(entry: HistoryEntry) -> list[tuple[str, bool]]:
    """Each with whether it says what was gained."""
    gains = [(f"+ {text}", True) for text in entry.change.gains]
    return [*gains, *((f"- {text}", False) for text in entry.change.loses), *((text, False) for text in entry.details)]


def _place(entry: HistoryEntry) -> str:
    if not entry.version:
        return ""
    at = f"{entry.version.manifest}:{entry.version.line}"
    return f"was at {at}" if entry.event is Event.REMOVED else at


def to_markdown(history: UserHistory) -> str:
    title = f"### History of {for_markdown(history.name)} · {for_markdown(history.environment)}"
    rows = (_row(entry) for entry in history.entries)
    shown = fitting(rows, TABLE_BYTES)
    parts = [title, "", "| when | what | who | pull request | permission | at |", "|---|---|---|---|---|---|", *shown]
    if left := len(history.entries) - len(shown):
        parts.append(f"| … | and {left} older | | | | |")
    if history.incomplete:
        parts += ["", f"**Incomplete:** {history.incomplete}"]
    return "\n".join(parts)


def _row(entry: HistoryEntry) -> str:
    who = entry.origin.author if entry.origin.commit else "" if entry.event is Event.RECORD else "not committed"
    clauses = "; ".join(text for text, _ in _clauses(entry))
    cells = (timestamp(entry.at), entry.event.value, clip(who, 120), entry.origin.pull_request, clauses, _place(entry))
    return f"| {' | '.join(map(for_markdown, cells))} |"


def to_json(histories: list[UserHistory]) -> str:
    return for_json({"format": 1, "histories": [to_dict(history) for history in histories]})


def to_dict(history: UserHistory) -> dict[str, Any]:
    return {
        "environment": history.environment,
        "name": history.name,
        "incomplete": history.incomplete or None,
        "entries": [
            {
                "event": entry.event,
                "at": timestamp(entry.at),
                "commit": entry.origin.commit or None,
                "author": entry.origin.author or None,
                "committer": entry.origin.committer or None,
                "pull_request": entry.origin.pull_request or None,
                "widens": entry.change.widens,
                "gains": list(entry.change.gains),
                "loses": list(entry.change.loses),
                "example": entry.change.example or None,
                "details": list(entry.details),
                "manifest": entry.version.manifest if entry.version else None,
                "line": entry.version.line if entry.version else None,
            }
            for entry in history.entries
        ],
    }

"""Shared by all Markdown: the result fits a comment. Text of a record or a file is in code spans (`neutral`)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.text import count
from reconciler.output.neutral import for_log

# A comment on a pull request holds 64 KB: lines that do not fit are counted; no line is cut.
TABLE_BYTES = 40_000
NAMES_BYTES = 6_000
QUOTES_BYTES = 4_000
LONGEST_TEXT = 400


def fitting(lines: Iterable[str], room: int) -> list[str]:
    """As many of the first lines as fit into `room` bytes, line ends included. Later lines are not even made."""
    shown = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        shown.append(line)
    return shown


def clip(text: str) -> str:
    """For a text that a record may make as long as it likes."""
    text = for_log(text)
    more = len(text) - LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]} … ({count(more, 'more character')})" if more > 0 else text

"""Shared by all Markdown: no text of a record or a file is interpreted as Markdown, and the result fits a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.core.text import printable

# A comment on a pull request holds 64 KB: lines that do not fit are counted; no line is cut.
TABLE_BYTES = 48_000
NAMES_BYTES = 6_000


def escape(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]#~])", r"\\\1", printable(text))


def fitting(lines: Iterable[str], room: int) -> list[str]:
    """As many of the first lines as fit into `room` bytes, line ends included. Later lines are not even made."""
    shown = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        shown.append(line)
    return shown

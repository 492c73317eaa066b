"""What all Markdown of ours shares: nothing that a row or a file says can steer it, and it fits a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.core.text import printable

# A comment on a pull request holds 64 KB: what does not fit is counted, never cut off in the middle of a line.
TABLE_BYTES = 48_000
NAMES_BYTES = 6_000


def escape(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]#~])", r"\\\1", printable(text))


def fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """As many of the first lines as have room, in bytes, with their line ends."""
    for number, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            return lines[:number]
    return lines

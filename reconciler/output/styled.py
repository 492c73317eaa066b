"""Lines of text with styles: what renderings produce and `terminal` prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.output.neutral import for_log


class Style(StrEnum):
    """Each value is the colour that a terminal shows; HEADING is bold."""

    HEADING = "bold"
    GOOD = "green"
    ADOPTED = "cyan"
    CHANGED = "yellow"
    BAD = "red"
    MUTED = "bright_black"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a line. Its text never holds a character that a terminal, a log or a CI runner would interpret."""

    text: str
    style: Style | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", for_log(self.text))

    @property
    def width(self) -> int:
        return display_width(self.text)


StyledLine = tuple[Segment, ...]


def line(text: str, style: Style | None = None) -> StyledLine:
    return (Segment(text, style),)


def plain(lines: Iterable[StyledLine]) -> str:
    """The text alone."""
    return "\n".join("".join(segment.text for segment in segments) for segments in lines)


def display_width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining characters none."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

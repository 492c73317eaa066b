"""Text helpers that all output shares."""

from __future__ import annotations

import re
import unicodedata

# The Unicode categories that a reviewer cannot see: controls, format characters, surrogates, private use, unassigned
# code points, the separators of lines and paragraphs, and spaces that no parser treats as the one of ASCII.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# What else has no shape: joiners, fillers, variation selectors, the blank of Braille.
SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)


def is_hidden(character: str) -> bool:
    return character != " " and (unicodedata.category(character) in _HIDDEN or bool(SHAPELESS.match(character)))


def hidden_character(text: str) -> str:
    """The first character that a reviewer cannot see; '' if there is none."""
    return "" if text.isascii() and text.isprintable() else next(filter(is_hidden, text), "")


def printable(text: str) -> str:
    """One line without control characters: text of a file or a record must not control a terminal or a CI runner."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def clip(text: str, most: int = 60) -> str:
    """A value inside a message: its beginning, if it is long."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def quote(text: str) -> str:
    """A value inside a message in plain ASCII: clipped, and every other character spelled out."""
    return clip(ascii(text[:61])[1:-1])


def count(number: int, noun: str) -> str:
    """`1 user`, `2 users`."""
    return f"{number} {noun}{'s' * (number != 1)}"

"""Text helpers that all output shares."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line without control characters: text of a file or a record must not control a terminal or a CI runner."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def count(number: int, noun: str) -> str:
    """`1 user`, `2 users`."""
    return f"{number} {noun}{'s' * (number != 1)}"

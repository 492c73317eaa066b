"""Small things that all texts for people share."""

from __future__ import annotations


def printable(text: str) -> str:
    """On one line and harmless: what stands in a file or a row must not steer a terminal, a log or a CI runner."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def count(number: int, noun: str) -> str:
    """`1 user`, `2 users`."""
    return f"{number} {noun}{'s' * (number != 1)}"

from __future__ import annotations

import pytest

from reconciler.core.text import count, printable


@pytest.mark.parametrize(
    "text", ["", "billing@example.com", "a  b", "Grüße aus dem Büro", "→ · … 日本語", "\\n", "C:\\new"]
)
def test_what_can_be_printed_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo", "one\\ntwo"),
        ("one\r\ntwo", "one\\r\\ntwo"),
        ("one\ttwo", "one\\ttwo"),
        ("\x1b[2Kx", "\\x1b[2Kx"),
        ("a\x00b\x7f", "a\\x00b\\x7f"),
        ("a\x85b\x9b", "a\\x85b\\x9b"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("txt\u202egpj", "txt\\u202egpj"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\xa0b", "a\\xa0b"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
    ids=ascii,
)
def test_what_could_steer_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    """Line breaks of every kind, escape sequences, direction overrides, invisible characters."""
    assert printable(text) == shown
    assert shown.isascii()


def test_every_character_comes_out_harmless_and_on_one_line() -> None:
    everything = printable("".join(map(chr, range(0x110000))))
    assert everything.isprintable()
    assert len(everything.splitlines()) == 1
    assert everything.encode()


def test_what_is_harmless_is_not_changed_again() -> None:
    once = printable("a\n\x1b[2K\u2028b")
    assert printable(once) == once


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 users"), (1, "1 user"), (2, "2 users"), (-1, "-1 users"), (1000, "1000 users")]
)
def test_a_number_takes_its_noun_in_the_right_form(number: int, shown: str) -> None:
    assert count(number, "user") == shown

"""Colour and width depend on where the output goes; the text does not."""

from __future__ import annotations

import sys

import pytest

from reconciler.errors import InvalidInput, Problem, ReconcileError, Refused
from reconciler.output.styled import Segment, Style
from reconciler.output.terminal import show, show_error, terminal_width

LINES = [(Segment("+ crm ", Style.GOOD), Segment("x")), (Segment("HEAD", Style.HEADING),)]
LONG = "too many deletes: 12 of 20 users (60 %) is over the limit of 3 and over 30 %"


def be_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output and standard error become a terminal of 40 columns."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_a_log_has_neither_colour_nor_a_width(capsys: pytest.CaptureFixture[str]) -> None:
    show(LINES)
    assert capsys.readouterr().out == "+ crm x\nHEAD\n"
    assert terminal_width() is None
    assert terminal_width(err=True) is None


def test_a_terminal_has_both(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    be_a_terminal(monkeypatch)
    show(LINES)
    assert capsys.readouterr().out == "\x1b[32m+ crm \x1b[0mx\n\x1b[1mHEAD\x1b[0m\n"
    assert terminal_width() == terminal_width(err=True) == 40


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    be_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    show(LINES)
    assert capsys.readouterr().out == "+ crm x\nHEAD\n"


def test_a_refusal_is_one_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(Refused([(LONG, "run again with --allow-deletes 12")]))
    assert capsys.readouterr().err.splitlines() == [
        f"refused: {LONG}",
        "  hint: run again with --allow-deletes 12",
        "error: refused; nothing was changed",
    ]


def test_a_refusal_is_wrapped_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    be_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    show_error(Refused([(LONG, "run again with --allow-deletes 12 if this is intended")]))
    assert capsys.readouterr().err.splitlines() == [
        "refused: too many deletes: 12 of 20",
        "users (60 %) is over the limit of 3 and",
        "over 30 %",
        "  hint: run again with --allow-deletes",
        "  12 if this is intended",
        "error: refused; nothing was changed",
    ]


def test_problems_are_shown_with_their_hints_and_nothing_in_them_steers_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_error(InvalidInput([Problem("a.yaml", 3, 4, "bad \x1b[2K", "good\n::error::")]))
    show_error(ReconcileError("message", "hint\r"))
    assert capsys.readouterr().err.splitlines() == [
        "a.yaml:3:4: bad \\x1b[2K",
        "  hint: good\\n::error::",
        "error: 1 problem found; nothing was changed",
        "error: message",
        "  hint: hint\\r",
    ]

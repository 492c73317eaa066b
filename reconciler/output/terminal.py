"""Print to a terminal or a log file: the only place that adds colour, unless NO_COLOR is set."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

import click

from reconciler.core.text import count
from reconciler.errors import InvalidInput, Problem, ReconcileError, Refused
from reconciler.output.neutral import for_log, for_position
from reconciler.output.plan import to_lines
from reconciler.output.styled import Segment, Style, StyledLine
from reconciler.output.table import Column, Table
from reconciler.planning.plan import Plan

STATUS_COLORS = {
    "active": Style.GOOD,
    "disabled": Style.CHANGED,
    "failed": Style.BAD,
    "timeout": Style.BAD,
    "removed": Style.GOOD,
}

MOST_PROBLEMS = 100  # that are shown; the others are counted


def in_ci() -> bool:
    """`CI=false` and `CI=0` do not count: some tools set them outside CI."""
    return os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")


def shows_progress() -> bool:
    """Standard error is a terminal, where a progress bar can be redrawn."""
    return sys.stderr is not None and sys.stderr.isatty() and not in_ci()


def use_color() -> bool | None:
    """None lets click decide by the stream: colour on a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def say(text: str = "", *, err: bool = False, fg: str | None = None, bold: bool | None = None) -> None:
    """One line, neutralised."""
    text = for_log(text)
    _write(click.style(text, fg=fg, bold=bold) if fg or bold else text, err=err)


def say_document(text: str) -> None:
    """Markdown or JSON of several lines, which its renderer has neutralised."""
    _write(text)


def _write(text: str, *, err: bool = False) -> None:
    try:
        click.echo(text, err=err, color=use_color())
    except BrokenPipeError:  # the reader closed the pipe; the work continues
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())


def show(lines: Iterable[StyledLine], *, err: bool = False) -> None:
    for segments in lines:
        _write("".join(map(_styled, segments)), err=err)


def _styled(segment: Segment) -> str:
    if segment.style is None:
        return segment.text
    if segment.style is Style.HEADING:
        return click.style(segment.text, bold=True)
    return click.style(segment.text, fg=segment.style)


def terminal_width(*, err: bool = False) -> int | None:
    """COLUMNS, or the columns of the terminal, or None if the output is no terminal: logs stay complete."""
    stream = sys.stderr if err else sys.stdout
    is_terminal = stream is not None and stream.isatty()
    return shutil.get_terminal_size().columns if is_terminal or os.environ.get("COLUMNS", "").isdigit() else None


def show_plan(plan: Plan) -> None:
    show(to_lines(plan, terminal_width()))


def show_refusals(reasons: Sequence[tuple[str, str]]) -> None:
    for reason, hint in reasons:
        _complain(f"refused: {reason}", Style.BAD)
        _complain(f"hint: {hint}", indent=2)


def show_warnings(warnings: Sequence[tuple[str, str]]) -> None:
    for reason, hint in warnings:
        _complain(f"warning: {reason}", Style.CHANGED)
        _complain(f"hint: {hint}", indent=2)


def show_error(error: ReconcileError) -> None:
    if isinstance(error, InvalidInput):
        for problem in error.problems[:MOST_PROBLEMS]:
            _complain(_describe(problem))
            if problem.hint:
                _complain(f"hint: {problem.hint}", Style.MUTED, indent=2)
        if (more := len(error.problems) - MOST_PROBLEMS) > 0:
            _complain(f"and {count(more, 'more problem')}")
    if isinstance(error, Refused):
        show_refusals(error.reasons)
    _complain(f"error: {error.message}", Style.BAD)
    if error.hint:
        _complain(f"hint: {error.hint}", indent=2)


def _describe(problem: Problem) -> str:
    return str(replace(problem, path=for_position(problem.path)))


def _complain(text: str, style: Style | None = None, *, indent: int = 0) -> None:
    """On standard error, wrapped where that is a terminal."""
    paragraph = Table([Column("text", wraps=True)], indent=indent)
    show(paragraph.lines([[Segment(text, style)]], terminal_width(err=True)), err=True)

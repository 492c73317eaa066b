"""How things look in a terminal, in a log file and with NO_COLOR."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from reconciler.core.text import printable
from reconciler.errors import InvalidInput, ReconcileError, Refused
from reconciler.output.plan import to_text
from reconciler.planning.plan import Plan

GRAY = "bright_black"
SIGN_COLORS = {"+": "green", ">": "cyan", "~": "yellow", "-": "red", "!": "red", "?": GRAY, "·": GRAY}
STATUS_COLORS = {"active": "green", "disabled": "yellow", "failed": "red", "timeout": "red", "removed": "green"}


def is_interactive() -> bool:
    """A person sits there: nobody is asked anything in CI."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def use_color() -> bool | None:
    """None lets click decide by the stream: colour on a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def say_line(text: str, *, err: bool = False, fg: str | None = None) -> None:
    """One line, whatever stands in the values it is made from."""
    say(printable(text), err=err, fg=fg)


def say(text: str = "", *, err: bool = False, fg: str | None = None, bold: bool | None = None) -> None:
    try:
        click.echo(click.style(text, fg=fg, bold=bold) if fg or bold else text, err=err, color=use_color())
    except BrokenPipeError:  # whoever read has seen enough; the work goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())


def show_plan(plan: Plan) -> None:
    for line in to_text(plan).split("\n"):
        sign = line[2:3] if line.startswith("  ") else ""
        say(line, fg=SIGN_COLORS.get(sign))


def show_refusals(reasons: Sequence[tuple[str, str]]) -> None:
    for reason, hint in reasons:
        say_line(f"refused: {reason}", err=True, fg="red")
        say_line(f"  hint: {hint}", err=True)


def show_error(error: ReconcileError) -> None:
    if isinstance(error, InvalidInput):
        for problem in error.problems:
            say_line(str(problem), err=True)
            if problem.hint:
                say_line(f"  hint: {problem.hint}", err=True, fg="bright_black")
    if isinstance(error, Refused):
        show_refusals(error.reasons)
    say_line(f"error: {error.message}", err=True, fg="red")
    if error.hint:
        say_line(f"  hint: {error.hint}", err=True)

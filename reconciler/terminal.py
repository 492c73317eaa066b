"""How things look in a terminal, in a log file and with NO_COLOR."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime

import click

from reconciler.core.plan import Plan
from reconciler.core.record import Record, Status, parse_timestamp
from reconciler.core.render import to_text
from reconciler.core.text import printable
from reconciler.errors import InvalidInput, ReconcileError, Refused

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


def show_status(records: Sequence[Record], now: datetime) -> None:
    """One line a user; nothing is cut off, so it can be searched."""
    rows = [("USER", "STATUS", "MAY SEND AS", "KEY AGE", "")]
    rows += [
        (
            record.name,
            record.status or "none",
            ", ".join(record.user.allowed_from_addresses) if record.user else "not understood",
            key_age(record, now),
            note(record),
        )
        for record in records
    ]
    widths = [min(max(len(row[n]) for row in rows), 60) for n in range(4)]
    for index, row in enumerate(rows):
        cells = [f"{printable(cell):{width}}" for cell, width in zip(row, widths, strict=False)]
        if index == 0:
            say("  ".join(cells).rstrip(), bold=True)
            continue
        cells[1] = click.style(cells[1], fg=STATUS_COLORS.get(row[1]))
        say("  ".join([*cells, printable(row[4])]).rstrip())


def key_age(record: Record, now: datetime) -> str:
    made = parse_timestamp(record.key_created_at)
    if made is None:
        return "no key"
    seconds = int((now - made).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "new"


def note(record: Record) -> str:
    """What else a person should know of a user."""
    if record.status == Status.FAILED and record.failure:
        return f"{record.failure.code}: {record.failure.message}"
    if record.revoked:
        return f"revoked by {record.revoked.actor or 'somebody'}: {record.revoked.reason or 'no reason given'}"
    if record.previous_key and not record.previous_key_deletes_at:
        return f"the password before also works until {record.previous_key_retires_at}"
    return "; ".join(record.problems)

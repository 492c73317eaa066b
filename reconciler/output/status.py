"""Users as they stand, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from reconciler.core.record import Record, Status, parse_timestamp
from reconciler.core.text import printable
from reconciler.output.terminal import STATUS_COLORS, say


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

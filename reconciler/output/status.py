"""The current state of users: one row for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.record import Record, Status, parse_timestamp
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import Column, Table
from reconciler.output.terminal import STATUS_COLORS, show, terminal_width

COLUMNS = (
    Column("user"),
    Column("status"),
    Column("may send as", wraps=True),
    Column("key age", drop_below=24),
    Column("note", wraps=True),
)
WIDE_COLUMNS = (
    *COLUMNS[:3],
    Column("owner", drop_below=18),
    Column("expires", drop_below=20),
    Column("source networks", wraps=True, drop_below=22),
    *COLUMNS[3:],
)


def show_status(records: Sequence[Record], now: datetime, wide: bool = False) -> None:
    """`wide`: with owner, expiry and source networks."""
    show(to_lines(records, now, wide, terminal_width()))


def to_lines(records: Sequence[Record], now: datetime, wide: bool, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then every user takes one line."""
    rows = [_cells(record, now, wide) for record in records]
    return Table(WIDE_COLUMNS if wide else COLUMNS, headed=True).lines(rows, width)


def describe_origin(record: Record) -> list[StyledLine]:
    """Where the declaration comes from, as far as the record says; whoever writes a record writes this, too."""
    facts = (
        ("declared in", record.manifest),
        ("commit", record.commit),
        ("pull request", record.pull_request),
        ("approved by", record.approver.replace(" ", ", ")),
        ("run", record.run),
        ("requested by", f"{record.actor} at {record.requested_at}" if record.actor else ""),
    )
    return [line(f"{label}: {value}", Style.MUTED) for label, value in facts if value]


def _cells(record: Record, now: datetime, wide: bool) -> list[Segment]:
    user = record.user
    status = Segment(record.status or "none", STATUS_COLORS.get(record.status))
    more = (
        user.owner if user and user.owner else "-",
        user.expires.isoformat() if user and user.expires else "-",
        ", ".join(user.allowed_source_ips) if user and user.allowed_source_ips else "any" if user else "-",
    )
    texts = (
        ", ".join(user.allowed_from_addresses) if user else "invalid record",
        *(more if wide else ()),
        key_age(record, now),
        note(record),
    )
    return [Segment(record.name), status, *map(Segment, texts)]


def key_age(record: Record, now: datetime) -> str:
    created = parse_timestamp(record.key_created_at)
    if created is None:
        return "no key"
    seconds = int((now - created).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "new"


def note(record: Record) -> str:
    """What else an operator should know about a user."""
    if record.status == Status.FAILED and record.failure:
        return f"{record.failure.code}: {record.failure.message}"
    if record.revoked:
        actor = record.revoked.actor.rpartition(":")[2]  # the end of an ARN: a table has little room
        return f"revoked by {actor or 'an unknown actor'}: {record.revoked.reason or 'no reason given'}"
    if record.previous_key and not record.previous_key_deletes_at:
        return f"the previous password works until {record.previous_key_retires_at}"
    return "; ".join(record.problems)

"""How long the credential manager needs for changes: an estimate.

Almost all of the time is spent in IAM: about 0.2 s for each call to it, retries after throttling included. One shard of
the table's stream has two users processed at a time (`parallelization_factor` in pipeline.yaml). A creation makes four
calls, so about 2.5 users are created per second. Heavy throttling takes longer; nothing fails because of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.text import count
from reconciler.planning.diff import ROTATION_DUE, Change, Create, Delete, Update

CALL_SECONDS = 0.2
PARALLEL = 2
# Calls to IAM, as tests/manager/test_change_costs.py counts them.
CREATE, UPDATE, ROTATE, DELETE = 4, 4, 5, 6
SHORT = 60  # seconds: not worth mentioning


def expected_seconds(changes: Iterable[Change]) -> float:
    """From the first write until the last user has a final status."""
    return sum(map(_calls, changes)) * CALL_SECONDS / PARALLEL


def _calls(change: Change) -> int:
    if isinstance(change, Create):
        return CREATE
    if isinstance(change, Delete):
        return DELETE
    old, new = change.record.user, change.declaration.user
    is_due = isinstance(change, Update) and ROTATION_DUE in change.reasons
    return ROTATE if is_due or old is None or old.credential != new.credential else UPDATE


def time_left(settled: int, waiting: int, elapsed: float) -> float:
    """Seconds until all of them have settled, at the rate of those that did in `elapsed` seconds."""
    return elapsed * waiting / settled


def describe_duration(seconds: float) -> str:
    """`about 35 minutes`: to the minute, and from ten minutes on to five minutes."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {count(minutes if minutes < 10 else 5 * round(minutes / 5), 'minute')}"


def describe_progress(settled: int, total: int, elapsed: float) -> str:
    """`1,200 of 5,000 users settled, about 25 minutes left`. Before the first one, the time is not known."""
    left = describe_duration(time_left(settled, total - settled, elapsed)) if settled else ""
    return f"{settled:,} of {total:,} users settled{f', {left} left' if left else ''}"

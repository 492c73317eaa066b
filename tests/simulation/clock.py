"""Time in a simulated world: nothing passes unless somebody lets it pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Clock:
    """`now` is AWS's time. `local` is what our own code reads: it may be off by `skew`."""

    def __init__(self) -> None:
        self.now = START
        self.skew = timedelta()

    def local(self) -> datetime:
        return self.now + self.skew

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.now - START).total_seconds()

"""Simulated time: it passes only when it is advanced explicitly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Clock:
    """`now` is AWS's time. `local` is the time that the tested code reads; it differs by `skew`."""

    def __init__(self) -> None:
        self.now = START
        self.skew = timedelta()

    def local(self) -> datetime:
        return self.now + self.skew

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.now - START).total_seconds()

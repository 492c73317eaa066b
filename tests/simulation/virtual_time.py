"""Simulated time for code with real threads: it passes when every thread that makes a call waits for its answer."""

from __future__ import annotations

import heapq
import threading
import time

REAL_SLEEP = time.sleep
SETTLED = 0.002  # real seconds without a new call, after which the other threads are taken to be idle


class VirtualTime:
    """`sleep` replaces `time.sleep`, `monotonic` replaces `time.monotonic`."""

    def __init__(self, settled: float = SETTLED) -> None:
        self._settled = settled
        self._now = 0.0
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._calls = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._advance, daemon=True).start()

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if threading.active_count() == 2:  # only this thread, and the one that advances the time
            self._now += seconds
            return
        answer = threading.Event()
        with self._changed:
            self._calls += 1
            heapq.heappush(self._waiting, (self._now + seconds, self._calls, answer))
            self._changed.notify()
        answer.wait()

    def _advance(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            seen = -1
            while seen != self._calls:
                seen = self._calls
                REAL_SLEEP(self._settled)
            with self._changed:
                self._now = max(self._now, self._waiting[0][0])
                while self._waiting and self._waiting[0][0] <= self._now + 1e-6:
                    heapq.heappop(self._waiting)[2].set()

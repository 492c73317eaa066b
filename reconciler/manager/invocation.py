"""How much one invocation of a function takes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.manager.letters import is_busy

RESERVE = 45.0  # seconds before the function's timeout in which no user is started: one call can take as long


@dataclass(slots=True)
class Invocation:
    """`remaining`: seconds until the timeout. `tolerated`: throttled users, after which the others wait."""

    remaining: Callable[[], float]
    tolerated: int
    throttled: int = 0

    def takes_another(self, *, urgent: bool = False) -> bool:
        """`urgent`: although AWS throttles."""
        return self.remaining() > RESERVE and (urgent or self.throttled < self.tolerated)

    def note(self, error: Exception) -> None:
        self.throttled += is_busy(error)

"""Process the users that the table's stream names. What does not succeed at once is left to the dead-letter queue.

So the stream never waits for a user, and each user is retried at its own times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.manager.invocation import Invocation
from reconciler.manager.letters import UserLetter
from reconciler.ports import Sender

# One throttled user may be a matter of that user. Two mean that the account is throttled: see `Invocation`.
TOLERATED = 2


@dataclass(frozen=True, slots=True)
class EventResult:
    """Without `converged`, a message for the user is in the queue; `error` None: it was not attempted."""

    converged: ConvergeResult | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class UserEvents:
    converger: Converger
    queue: Sender
    now: Callable[[], datetime]

    def process(self, name: str, invocation: Invocation) -> EventResult:
        """Raises AwsError if the message could not be sent: only then the event must be delivered again."""
        error: Exception | None = None
        if invocation.takes_another():
            try:
                return EventResult(self.converger.converge(name))
            except Exception as raised:  # noqa: BLE001 - one user must not affect the others
                invocation.note(raised)
                error = raised
        following, delay = UserLetter(name).after(error, self.now())
        self.queue.send([(following.body, delay)])
        return EventResult(error=error)

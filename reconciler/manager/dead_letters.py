"""Process dead letters: retry each user with exponential backoff, and give it up after its last try.

A failed attempt is counted in the message, which is then replaced by the one that continues it. The receive count says
nothing: a message is also received when the function is throttled or crashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.record import timestamp
from reconciler.errors import AwsError, Retryable, Terminal
from reconciler.manager.batches import Batches, Postponed
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.manager.invocation import Invocation
from reconciler.manager.letters import FIRST_DELAY, LONGEST_DELAY, LONGEST_WAIT, LetterReader, UserLetter, is_busy
from reconciler.ports import Batch, Message, Queue, Sender

NOT_UNDERSTOOD = Terminal("sqs:ReceiveMessage", "UnknownMessage", "neither a user nor a batch of this table's stream")
TOLERATED = 1  # throttled users of one invocation: the others are put back, so that the whole queue slows down


@dataclass(frozen=True, slots=True)
class MessageResult:
    """The result of processing one message. Not `done`: it returns when its visibility timeout is over."""

    done: bool
    name: str = ""
    converged: ConvergeResult | None = None
    error: Exception | None = None
    parked: bool = False
    tries: int = 0
    split: tuple[str, ...] | None = None  # the users of a batch; a message was sent for each


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """`tries`: the attempts after which a user is given up."""

    converger: Converger
    reader: LetterReader
    batches: Batches
    queue: Queue
    parking: Sender
    tries: int
    now: Callable[[], datetime]

    def process(self, message: Message, invocation: Invocation) -> MessageResult:
        """Never raises: a message that cannot be processed returns later."""
        try:
            match self.reader.read(message.body):
                case UserLetter() as letter:
                    return self._retry(message, letter, invocation)
                case Batch() as batch:
                    return self._split(message, batch)
            self.parking.send([(message.body, 0)])
        except Postponed as postponed:
            return self._keep(message, postponed.seconds)
        except Exception as error:  # noqa: BLE001 - one message must not affect the others
            delay = min(FIRST_DELAY << min(message.receive_count - 1, 16), LONGEST_DELAY)
            return self._keep(message, delay, error=error)
        return MessageResult(True, error=NOT_UNDERSTOOD, parked=True)

    def _split(self, message: Message, batch: Batch) -> MessageResult:
        """Send one message for each user: each has its own attempts, and none delays another."""
        names = tuple(sorted(self.batches.users(batch, message)))
        self.queue.send((UserLetter(name).body, 0) for name in names)
        return MessageResult(True, split=names)

    def _retry(self, message: Message, letter: UserLetter, invocation: Invocation) -> MessageResult:
        now, comes_back = self.now(), message.receive_count > 1
        letter = replace(letter, since=min(letter.since or (message.sent_at if comes_back else now), now))
        is_late = letter.waited(now) >= LONGEST_WAIT
        if not invocation.takes_another(urgent=is_late):
            return self._continue(message, letter, None)
        try:
            converged = self.converger.converge(letter.user, attempt=letter.tries + 1)
        except Exception as error:  # noqa: BLE001 - one message must not affect the others
            invocation.note(error)
            tries = letter.tries + 1
            if comes_back and is_late:
                tries = letter.tries + message.receive_count  # it is not continued, so nothing else counts them
            if is_late if is_busy(error) else tries >= self.tries:
                return self._give_up(message, letter.user, error, tries)
            return self._continue(message, letter, error)
        return MessageResult(True, letter.user, converged)

    def _continue(self, message: Message, letter: UserLetter, error: Exception | None) -> MessageResult:
        """Replace the message by the one that continues it.

        That is done once: a message that comes back, because the function crashed, may have been continued already. It
        stays as it is, for a day at most. So messages never multiply.
        """
        following, delay = letter.after(error, self.now())
        if message.receive_count > 1:
            return self._keep(message, delay, letter.user, error)
        try:
            self.queue.send([(following.body, delay)])
        except AwsError:
            return self._keep(message, delay, letter.user, error)
        with suppress(AwsError):  # then the mapping deletes it, unless the function crashes
            self.queue.delete(message)
        return MessageResult(True, letter.user, error=error)

    def _give_up(self, message: Message, name: str, error: Exception, tries: int) -> MessageResult:
        converged = None
        try:
            # The message is parked before the record fails: after a crash in between, both happen again.
            self.parking.send([(self._parked(name, error, tries), 0)])
        except AwsError as parking_error:
            return self._keep(message, LONGEST_DELAY, name, parking_error)
        try:
            converged = self.converger.give_up(name, error, tries)
        except Retryable as write_error:
            return self._keep(message, LONGEST_DELAY, name, write_error)
        except AwsError:
            pass  # no record can have this name, or the permission is missing: the parked message has the reason
        return MessageResult(True, name, converged, error, parked=True, tries=tries)

    def _keep(self, message: Message, seconds: int, name: str = "", error: Exception | None = None) -> MessageResult:
        with suppress(AwsError):  # then it returns after the queue's own timeout
            self.queue.delay(message, seconds)
        return MessageResult(False, name, error=error)

    def _parked(self, name: str, error: Exception, attempts: int) -> str:
        """The body of a parked message. It can be moved back into the queue unchanged."""
        body = {"user": name, "attempts": attempts, "at": timestamp(self.now())}
        if isinstance(error, AwsError):
            reason = f"{error.operation}: {error.reason}"
            return json.dumps(body | {"code": error.code, "reason": reason, "correlation_id": error.correlation_id})
        return json.dumps(body | {"code": "InternalError", "reason": type(error).__name__})

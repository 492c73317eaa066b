"""Work off dead letters: what the stream's mapping gave up on, user by user, less and less often."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.record import AWAITING, timestamp
from reconciler.core.record_state import RecordState
from reconciler.errors import AwsError, Retryable
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.ports import Message, Queue, RecordReader, Stream

FIRST_DELAY = 30  # seconds until the second try; doubles from try to try
LONGEST_DELAY = 900
LONGEST_NAME = 1000  # about what a sort key of DynamoDB holds; far more than a name may have
NUMBER = re.compile(r"[0-9]{1,40}")  # a sequence number


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What became of one message. Not `done`: it comes back when its visibility time-out is over."""

    done: bool
    name: str = ""
    report: ConvergeResult | None = None
    error: Exception | None = None
    parked: bool = False
    split: tuple[str, ...] | None = None  # the users that a message of the mapping became messages of


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is understood: one user, or what the mapping tells of a batch. Neither: not understood."""

    user: str | None = None
    batch: tuple[str, str, str, str] | None = None  # stream ARN, shard, first and last sequence number


def read_letter(body: str) -> Letter:
    """`{"user": NAME}`, or the mapping's on-failure message: sequence numbers, and no record.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return Letter()
    match data:
        case {"user": str(user)} if len(user) <= LONGEST_NAME:
            return Letter(user=user)
        case {
            "DDBStreamBatchInfo": {
                "streamArn": str(arn),
                "shardId": str(shard),
                "startSequenceNumber": str(first),
                "endSequenceNumber": str(last),
            }
        } if NUMBER.fullmatch(first) and NUMBER.fullmatch(last):
            return Letter(batch=(arn, shard, first, last))
    return Letter()


def backoff(receive_count: int) -> int:
    """Seconds until the next try."""
    return min(FIRST_DELAY << min(receive_count - 1, 16), LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """`tries`: how often a message is taken from the queue before it is given up."""

    converger: Converger
    records: RecordReader
    queue: Queue
    stream: Stream
    tries: int
    now: Callable[[], datetime]

    def process(self, message: Message) -> MessageResult:
        """Never raises: what fails comes back later, and after the last try is parked."""
        letter = read_letter(message.body)
        try:
            if letter.batch:
                return self._split(letter.batch)
            if letter.user is not None:
                return MessageResult(
                    True, letter.user, self.converger.converge(letter.user, attempt=message.receive_count)
                )
        except Exception as error:  # noqa: BLE001 - one message must not take others with it
            if message.receive_count < self.tries:
                return self._delay(message, letter, error)
            return self._give_up(message, letter, error)
        return self._give_up(message, letter, ValueError("neither a user nor a batch of the stream"))

    def _split(self, batch: tuple[str, str, str, str]) -> MessageResult:
        """One message a user: each has its own tries, and none holds up another."""
        names = self._names(batch)
        self.queue.send(names)
        return MessageResult(True, split=tuple(sorted(names)))

    def _names(self, batch: tuple[str, str, str, str]) -> set[str]:
        """Where the stream cannot tell any more whom the batch spoke of: everybody who waits."""
        try:
            names = self.stream.users_in_batch(*batch)
        except Retryable:
            raise
        except AwsError:
            names = None  # not our stream, or a number that never was one
        if names is not None:
            return names
        sending, now = self.converger.sending, self.now()
        return {
            row.name
            for row in self.records.records()
            if row.status in AWAITING or RecordState.of(row, sending, now).due
        }

    def _give_up(self, message: Message, letter: Letter, error: Exception) -> MessageResult:
        name, report = letter.user or "", None
        try:
            # Parked before the row is failed: after a crash in between both happen again, and nothing is lost.
            self.queue.park(message.body if letter.user is None else self._note(name, error, message.receive_count))
        except AwsError as trouble:
            return self._delay(message, letter, trouble)
        try:
            report = self.converger.give_up(name, error, message.receive_count) if letter.user else None
        except Retryable as trouble:
            return self._delay(message, letter, trouble)
        except AwsError:
            pass  # a name that no row can have, or no right to write it: the parked message tells
        return MessageResult(True, name, report, error, parked=True)

    def _delay(self, message: Message, letter: Letter, error: Exception) -> MessageResult:
        with suppress(AwsError):  # then it comes back after the queue's own time-out
            self.queue.delay(message, backoff(message.receive_count))
        return MessageResult(False, letter.user or "", error=error)

    def _note(self, name: str, error: Exception, attempts: int) -> str:
        """A parked message, which works as it is when it is moved back."""
        note = {"user": name, "attempts": attempts, "at": timestamp(self.now())}
        if isinstance(error, AwsError):
            reason = f"{error.operation}: {error.reason}"
            return json.dumps(note | {"code": error.code, "reason": reason, "correlation_id": error.correlation_id})
        return json.dumps(note | {"code": "InternalError", "reason": type(error).__name__})

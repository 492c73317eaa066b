"""Process dead letters: retry each user of a failed batch with exponential backoff."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.record import AWAITING, Record, timestamp
from reconciler.core.record_state import RecordState
from reconciler.errors import AwsError, Retryable
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.ports import Message, Queue, RecordReader, Stream

FIRST_DELAY = 30  # seconds until the second attempt; it doubles with each attempt
LONGEST_DELAY = 900
LONGEST_NAME = 1000  # about what a sort key of DynamoDB can hold; far longer than any valid name
NUMBER = re.compile(r"[0-9]{1,40}")  # a sequence number


@dataclass(frozen=True, slots=True)
class MessageResult:
    """The result of processing one message. Not `done`: it returns when its visibility timeout is over."""

    done: bool
    name: str = ""
    converged: ConvergeResult | None = None
    error: Exception | None = None
    parked: bool = False
    split: tuple[str, ...] | None = None  # the users of a batch; a message was sent for each


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a message: one user, or a batch of the stream. Neither: it is not understood."""

    user: str | None = None
    batch: tuple[str, str, str, str] | None = None  # stream ARN, shard, first and last sequence number


def read_letter(body: str) -> Letter:
    """`{"user": NAME}`, or the mapping's on-failure message, which contains sequence numbers but no record.

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
    """Seconds until the next attempt."""
    return min(FIRST_DELAY << min(receive_count - 1, 16), LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """`tries`: how often a message is received before it is parked."""

    converger: Converger
    records: RecordReader
    queue: Queue
    stream: Stream
    tries: int
    now: Callable[[], datetime]

    def process(self, message: Message) -> MessageResult:
        """Never raises: a message that fails returns later, and is parked after the last attempt."""
        letter = read_letter(message.body)
        try:
            if letter.batch:
                return self._split(letter.batch)
            if letter.user is not None:
                converged = self.converger.converge(letter.user, attempt=message.receive_count)
                return MessageResult(True, letter.user, converged)
        except Exception as error:  # noqa: BLE001 - one message must not affect the others
            if message.receive_count < self.tries:
                return self._delay(message, letter, error)
            return self._give_up(message, letter, error)
        return self._give_up(message, letter, ValueError("neither a user nor a batch of the stream"))

    def _split(self, batch: tuple[str, str, str, str]) -> MessageResult:
        """Send one message for each user: each has its own attempts, and none delays another."""
        names = self._users_in_batch(batch)
        self.queue.send(names)
        return MessageResult(True, split=tuple(sorted(names)))

    def _users_in_batch(self, batch: tuple[str, str, str, str]) -> set[str]:
        """If the stream no longer has the batch: every user that waits."""
        try:
            names = self.stream.users_in_batch(*batch)
        except Retryable:
            raise
        except AwsError:
            names = None  # another stream, or an invalid sequence number
        if names is not None:
            return names
        return {record.name for record in self.records.records() if self._waits(record)}

    def _waits(self, record: Record) -> bool:
        return record.status in AWAITING or RecordState.of(record, self.converger.sending, self.now()).due

    def _give_up(self, message: Message, letter: Letter, error: Exception) -> MessageResult:
        name, converged = letter.user or "", None
        try:
            # The message is parked before the record fails: after a crash in between, both happen again.
            self.queue.park(message.body if letter.user is None else self._parked(name, error, message.receive_count))
        except AwsError as parking_error:
            return self._delay(message, letter, parking_error)
        try:
            converged = self.converger.give_up(name, error, message.receive_count) if letter.user else None
        except Retryable as write_error:
            return self._delay(message, letter, write_error)
        except AwsError:
            pass  # no record can have this name, or the permission is missing: the parked message has the reason
        return MessageResult(True, name, converged, error, parked=True)

    def _delay(self, message: Message, letter: Letter, error: Exception) -> MessageResult:
        with suppress(AwsError):  # then it returns after the queue's own timeout
            self.queue.delay(message, backoff(message.receive_count))
        return MessageResult(False, letter.user or "", error=error)

    def _parked(self, name: str, error: Exception, attempts: int) -> str:
        """The body of a parked message. It can be moved back into the queue unchanged."""
        body = {"user": name, "attempts": attempts, "at": timestamp(self.now())}
        if isinstance(error, AwsError):
            reason = f"{error.operation}: {error.reason}"
            return json.dumps(body | {"code": error.code, "reason": reason, "correlation_id": error.correlation_id})
        return json.dumps(body | {"code": "InternalError", "reason": type(error).__name__})

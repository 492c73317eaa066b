"""The users of a batch that the stream's mapping gave up on. Its message names none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.policy import Sending
from reconciler.core.record import AWAITING, Record
from reconciler.core.record_state import RecordState
from reconciler.errors import AwsError, Retryable
from reconciler.ports import Batch, Fallbacks, Message, RecordReader, Stream

WINDOW = timedelta(hours=1)  # in which every waiting user gets at most one message because a batch is not readable


class Postponed(Exception):
    """Ask again in so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Batches:
    """`size`: the largest batch that the mapping makes."""

    stream: Stream
    records: RecordReader
    fallbacks: Fallbacks
    sending: Sending
    size: int
    now: Callable[[], datetime]

    def users(self, batch: Batch, message: Message) -> set[str]:
        """If the stream does not have the batch: every user that waits, once in each time window.

        Raises Postponed, or AwsError.
        """
        try:
            names = self.stream.users_in_batch(batch, self.size)
        except Retryable:
            raise
        except AwsError:
            names = None  # the stream of an earlier table, or an invalid sequence number
        return self._everyone_who_waits(message) if names is None else names

    def _everyone_who_waits(self, message: Message) -> set[str]:
        fallback = self.fallbacks.claim(message.id, self.now(), WINDOW)
        if fallback.message_id == message.id:  # also when this message comes back, because sending failed
            return {record.name for record in self.records.records() if self._waits(record)}
        if message.sent_at <= fallback.at:
            return set()  # whoever waited for this message got one of that fallback
        raise Postponed(int(abs(fallback.at + WINDOW - self.now()).total_seconds()) + 1)

    def _waits(self, record: Record) -> bool:
        state = RecordState.of(record, self.sending, self.now())
        return record.status in AWAITING or state.due or (record.revoked is not None and not state.settled)

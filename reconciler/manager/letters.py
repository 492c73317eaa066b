"""Messages of the dead-letter queue: what they say, and when a user is retried.

    {"user": NAME}                                     from an operator, or about a user of a failed batch
    {"user": NAME, "tries": 2, "since": 1780315200}    from a function that could not process the user
    {"DDBStreamBatchInfo": {...}}                      from the stream's mapping

Whoever may send to the queue can write anything: a message that has another form is not understood.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from reconciler.core.record import SK_PREFIX
from reconciler.errors import BUSY, AwsError
from reconciler.ports import Batch

# Seconds. Users that failed together wait for half of that or longer, so that they are not retried together.
FIRST_DELAY = 30  # after the first failed attempt; it doubles with each one
FIRST_BUSY_DELAY = 60  # after throttling; then as long as the user has waited already
LONGEST_BUSY_DELAY = 120  # the concurrency of the function limits the calls; more would only delay the last users
LONGEST_DELAY = 900  # SQS allows no longer one
LONGEST_WAIT = timedelta(hours=24)  # of a user whose attempts do not count, because AWS throttles them
MOST_TRIES = 1000
LONGEST_KEY = 1024  # bytes of a sort key
LABEL = re.compile(r"[\w:.-]{1,64}", re.ASCII)  # of a stream: the time of its creation
SHARD = re.compile(r"[\w-]{1,100}", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,40}")  # a sequence number


@dataclass(frozen=True, slots=True)
class UserLetter:
    """Process one user. `tries`: attempts that have failed. `since`: when the first one was made; None: just now."""

    user: str
    tries: int = 0
    since: datetime | None = None

    @property
    def body(self) -> str:
        since = {} if self.since is None else {"since": int(self.since.timestamp())}
        return json.dumps({"user": self.user, **({"tries": self.tries} if self.tries else {}), **since})

    def waited(self, now: datetime) -> timedelta:
        return now - (self.since or now)

    def after(self, error: Exception | None, now: datetime) -> tuple[UserLetter, int]:
        """The message that continues this one, and its delay in seconds. `error` None: there was no attempt."""
        counts = error is not None and not is_busy(error)
        following = replace(self, tries=self.tries + counts, since=self.since or now)
        if counts:
            longest = min(FIRST_DELAY << min(following.tries - 1, 16), LONGEST_DELAY)
        else:
            waited = int(following.waited(now).total_seconds())
            longest = min(max(waited, FIRST_BUSY_DELAY), LONGEST_BUSY_DELAY)
        return following, longest - following._jitter(longest // 2, now)

    def _jitter(self, most: int, now: datetime) -> int:
        """The same at each repetition."""
        varied = f"{self.user} {self.tries} {int(self.waited(now).total_seconds())}"
        return crc32(varied.encode(errors="surrogatepass")) % (most + 1)


def is_busy(error: Exception | None) -> bool:
    """AWS refused because of other calls: such an attempt says nothing about its user."""
    return isinstance(error, AwsError) and error.code in BUSY


@dataclass(frozen=True, slots=True)
class LetterReader:
    """`table_arn`: only batches of this table's stream are read. `batch_size`: the largest that the mapping makes."""

    table_arn: str
    batch_size: int

    def read(self, body: str) -> UserLetter | Batch | None:
        """None: the message is not understood."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return None
        match data:
            case {"user": str(user)}:
                return _read_user(user, data)
            case {"DDBStreamBatchInfo": dict(info)}:
                return self._read_batch(info)
        return None

    def _read_batch(self, info: dict[str, Any]) -> Batch | None:
        """The mapping's on-failure message, which contains sequence numbers but no record.

        https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
        """
        match info:
            case {
                "streamArn": str(arn),
                "shardId": str(shard),
                "startSequenceNumber": str(first),
                "endSequenceNumber": str(last),
                "batchSize": int(size),
            } if self._is_ours(arn) and 0 < size <= self.batch_size:
                if SHARD.fullmatch(shard) and NUMBER.fullmatch(first) and NUMBER.fullmatch(last):
                    return Batch(arn, shard, first, last)
        return None

    def _is_ours(self, arn: str) -> bool:
        """The label changes when the stream is created again."""
        prefix = f"{self.table_arn}/stream/"
        return arn.startswith(prefix) and LABEL.fullmatch(arn.removeprefix(prefix)) is not None


def _read_user(user: str, data: dict[str, Any]) -> UserLetter | None:
    tries, since = data.get("tries", 0), data.get("since")
    if not _can_be_key(user) or not _is_count(tries, MOST_TRIES):
        return None
    if since is None:
        return UserLetter(user, tries)
    return UserLetter(user, tries, _EPOCH + timedelta(seconds=since)) if _is_count(since, _LAST_SECOND) else None


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LAST_SECOND = 253402300799  # of the year 9999


def _is_count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _can_be_key(name: str) -> bool:
    """A name that no sort key can hold has no record, and DynamoDB refuses it each time."""
    try:
        return len(f"{SK_PREFIX}{name}".encode()) <= LONGEST_KEY
    except UnicodeEncodeError:
        return False

"""5,000 creations while IAM accepts two writes per second: none fails. The time is simulated, the code is the real one.

Events of the stream and messages of the queue are processed by the real `UserEvents`, `DeadLetters` and `Converger`,
as many at once as are deployed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

from greenlet import getcurrent, greenlet

from reconciler.core.decision import Identity, Key
from reconciler.core.record import Failure, Record, Status, timestamp
from reconciler.errors import Conflict, Retryable
from reconciler.manager.converge import Converger
from reconciler.manager.dead_letters import TOLERATED, DeadLetters
from reconciler.manager.invocation import Invocation
from reconciler.manager.letters import LetterReader
from reconciler.manager.user_events import TOLERATED as TOLERATED_EVENTS
from reconciler.manager.user_events import UserEvents
from reconciler.pipeline.definition import load_pipeline
from reconciler.ports import AccessKey, Message, SettledState
from support.world import SENDING, START, a_user

USERS = 5000
WRITES_PER_SECOND = 2.0
BURST = 10.0
READ, WRITE = 0.03, 0.08  # seconds that a call takes
SDK_DELAYS = (0.5, 1.0, 2.0)  # mean delays before the retries of botocore's standard mode
PIPELINE = load_pipeline("test")
SHARDS = 2
POLL = 1.0  # seconds between two looks into an empty queue
LIMIT = 24 * 3600.0


@dataclass
class Time:
    """Every actor is a greenlet that sleeps; the one that wakes first continues."""

    now: float = 0.0
    _sleeping: list[tuple[float, int, greenlet]] = field(default_factory=list)
    _count: int = 0

    def moment(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def start(self, run: Callable[[], None]) -> None:
        self._wake_at(self.now, greenlet(run))

    def sleep(self, seconds: float) -> None:
        me = getcurrent()
        assert isinstance(me, greenlet)
        self._wake_at(self.now + seconds, me)
        assert me.parent
        me.parent.switch()

    def _wake_at(self, at: float, who: greenlet) -> None:
        self._count += 1
        heappush(self._sleeping, (at, self._count, who))

    def run(self) -> None:
        while self._sleeping and self.now < LIMIT:
            self.now, _, who = heappop(self._sleeping)
            who.switch()


@dataclass
class ThrottledIam:
    """A token bucket for the whole account; a throttled call is repeated, CreateAccessKey too."""

    time: Time
    tokens: float = BURST
    filled: float = 0.0
    users: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def _write(self, name: str) -> None:
        for delay in (*SDK_DELAYS, None):
            self.time.sleep(WRITE)
            self.tokens = min(BURST, self.tokens + (self.time.now - self.filled) * WRITES_PER_SECOND)
            self.filled = self.time.now
            if self.tokens >= 1:
                self.tokens -= 1
                self.calls[name] += 1
                return
            self.calls["throttled"] += 1
            if delay:
                self.time.sleep(delay)
        raise Retryable(f"iam:{name}", "Throttling", "Rate exceeded")

    def observe(self, name: str) -> Identity | None:
        self.time.sleep(2 * READ)
        return Identity(owned=True, keys=self.users[name]) if name in self.users else None

    def create_user(self, name: str, _provenance: Any) -> None:
        self._write("CreateUser")
        assert name not in self.users
        self.users[name] = ()

    def put_policy(self, _name: str, _document: Any) -> None:
        self._write("PutUserPolicy")

    def create_key(self, name: str) -> AccessKey:
        self._write("CreateAccessKey")
        assert not self.users[name]
        self.users[name] = (Key(f"AKIA{name}", True),)
        return AccessKey(f"AKIA{name}", "secret")


@dataclass
class Records:
    time: Time
    rows: dict[str, Record] = field(default_factory=dict)
    ended_at: list[float] = field(default_factory=list)

    def get(self, name: str) -> Record | None:
        self.time.sleep(READ)
        return self.rows[name]

    def settle(self, record: Record, settled: SettledState) -> None:
        if self.rows[record.name] is not record:
            raise Conflict.of(record.name)
        assert settled.issued
        done = replace(record, status=settled.status, observed_revision=record.revision)
        done = replace(done, observed_hash=settled.observed_hash, settled_at=settled.settled_at)
        self.ended_at.append(self.time.now)
        self.rows[record.name] = replace(done, smtp_username=settled.issued.id, encrypted_credentials=b"sealed")

    def fail(self, record: Record, failure: Failure) -> None:
        self.ended_at.append(self.time.now)
        self.rows[record.name] = replace(record, status=Status.FAILED, failure=failure)


class Vault:
    def encrypt(self, *_: Any) -> bytes:
        return b"sealed"


@dataclass
class Queue:
    time: Time
    waiting: list[tuple[float, int, str, int]] = field(default_factory=list)  # visible at, number, body, receives
    sent: int = 0
    deepest: int = 0
    first_at: float = 0.0
    deleted_at: list[float] = field(default_factory=list)  # also by the mapping, when a message is done

    def send(self, messages: Iterable[tuple[str, int]]) -> None:
        for body, delay in messages:
            assert 0 <= delay <= 900
            self.sent += 1
            self.first_at = self.first_at or self.time.now
            heappush(self.waiting, (self.time.now + delay, self.sent, body, 0))
        self.deepest = max(self.deepest, len(self.waiting))

    def receive(self, most: int) -> list[Message]:
        found = []
        while self.waiting and self.waiting[0][0] <= self.time.now and len(found) < most:
            _, number, body, receives = heappop(self.waiting)
            found.append(Message(str(number), body, "", receives + 1, self.time.moment()))
        return found

    def delete(self, _message: Message) -> None:
        self.deleted_at.append(self.time.now)

    def delay(self, message: Message, seconds: int) -> None:
        entry = (self.time.now + seconds, int(message.id), message.body, message.receive_count)
        heappush(self.waiting, entry)


class Account:
    """The account with 5,000 pending records, and the functions."""

    def __init__(self) -> None:
        self.time = Time()
        self.iam, self.records = ThrottledIam(self.time), Records(self.time)
        self.queue, self.parking = Queue(self.time), Queue(self.time)
        self.names = [f"user-{n:04}" for n in range(USERS)]
        self.stream_done_at = 0.0
        for name in self.names:
            record = Record(name=name, status="pending", user=a_user(name), revision=1)
            self.records.rows[name] = replace(record, requested_at=timestamp(START))
        adapters: Any = (self.records, self.iam, Vault())
        converger = Converger("test", SENDING, *adapters, self.time.moment)
        self.events = UserEvents(converger, self.queue, self.time.moment)
        batches: Any = None  # the stream loses nothing here
        tries = PIPELINE.dead_letters["tries"]
        reader = LetterReader("arn:aws:dynamodb:eu-central-1:123456789012:table/users", 10)
        self.letters = DeadLetters(converger, reader, batches, self.queue, self.parking, tries, self.time.moment)

    def run(self) -> None:
        lanes = SHARDS * PIPELINE.mapping["parallelization_factor"]
        for lane in range(lanes):
            self.time.start(lambda names=self.names[lane::lanes]: self._deliver(names))
        for _ in range(PIPELINE.dead_letters["maximum_concurrency"]):
            self.time.start(self._work)
        self.time.run()

    def _invocation(self, function: str, tolerated: int) -> Invocation:
        end = self.time.now + PIPELINE.functions[function].timeout_seconds
        return Invocation(lambda: end - self.time.now, tolerated)

    def _deliver(self, names: list[str]) -> None:
        """One lane of the stream."""
        size = PIPELINE.mapping["batch_size"]
        for start in range(0, len(names), size):
            invocation = self._invocation("manager", TOLERATED_EVENTS)
            for name in names[start : start + size]:
                self.events.process(name, invocation)
            assert invocation.remaining() > 0, "the function timed out"
        self.stream_done_at = max(self.stream_done_at, self.time.now)

    def _work(self) -> None:
        """One of the dead-letter functions that run at once."""
        while len(self.records.ended_at) < USERS:
            messages = self.queue.receive(PIPELINE.dead_letters["batch_size"])
            if not messages:
                self.time.sleep(POLL)
            invocation = self._invocation("dead_letter", TOLERATED)
            for message in messages:
                if self.letters.process(message, invocation).done:
                    self.queue.delete(message)
            assert invocation.remaining() > 0, "the function timed out"


def longest_gap(times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times))


def test_5000_creations_under_heavy_throttling_end_with_no_failed_user() -> None:
    account = Account()
    account.run()
    assert Counter(record.status for record in account.records.rows.values()) == {Status.ACTIVE: USERS}
    assert account.iam.calls["CreateAccessKey"] == account.iam.calls["CreateUser"] == USERS
    assert account.parking.sent == 0
    assert account.iam.calls["PutUserPolicy"] < 1.2 * USERS, "nearly every attempt that puts a policy also gets a key"
    assert account.iam.calls["throttled"] < 6 * USERS
    assert account.time.now < 3 * 3600, "three writes for each user take at least two hours"
    assert account.stream_done_at < 2400, "the stream does not wait for IAM"
    assert account.queue.sent < 2 * USERS
    assert account.queue.deepest <= USERS
    deletes, results = [account.queue.first_at, *account.queue.deleted_at], [0.0, *account.records.ended_at]
    assert longest_gap(deletes) < 300, "the alarm dead-letters needs three periods of 5 minutes without a delete"
    assert longest_gap(results) < 1200, "--timeout of the workflow reconcile-environment.yml"

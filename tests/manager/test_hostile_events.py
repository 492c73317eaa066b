"""Anything may be in the queue or in an event: no exception, no control character in the log, bounded work.

`make fuzz` tries two hundred times as many.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.aws.streams import MOST_PAGES
from reconciler.manager.handlers import dead_letter, stream
from support.deployed import BATCH_SIZE, CONTEXT, clients
from support.letters import Letters, stream_of
from support.world import World, a_user

WAITING = 30
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["crm", "wiki", "nobody", "\x1b[2J", "a\x7f\x9b", "\u2028::error::x", "\u202e", "\ud800", "x" * 1000, "USER#crm"]
)
VALUES = st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | TEXTS
ANY = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
COUNTS = st.none() | st.integers(-1, 1001) | VALUES
LETTERS = st.fixed_dictionaries({"user": TEXTS}, optional={"tries": COUNTS, "since": COUNTS, "x": ANY})


def batches(arn: str, shard: str, numbers: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    number = st.sampled_from([*numbers[:3], *numbers[-3:], "0", "9" * 40]) | TEXTS
    info = st.fixed_dictionaries(
        {
            "streamArn": st.sampled_from([arn, arn, arn, f"{arn}1", arn.replace("smtp", "other")]) | TEXTS,
            "shardId": st.sampled_from([shard, shard, shard, f"{shard}1"]) | TEXTS,
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": st.integers(-1, 2 * BATCH_SIZE) | VALUES,
        }
    )
    return st.fixed_dictionaries({"DDBStreamBatchInfo": info | ANY})


@pytest.fixture
def letters(manager: World) -> Letters:
    for n in range(WAITING):
        manager.put_row(f"user-{n:02}", status="pending", allowed_from_addresses=["a@example.com"])
    manager.ask(a_user("crm"))
    manager.converge("crm")
    manager.iam.create_user(UserName="wiki")
    stream.user_events()
    return Letters.make(manager)


class Calls(Counter[str]):
    """The calls of the functions. Each message that is sent is counted, too."""

    def observe(self) -> None:
        for client in clients:
            client.meta.events.register_first("provide-client-params", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self[model.name] += 1
        self["sent"] += len(params.get("Entries", ()))


def take(log: io.StringIO) -> list[str]:
    """The lines that were logged since the last look. Each is JSON without a control character."""
    lines = log.getvalue().split("\n")
    log.seek(0)
    log.truncate()
    assert all(json.loads(line) for line in lines[:-1])
    assert all(line.isascii() and line.isprintable() for line in lines)
    return lines


SHARED = settings(
    max_examples=settings().max_examples // 3,  # of ten messages or records each
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_any_message_is_processed_or_parked(letters: Letters, log: io.StringIO) -> None:
    """I8: in CI 330 of them; ten in each invocation, which Lambda would never make so large."""
    calls = Calls()
    calls.observe()
    ours = batches(*stream_of(letters.world))
    bodies = LETTERS.map(json.dumps) | ours.map(json.dumps) | ANY.map(json.dumps) | TEXTS
    attributes = st.fixed_dictionaries(
        {},
        optional={"ApproximateReceiveCount": st.sampled_from(["1", "7", "x"]), "SentTimestamp": TEXTS | st.just("0")},
    )

    @SHARED
    @given(st.lists(st.tuples(bodies, attributes), min_size=10, max_size=10))
    def check(messages: list[tuple[str, dict[str, str]]]) -> None:
        calls.clear()
        records = [
            {"messageId": f"m-{n}", "receiptHandle": "r", "body": body, "attributes": given_, "eventSource": "aws:sqs"}
            for n, (body, given_) in enumerate(messages)
        ]
        answer = dead_letter.handler({"Records": records}, CONTEXT)
        assert set(answer) == {"batchItemFailures"}
        assert calls["GetRecords"] <= MOST_PAGES * len(records)
        assert sum(calls.values()) - calls["sent"] - calls["GetRecords"] <= 20 * len(records) + WAITING
        assert calls["sent"] <= BATCH_SIZE * len(records) + WAITING
        fallbacks.extend(line for line in take(log) if line.count("user-") >= WAITING)

    fallbacks: list[str] = []
    check()
    assert len(fallbacks) <= 1, "all waiting users at most once in a time window"


def test_any_event_is_acknowledged_or_left_to_the_queue(letters: Letters, log: io.StringIO) -> None:
    """I8: in CI 330 records, ten in each invocation."""
    calls = Calls()
    calls.observe()
    typed = st.dictionaries(st.sampled_from(["S", "N", "B", "M", "SS", "BOOL", "X"]), ANY, max_size=1)
    keys = st.fixed_dictionaries(
        {"PK": st.just({"S": "SMTP_USER"}), "SK": TEXTS.map(lambda name: {"S": f"USER#{name}"})}
    )
    images = st.dictionaries(st.sampled_from(["status", "correlation_id", "PK"]) | TEXTS, typed | ANY, max_size=3)
    change = st.fixed_dictionaries(
        {"SequenceNumber": st.integers(1, 10**6).map(str)},
        optional={"Keys": keys | st.dictionaries(TEXTS, typed, max_size=2) | ANY, "NewImage": images | ANY, "x": ANY},
    )
    record = st.fixed_dictionaries({}, optional={"dynamodb": change, "eventName": TEXTS, "eventID": TEXTS, "x": ANY})

    @SHARED
    @given(st.lists(record, min_size=10, max_size=10))
    def check(records: list[dict[str, Any]]) -> None:
        calls.clear()
        assert stream.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
        assert sum(calls.values()) <= 12 * len(records)
        take(log)

    check()
    assert letters.world.has_user("wiki"), "an unmanaged IAM user"

"""The event source mapping handles errors as Lambda does: see AWS's guide on errors of stream processing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from reconciler.aws.attributes import pack
from simulation.clock import Clock
from simulation.dynamodb import DynamoDb
from simulation.filters import Rules
from simulation.mapping import Mapping
from simulation.scheduler import Killed, Scheduler
from simulation.streams import shard_id
from simulation.trigger import Trigger
from simulation.world import TABLE_ARN, deployed


class Pump:
    """A mapping over one shard. `fails`: the result of each invocation: sequence numbers that fail, or an error."""

    def __init__(self, *fails: list[int] | BaseException) -> None:
        self.clock = Clock()
        self.scheduler = Scheduler(self.clock)
        self.table = DynamoDb(self.clock, TABLE_ARN, shards=1)
        self.fails = list(fails)
        self.seen: list[list[int]] = []
        self.letters: list[dict[str, Any]] = []
        rules = Rules(10, 1, timedelta(hours=6), True, deployed()["mapping"]["filters"], timedelta(minutes=2))
        give_up = lambda body: self.letters.append(json.loads(body))  # noqa: E731
        self.mapping = Mapping(self.clock, self.scheduler, self.table, rules, self.invoke, give_up, Trigger(self.table))

    def invoke(self, _shard: int, event: dict[str, Any]) -> Any:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        self.seen.append([int(number) for number in numbers])
        fail = self.fails.pop(0) if self.fails else []
        if isinstance(fail, BaseException):
            raise fail
        return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers if int(number) in fail]}

    def put(self, *names: str, **attributes: Any) -> None:
        for name in names:
            self.table.put(pack({"PK": "SMTP_USER", "SK": f"USER#{name}", "status": "pending", **attributes}))

    def run(self) -> list[list[int]]:
        self.mapping.poll(20)
        while self.scheduler.actors:
            self.scheduler.turn(None, 0)
        return self.seen


def test_everything_from_the_first_failure_on_runs_again() -> None:
    pump = Pump([2])
    pump.put("ant", "bee", "cat")
    assert pump.run() == [[1, 2, 3], [2, 3]]


def test_a_batch_that_crashes_is_cut_in_half() -> None:
    pump = Pump(Killed(), Killed())
    pump.put("ant", "bee", "cat")
    assert pump.run() == [[1, 2, 3], [1], [1], [2, 3]]


def test_what_never_works_becomes_a_message_without_records_and_blocks_no_one() -> None:
    pump = Pump([1], [1])
    pump.put("ant", "bee", "cat")
    assert pump.run() == [[1, 2, 3], [1, 2, 3]]
    assert pump.mapping.is_idle()
    (letter,) = pump.letters
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert (
        letter["DDBStreamBatchInfo"].items()
        >= {"shardId": shard_id(0), "batchSize": 3, "streamArn": pump.table.stream_arn}.items()
    )
    assert "Keys" not in json.dumps(letter)
    pump.put("dog")
    assert pump.run()[2:] == [[4]]


def test_the_stream_is_filtered_as_deployed() -> None:
    pump = Pump()
    pump.put("ant")
    pump.put("ant", status="active")
    pump.put("ant", status="deleting")
    pump.table.put(pack({"PK": "ORDER", "SK": "USER#ant", "status": "pending"}))
    pump.table.remove(("SMTP_USER", "USER#ant"))
    assert pump.run() == [[1, 3, 5]]


@pytest.mark.parametrize("status", ["pending", "active", "disabled", "failed", "paused", "", None])
@pytest.mark.parametrize("revoked", [{"reason": "leaked"}, {"reason": ""}, "leaked", "", True, False])
def test_a_revocation_passes_the_filters_under_every_status(status: str | None, revoked: object) -> None:
    """I16"""
    pump = Pump()
    item = {"PK": "SMTP_USER", "SK": "USER#ant", "revoked": revoked, "status": status}
    pump.table.put(pack({name: value for name, value in item.items() if value is not None}))
    assert pump.run() == [[1]]


def test_what_a_function_writes_passes_no_filter() -> None:
    pump = Pump()
    for status in ("active", "disabled", "failed"):
        pump.put("ant", status=status)
    assert pump.run() == []

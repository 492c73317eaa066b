"""A model of the event source mapping: batches, filters, partial failures, bisecting, retries, record age, and
the message without records that it sends after the last retry."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulation.clock import Clock
from simulation.dynamodb import DynamoDb, Item, StreamRecord
from simulation.filters import Rules
from simulation.scheduler import Actor, Scheduler
from simulation.streams import shard_id
from simulation.trigger import Trigger

PAUSE = 5.0  # seconds between two attempts of a batch


@dataclass(frozen=True, slots=True)
class Batch:
    """`tries`: invocations in which it has failed."""

    records: tuple[StreamRecord, ...]
    tries: int = 0


@dataclass
class Lane:
    """One shard. `position`: everything up to here was read. `polls`: invocations still to be made."""

    shard: int
    position: int = 0
    waiting: list[Batch] = field(default_factory=list)
    polls: int = 0
    busy: bool = False
    again: bool = False  # the next success is not recorded: at-least-once delivery


class Mapping:
    def __init__(
        self, clock: Clock, scheduler: Scheduler, table: DynamoDb, rules: Rules, invoke: Callable[[int, Any], Any],
        give_up: Callable[[str], None], trigger: Trigger,
    ) -> None:  # fmt: skip
        """`done` is called with each acknowledged record."""
        self._clock = clock
        self._scheduler = scheduler
        self._table = table
        self._rules = rules
        self._passed: dict[int, bool] = {}
        self._invoke = invoke
        self._give_up = give_up
        self._trigger = trigger
        self.lost = 0  # records that were never delivered
        self.done: Callable[[StreamRecord], None] = lambda _: None
        self.lanes = [Lane(shard) for shard in range(table.shards)]

    def poll(self, times: int) -> None:
        for lane in self.lanes:
            lane.polls = max(lane.polls, times)
            self._next(lane)

    def repeat(self) -> None:
        """Deliver the next successful batch of each lane again."""
        for lane in self.lanes:
            lane.again = True

    def rewind(self) -> None:
        """Deliver all records that the stream still holds again."""
        for lane in self.lanes:
            lane.position = 0

    def repair(self) -> None:
        """Enable it, or create it again for the table's new stream, which has no record of the time before."""
        self._trigger.enabled = True
        self._trigger.changes += 1
        if self._trigger.source != self._table.stream_arn:
            for lane in self.lanes:
                self._skip_to(lane, self._table.streams[-1])
            self._trigger.source = self._table.stream_arn

    def passes(self, record: StreamRecord) -> bool:
        """A record stays in the table's log, and what it contains stays the same."""
        if id(record) not in self._passed:
            self._passed[id(record)] = self._rules.passes(record)
        return self._passed[id(record)]

    def is_idle(self) -> bool:
        if not self._trigger.delivers:
            return not any(lane.busy for lane in self.lanes)
        return not any(lane.busy or lane.waiting or self._fresh(lane) for lane in self.lanes)

    def _fresh(self, lane: Lane) -> tuple[StreamRecord, ...]:
        passing = (record for record in self._table.kept(lane.shard, lane.position) if self.passes(record))
        return tuple(record for record, _ in zip(passing, range(self._rules.batch_size), strict=False))

    def _next(self, lane: Lane) -> None:
        if lane.busy or lane.polls <= 0 or not self._trigger.delivers:
            return
        self._skip_lost(lane)
        if not lane.waiting and (fresh := self._fresh(lane)):
            lane.waiting.append(Batch(fresh))
            lane.position = fresh[-1].sequence
        self._drop_hopeless(lane)
        if not lane.waiting:
            lane.polls = 0
            return
        lane.polls -= 1
        lane.busy = True
        batch = lane.waiting[0]
        event = {"Records": [_event(record) for record in batch.records]}
        names = ",".join(dict.fromkeys(record.key[1].removeprefix("USER#") for record in batch.records))
        self._scheduler.start(
            Actor(
                f"stream[{names}]",
                lambda: self._invoke(lane.shard, event),
                lambda actor: self._ended(lane, batch, actor),
                deadline=self._clock.now + self._rules.timeout,
            )
        )

    def _skip_lost(self, lane: Lane) -> None:
        """Count the records that the stream dropped before they were delivered."""
        self._skip_to(lane, next((r.sequence - 1 for r in self._table.kept(lane.shard)), len(self._table.log)))

    def _skip_to(self, lane: Lane, position: int) -> None:
        forgotten = self._table.log[lane.position : position]
        self.lost += sum(record.shard == lane.shard and self.passes(record) for record in forgotten)
        lane.position = max(lane.position, position)

    def _drop_hopeless(self, lane: Lane) -> None:
        """Send batches without remaining retries and records that are too old to the dead-letter queue."""
        while lane.waiting:
            batch = lane.waiting[0]
            old = self._clock.now - self._rules.record_age
            if batch.tries > self._rules.retries:
                self._send(lane, batch.records, "RetryAttemptsExhausted", batch.tries)
            elif batch.records[0].at < old:
                aged = tuple(record for record in batch.records if record.at < old)
                self._send(lane, aged, "RecordAgeExceeded", batch.tries)
                if len(aged) < len(batch.records):
                    lane.waiting[0] = Batch(batch.records[len(aged) :])
                    continue
            else:
                return
            lane.waiting.pop(0)

    def _ended(self, lane: Lane, batch: Batch, actor: Actor) -> None:
        lane.busy = False
        lane.waiting.pop(0)
        if actor.error is not None:
            lane.waiting[:0] = self._after_crash(batch)
            self._clock.advance(PAUSE)
        else:
            failed = [failure["itemIdentifier"] for failure in actor.result["batchItemFailures"]]
            for record in batch.records:
                if not failed or record.number < min(failed):
                    self.done(record)
            if failed:
                lane.waiting[:0] = self._after_failure(batch, failed)
                self._clock.advance(PAUSE)
            elif lane.again:
                lane.again = False
                lane.waiting.insert(0, batch)
        self._next(lane)

    def _after_crash(self, batch: Batch) -> list[Batch]:
        if self._rules.bisect and len(batch.records) > 1:
            half = len(batch.records) // 2
            return [Batch(batch.records[:half], batch.tries), Batch(batch.records[half:], batch.tries)]
        return [Batch(batch.records, batch.tries + 1)]

    def _after_failure(self, batch: Batch, failed: list[str]) -> list[Batch]:
        """The lowest failed sequence number is the checkpoint: everything from there on runs again."""
        lowest = min(failed)
        rest = tuple(record for record in batch.records if record.number >= lowest)
        return [Batch(rest, batch.tries + (len(rest) == len(batch.records)))]

    def _send(self, lane: Lane, records: tuple[StreamRecord, ...], condition: str, tries: int) -> None:
        first, last = records[0], records[-1]
        self._give_up(
            json.dumps(
                {
                    "requestContext": {
                        "requestId": "5150",
                        "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:simulated",
                        "condition": condition,
                        "approximateInvokeCount": tries,
                    },
                    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
                    "version": "1.0",
                    "timestamp": _time(self._clock.now),
                    "DDBStreamBatchInfo": {
                        "shardId": shard_id(lane.shard),
                        "startSequenceNumber": first.number,
                        "endSequenceNumber": last.number,
                        "approximateArrivalOfFirstRecord": _time(first.at),
                        "approximateArrivalOfLastRecord": _time(last.at),
                        "batchSize": len(records),
                        "streamArn": self._trigger.source,
                    },
                }
            )
        )


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _event(record: StreamRecord) -> dict[str, Any]:
    """A record in the format of Lambda: binary values in base64."""
    images = {"NewImage": record.new, "OldImage": record.old}
    return {
        "eventID": record.number,
        "eventName": record.event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": record.at.timestamp(),
            "Keys": {"PK": {"S": record.key[0]}, "SK": {"S": record.key[1]}},
            "SequenceNumber": record.number,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **{name: _encoded(image) for name, image in images.items() if image},
        },
    }


def _encoded(image: Item) -> Item:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in image.items()
    }

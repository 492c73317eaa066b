"""A model of the calls that read the table's stream by shard and sequence number."""

from __future__ import annotations

from itertools import islice
from typing import Any

from simulation.clock import Clock
from simulation.dynamodb import KEPT, DynamoDb, StreamRecord
from simulation.faults import refusal

PAGE = 3  # records per GetRecords response in this model


def shard_id(shard: int) -> str:
    return f"shardId-{shard:020d}-5150"


class Streams:
    def __init__(self, clock: Clock, table: DynamoDb) -> None:
        self._clock = clock
        self._table = table

    def describe_stream(self, *, StreamArn: str, **_: Any) -> dict[str, Any]:
        self._check(StreamArn, "DescribeStream")
        shards = [{"ShardId": shard_id(shard)} for shard in range(self._table.shards)]
        return {"StreamDescription": {"StreamArn": StreamArn, "StreamStatus": "ENABLED", "Shards": shards}}

    def get_shard_iterator(
        self,
        *,
        StreamArn: str,
        ShardId: str,
        ShardIteratorType: str,
        SequenceNumber: str = "0",
    ) -> dict[str, Any]:
        self._check(StreamArn, "GetShardIterator")
        shards = [shard for shard in range(self._table.shards) if shard_id(shard) == ShardId]
        if not shards:
            raise refusal("ResourceNotFoundException", "GetShardIterator")
        if ShardIteratorType == "TRIM_HORIZON":
            position = next((r.sequence - 1 for r in self._table.kept(shards[0])), len(self._table.log))
        else:
            position = int(SequenceNumber) - (ShardIteratorType == "AT_SEQUENCE_NUMBER")
            self._check_trimmed(position, "GetShardIterator")
        return {"ShardIterator": f"{shards[0]}:{position}"}

    def get_records(self, *, ShardIterator: str, Limit: int = PAGE) -> dict[str, Any]:
        shard, position = map(int, ShardIterator.split(":"))
        self._check_trimmed(position, "GetRecords")
        found = list(islice(self._table.kept(shard, position), min(Limit, PAGE)))
        after = found[-1].sequence if found else len(self._table.log)
        return {"Records": [_plain(r) for r in found], "NextShardIterator": f"{shard}:{after}"}

    def _check(self, arn: str, operation: str) -> None:
        """A stream that was replaced can still be read."""
        if not arn.startswith(f"{self._table.arn}/stream/"):
            raise refusal("ResourceNotFoundException", operation)

    def _check_trimmed(self, position: int, operation: str) -> None:
        log = self._table.log
        if position < len(log) and log[position].at < self._clock.now - KEPT:
            raise refusal("TrimmedDataAccessException", operation)


def _plain(record: StreamRecord) -> dict[str, Any]:
    pk, sk = record.key
    images = {"NewImage": record.new, "OldImage": record.old}
    return {
        "eventID": record.number,
        "eventName": record.event,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": record.at,
            "Keys": {"PK": {"S": pk}, "SK": {"S": sk}},
            "SequenceNumber": record.number,
            **{name: image for name, image in images.items() if image},
        },
    }

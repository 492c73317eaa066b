"""How Lambda reads the stream of a table, which the emulator lacks: partial failures, bisecting, a retry limit.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and services-dynamodb-errors.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from reconciler.pipeline.definition import load_pipeline
from sandbox.local_aws import Sandbox

Record = dict[str, Any]


@dataclass
class StreamPump:
    """Replaces the mapping of the manager, which is disabled. `deliveries`: the batches that were sent."""

    sandbox: Sandbox
    deliveries: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox.map_anew("manager", Enabled=False)
        self.mapping = load_pipeline("sandbox").mapping
        self.arn = self.sandbox.mapping("manager")["EventSourceArn"]
        self.position = "0"

    def pump(self) -> None:
        """Deliver all new records, in order, batch by batch."""
        wanted = [record for record in self._read() if self._passes(record)]
        size = self.mapping["batch_size"]
        for start in range(0, len(wanted), size):
            self._deliver(wanted[start : start + size])

    def _deliver(self, batch: list[Record]) -> None:
        """The first failed record and all after it are delivered again; a batch that fails again is halved."""
        tries = dict.fromkeys(map(_sequence, batch), 0)
        while batch:
            failed = self._invoke(batch)
            if not failed:
                return
            batch = [record for record in batch if int(_sequence(record)) >= min(map(int, failed))]
            tries = {number: tries[number] + 1 for number in map(_sequence, batch)}
            if tries[_sequence(batch[0])] > self.mapping["maximum_retry_attempts"]:
                self._give_up(batch[:1])
                batch = batch[1:]
            elif len(batch) > 1 and self.mapping["bisect_batch_on_function_error"]:
                half = len(batch) // 2
                self._deliver(batch[:half])
                batch = batch[half:]

    def _invoke(self, batch: list[Record]) -> set[str]:
        self.deliveries.append([record["dynamodb"]["Keys"]["SK"]["S"].removeprefix("USER#") for record in batch])
        result = self.sandbox.invoke("manager", {"Records": batch})
        return {failure["itemIdentifier"] for failure in result["batchItemFailures"]}

    def _give_up(self, batch: list[Record]) -> None:
        """Send what AWS sends: sequence numbers, no record."""
        first, last = _sequence(batch[0]), _sequence(batch[-1])
        info = {
            "shardId": self.shard,
            "startSequenceNumber": first,
            "endSequenceNumber": last,
            "approximateArrivalOfFirstRecord": "2026-06-01T12:00:00Z",
            "approximateArrivalOfLastRecord": "2026-06-01T12:00:00Z",
            "batchSize": len(batch),
            "streamArn": self.arn,
        }
        context = {
            "requestId": "0",
            "functionArn": "",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        }
        body = {
            "requestContext": context,
            "version": "1.0",
            "timestamp": "2026-06-01T12:00:00Z",
            "DDBStreamBatchInfo": info,
        }
        self.sandbox.client("sqs").send_message(
            QueueUrl=self.sandbox.queue_url("dead_letter_queue"), MessageBody=json.dumps(body)
        )

    def _read(self) -> list[Record]:
        client = self.sandbox.client("dynamodbstreams")
        (shard,) = client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        self.shard = shard["ShardId"]
        iterator = client.get_shard_iterator(StreamArn=self.arn, ShardId=self.shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        found: list[Record] = []
        while page := client.get_records(ShardIterator=iterator):
            if not page["Records"]:
                break
            found += page["Records"]
            iterator = page["NextShardIterator"]
        new = [record for record in found if int(_sequence(record)) > int(self.position)]
        self.position = _sequence(found[-1]) if found else self.position
        return [_as_lambda_sees(record) for record in new]

    def _passes(self, record: Record) -> bool:
        return any(_matches(pattern, record) for pattern in self.mapping["filters"])


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _as_lambda_sees(record: Record) -> Record:
    """JSON: times as seconds, bytes as base64. Nothing here needs the bytes."""
    return json.loads(json.dumps(record, default=lambda value: "" if isinstance(value, bytes) else value.timestamp()))


def _matches(pattern: Any, value: Any) -> bool:
    """A filter pattern: nested keys, and at the leaves lists of allowed values, or that there is one."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(key in value and _matches(p, value[key]) for key, p in pattern.items())
    return value in pattern or {"exists": True} in pattern

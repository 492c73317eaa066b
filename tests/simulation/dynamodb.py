"""A model of one DynamoDB table and its stream, at the level of the client's calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from simulation import notation
from simulation.clock import Clock
from simulation.faults import refusal

Item = dict[str, Any]  # with type descriptors, as in DynamoDB's API; never changed in place
KEPT = timedelta(hours=24)
PAGE = 4  # items per Query page in this model; the real limit is 1 MB


@dataclass(frozen=True, slots=True)
class StreamRecord:
    sequence: int
    shard: int
    at: datetime
    event: str  # INSERT, MODIFY, REMOVE
    key: tuple[str, str]
    new: Item | None
    old: Item | None

    @property
    def number(self) -> str:
        return f"{self.sequence:021d}"


class DynamoDb:
    """`log`: the records of the table's stream. `arn`: of the table."""

    def __init__(self, clock: Clock, arn: str, shards: int) -> None:
        self._clock = clock
        self._table = arn.partition("/")[2]
        self.arn = arn
        self.streams: list[int] = [0]  # before which record of the log each stream of the table begins
        self.shards = shards
        self.items: dict[tuple[str, str], Item] = {}
        self.log: list[StreamRecord] = []

    # Direct access for manual changes and checks.

    def put(self, item: Item) -> None:
        self._write((item["PK"]["S"], item["SK"]["S"]), item)

    def remove(self, key: tuple[str, str]) -> None:
        self._write(key, None)

    def replace_stream(self) -> None:
        """It was turned off and on again."""
        self.streams.append(len(self.log))

    @property
    def stream_arn(self) -> str:
        """Of the latest stream."""
        return f"{self.arn}/stream/{len(self.streams)}"

    def _write(self, key: tuple[str, str], new: Item | None) -> None:
        """A write that changes nothing creates no stream record."""
        old = self.items.get(key)
        if notation.same_items(old, new):
            return
        if new is None:
            del self.items[key]
        else:
            self.items[key] = new
        event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        shard = crc32("/".join(key).encode()) % self.shards
        self.log.append(StreamRecord(len(self.log) + 1, shard, self._clock.now, event, key, new, old))

    def kept(self, shard: int, after: int = 0) -> Iterator[StreamRecord]:
        """The records of a shard that the stream still holds after a sequence number."""
        oldest = self._clock.now - KEPT
        return (r for r in self.log[after:] if r.shard == shard and r.at >= oldest)

    # The client's calls.

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool, **names: Any) -> dict[str, Any]:
        self._check_table(TableName, "GetItem")
        assert ConsistentRead, "a decision based on a stale record"
        item = self.items.get(_key(Key))
        return {"Item": notation.project(item, **names)} if item else {}

    def put_item(self, *, TableName: str, Item: Item, **expressions: Any) -> dict[str, Any]:
        self._check_table(TableName, "PutItem")
        self._check_condition("PutItem", _key(Item), expressions)
        self._write(_key(Item), {name: notation.plain(value) for name, value in Item.items()})
        return {}

    def update_item(self, *, TableName: str, Key: Item, UpdateExpression: str, **expressions: Any) -> dict[str, Any]:
        self._check_table(TableName, "UpdateItem")
        key = _key(Key)
        self._check_condition("UpdateItem", key, expressions)
        self._write(key, notation.update({**Key, **self.items.get(key, {})}, UpdateExpression, expressions))
        return {}

    def delete_item(self, *, TableName: str, Key: Item, **expressions: Any) -> dict[str, Any]:
        self._check_table(TableName, "DeleteItem")
        self._check_condition("DeleteItem", _key(Key), expressions)
        self._write(_key(Key), None)
        return {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, wanted),) = RequestItems.items()
        self._check_table(table, "BatchGetItem")
        if not 1 <= len(wanted["Keys"]) <= 100:
            raise refusal("ValidationException", "BatchGetItem")
        now, later = wanted["Keys"][:PAGE], wanted["Keys"][PAGE:]
        found = [notation.project(self.items[_key(key)], **wanted) for key in now if _key(key) in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {table: {**wanted, "Keys": later}} if later else {}}

    def query(self, *, TableName: str, KeyConditionExpression: str, Limit: int = PAGE, **expressions: Any) -> Any:
        """One page per call: the table may change between two pages."""
        self._check_table(TableName, "Query")
        start = expressions.pop("ExclusiveStartKey", None)
        matches = [
            item
            for key, item in sorted(self.items.items())
            if (start is None or key > _key(start)) and notation.holds(KeyConditionExpression, item, expressions)
        ]
        page = matches[: min(Limit, PAGE)]
        items = [notation.project(item, **expressions) for item in page if _passes(item, expressions)]
        answer: dict[str, Any] = {"Items": items}
        if len(matches) > len(page):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("PK", "SK")}
        return answer

    def describe_table(self, *, TableName: str) -> dict[str, Any]:
        self._check_table(TableName, "DescribeTable")
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return {"Table": {"TableArn": self.arn, "LatestStreamArn": self.stream_arn, "StreamSpecification": stream}}

    def _check_table(self, table: str, operation: str) -> None:
        if table != self._table:
            raise refusal("ResourceNotFoundException", operation)

    def _check_condition(self, operation: str, key: tuple[str, str], expressions: dict[str, Any]) -> None:
        condition = expressions.get("ConditionExpression")
        if condition and not notation.holds(condition, self.items.get(key) or {}, expressions):
            raise refusal("ConditionalCheckFailedException", operation, "The conditional request failed")


def _passes(item: Item, expressions: dict[str, Any]) -> bool:
    condition = expressions.get("FilterExpression")
    return not condition or notation.holds(condition, item, expressions)


def _key(values: Item) -> tuple[str, str]:
    return values["PK"]["S"], values["SK"]["S"]

"""Reading a failed batch from the stream: over its pages, up to its last record, and no further."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.aws.streams import MOST_PAGES, DynamoStream
from reconciler.errors import Retryable
from reconciler.ports import Batch

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/smtp-users-test/stream/2026-06-01T12:00:00.000"
SHARD = "shardId-00000001541626099285-f35f62ef"
MOST = 10


@dataclass
class FakeStreams:
    """Pages of a shard, as GetRecords returns them: the sequence numbers in each. User names contain the numbers."""

    pages: list[list[int]]
    closed: bool = True
    asked: list[Any] = field(default_factory=list)

    def get_shard_iterator(self, **parameters: Any) -> dict[str, str]:
        self.asked.append(parameters)
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        page = int(ShardIterator)
        self.asked.append(page)
        numbers = self.pages[page] if page < len(self.pages) else []
        key = {"PK": {"S": "SMTP_USER"}}
        records = [
            {
                "eventName": "REMOVE",
                "dynamodb": {"Keys": {**key, "SK": {"S": f"USER#u{number}"}}, "SequenceNumber": str(number)},
            }
            for number in numbers
        ]
        last = self.closed and page >= len(self.pages) - 1
        return {"Records": records, **({} if last else {"NextShardIterator": str(page + 1)})}


def names(pages: list[list[int]], first: str, last: str, closed: bool = True) -> tuple[set[str] | None, FakeStreams]:
    client: Any = FakeStreams(pages, closed)
    return DynamoStream(client).users_in_batch(Batch(ARN, SHARD, first, last), MOST), client


def test_a_shard_is_read_over_its_pages_up_to_the_last_number() -> None:
    found, client = names([[5, 6], [], [7], [8, 9], [10]], "5", "9")
    assert found == {"u5", "u6", "u7", "u8", "u9"}
    assert client.asked[0]["SequenceNumber"] == "5"
    assert client.asked[1:] == [0, 1, 2, 3], "not a page further"


def test_numbers_are_compared_as_numbers() -> None:
    assert names([[99, 100, 101]], "99", "100")[0] == {"u99", "u100"}


def test_a_last_number_that_is_skipped_ends_the_batch_at_the_next() -> None:
    assert names([[5, 8]], "5", "7")[0] == {"u5"}


def test_a_shard_that_ends_before_the_last_number_cannot_tell() -> None:
    assert names([[5, 6]], "5", "9")[0] is None


def test_an_open_shard_is_not_waited_at_forever() -> None:
    found, client = names([[5]], "5", "9", closed=False)
    assert found is None
    assert len(client.asked) == 1 + MOST_PAGES


def test_empty_pages_between_records_are_read_over() -> None:
    pages: list[list[int]] = [*([[]] * 20), [5], *([[]] * 20), [6]]
    assert names(pages, "5", "6")[0] == {"u5", "u6"}


def test_more_users_than_a_batch_has_are_no_batch() -> None:
    """A forged range costs no more than a batch does."""
    found, client = names([[n] for n in range(5, 5 + MOST)], "5", str(4 + MOST))
    assert found is not None
    assert len(found) == MOST
    found, client = names([[n] for n in range(5, 100)], "5", "99")
    assert found is None
    assert len(client.asked) == 1 + MOST + 1


@pytest.mark.parametrize(
    ("event", "status", "passes"),
    [
        ("INSERT", "pending", True),
        ("MODIFY", "deleting", True),
        ("MODIFY", "active", False),
        ("MODIFY", None, False),
        ("REMOVE", None, True),
    ],
)
def test_records_that_the_mapping_filters_out_are_not_in_the_batch(
    event: str, status: str | None, passes: bool
) -> None:
    class Changed(FakeStreams):
        def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
            page = super().get_records(ShardIterator)
            for record in page["Records"]:
                record["eventName"] = event
                record["dynamodb"]["NewImage"] = {"status": {"S": status}} if status else {}
            return page

    client: Any = Changed([[5]])
    assert DynamoStream(client).users_in_batch(Batch(ARN, SHARD, "5", "5"), MOST) == ({"u5"} if passes else set())


def test_a_retryable_error_of_the_stream_is_reported() -> None:
    class Throttled(FakeStreams):
        def get_records(self, **_: Any) -> dict[str, Any]:
            error: Any = {"Error": {"Code": "ThrottlingException", "Message": ""}}
            raise ClientError(error, "GetRecords")

    client: Any = Throttled([[5]])
    with pytest.raises(Retryable):
        DynamoStream(client).users_in_batch(Batch(ARN, SHARD, "5", "5"), MOST)

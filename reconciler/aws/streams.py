"""Read a failed batch from the table's stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.aws.attributes import unpack
from reconciler.aws.client import aws_errors
from reconciler.core.record import AWAITING, name_of
from reconciler.errors import AwsError
from reconciler.ports import Batch

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

# The stream keeps a record for a day; its shard may be deleted as well.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
LOST = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"})
MOST_PAGES = 50  # many of them may be empty; a batch that ends later is not searched for


class DynamoStream:
    def __init__(self, client: DynamoDBStreamsClient) -> None:
        self._client = client

    def users_in_batch(self, batch: Batch, most: int) -> set[str] | None:
        """The SMTP users that a shard's records request between two sequence numbers, both included.

        None if the stream no longer has these records, or if they cannot be one batch: more than `most` users.
        """
        try:
            return self._read(batch, most)
        except AwsError as error:
            if error.code in LOST:
                return None
            raise

    def _read(self, batch: Batch, most: int) -> set[str] | None:
        with aws_errors("dynamodb:GetShardIterator"):
            iterator = self._client.get_shard_iterator(
                StreamArn=batch.stream_arn,
                ShardId=batch.shard,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=batch.first,
            ).get("ShardIterator")
        names: set[str] = set()
        for _ in range(MOST_PAGES):
            if not iterator:
                return None
            with aws_errors("dynamodb:GetRecords"):
                page = self._client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number <= int(batch.last) and (name := _requested(record)):
                    names.add(name)
                if len(names) > most:
                    return None
                if number >= int(batch.last):
                    return names
            iterator = page.get("NextShardIterator")
        return None


def _requested(record: Mapping[str, Any]) -> str | None:
    """The user of a record that the mapping's filters let pass."""
    change = record["dynamodb"]
    image = unpack(change.get("NewImage", {}))
    status = image.get("status")
    is_waiting = (isinstance(status, str) and status in AWAITING) or image.get("revoked") is not None
    passes = record["eventName"] == "REMOVE" or is_waiting
    return name_of(unpack(change["Keys"])) if passes else None

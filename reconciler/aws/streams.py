"""Read a failed batch from the table's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.aws.dynamodb import unpack
from reconciler.core.record import name_of
from reconciler.errors import AwsError

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

# The stream keeps a record for a day; its shard may be deleted as well.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
LOST = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"})
EMPTY_PAGES = 20  # consecutive; after that, the search for a record ends


class DynamoStream:
    def __init__(self, client: DynamoDBStreamsClient) -> None:
        self._client = client

    def users_in_batch(self, arn: str, shard: str, first: str, last: str) -> set[str] | None:
        """The SMTP users of a shard's records between two sequence numbers, both included.

        None if the stream no longer has these records.
        """
        try:
            return self._read(arn, shard, first, int(last))
        except AwsError as error:
            if error.code in LOST:
                return None
            raise

    def _read(self, arn: str, shard: str, first: str, last: int) -> set[str] | None:
        with aws_errors("dynamodb:GetShardIterator"):
            iterator = self._client.get_shard_iterator(
                StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=first
            ).get("ShardIterator")
        names: set[str] = set()
        empty = 0
        while iterator and empty < EMPTY_PAGES:
            with aws_errors("dynamodb:GetRecords"):
                page = self._client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                change = record["dynamodb"]
                if int(change["SequenceNumber"]) > last:
                    return names
                if name := name_of(unpack(change["Keys"])):
                    names.add(name)
                if int(change["SequenceNumber"]) == last:
                    return names
            empty = 0 if page["Records"] else empty + 1
            iterator = page.get("NextShardIterator")
        return None

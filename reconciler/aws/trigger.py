"""The trigger of the credential manager, as DynamoDB and Lambda report it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.core.trigger import Mapping, Trigger

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda import LambdaClient


class StreamTrigger:
    """The table's stream, and the event source mappings of `function`."""

    def __init__(self, dynamodb: DynamoDBClient, client: LambdaClient, table: str, function: str) -> None:
        self._dynamodb = dynamodb
        self._client = client
        self._table = table
        self._function = function

    def read(self) -> Trigger:
        """Raises AwsError. DescribeTable returns the ARN of a stream also after it was turned off."""
        with aws_errors("dynamodb:DescribeTable"):
            table = self._dynamodb.describe_table(TableName=self._table)["Table"]
        stream = table.get("StreamSpecification")
        is_on = stream is not None and stream["StreamEnabled"]
        return Trigger(
            table_arn=table["TableArn"],
            stream_arn=table.get("LatestStreamArn", "") if is_on else "",
            view=stream.get("StreamViewType", "") if stream else "",
            mappings=self._mappings(),
        )

    def _mappings(self) -> tuple[Mapping, ...]:
        with aws_errors("lambda:ListEventSourceMappings"):
            pages = self._client.get_paginator("list_event_source_mappings").paginate(FunctionName=self._function)
            listed = [mapping for page in pages for mapping in page["EventSourceMappings"]]
        return tuple(Mapping(mapping.get("EventSourceArn", ""), mapping.get("State", "")) for mapping in listed)

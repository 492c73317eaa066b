"""The libraries that a handler of this kind needs, without any code of its own."""

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

__all__ = [
    "BatchProcessor", "DynamoDBRecord", "EventType", "Logger", "Metrics", "Tracer", "boto3", "process_partial_response",
]  # fmt: skip

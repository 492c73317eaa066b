"""The libraries of a handler with logs, metrics, traces and partial batch responses, without any code of its own."""

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_xray_sdk.core import xray_recorder

__all__ = [
    "BatchProcessor", "DynamoDBRecord", "EventType", "Logger", "Metrics", "Tracer", "boto3", "process_partial_response",
    "xray_recorder",
]  # fmt: skip

"""The dead-letter processor: retries the users of batches that the stream's mapping gave up on.

It accepts the mapping's own message, which names no user, and `{"user": NAME}`, which it derives from the first or an
administrator sends.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.aws.client import RETRIED
from reconciler.aws.sqs import SqsQueue
from reconciler.aws.streams import DynamoStream
from reconciler.errors import AwsError
from reconciler.manager.dead_letters import DeadLetters, MessageResult
from reconciler.manager.handlers.adapters import adapters
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.settings import DeadLetterSettings
from reconciler.ports import Message

telemetry = Telemetry()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class NotDone(Exception):
    """Keeps the message in the queue."""


@cache
def dead_letters() -> DeadLetters:
    """One per execution environment."""
    made, own, session = adapters(), DeadLetterSettings.from_environ(os.environ), boto3.session.Session()
    return DeadLetters(
        converger=made.converger(),
        records=made.records,
        queue=SqsQueue(session.client("sqs", config=RETRIED), own.queue_url, own.parking_url),
        stream=DynamoStream(session.client("dynamodbstreams", config=RETRIED)),
        tries=own.tries,
        now=made.now,
    )


def handle_record(record: SQSRecord) -> None:
    count = int(record.attributes.approximate_receive_count or 1)
    with telemetry.traced():
        result = dead_letters().process(Message(record.message_id, record.body, record.receipt_handle, count))
        _report(result, count)
    if not result.done:
        raise NotDone


def _report(result: MessageResult, receive_count: int) -> None:
    if result.converged:
        telemetry.report(result.converged)
    if result.split is not None:
        telemetry.log("dead letter split", users=list(result.split))
    if result.parked:
        known = isinstance(result.error, AwsError)
        telemetry.log(
            "dead letter parked",
            level="error",
            smtp_user=result.name,
            reason=str(result.error) if known else type(result.error).__name__,
            correlation_id=result.error.correlation_id if isinstance(result.error, AwsError) else "",
            attempts=receive_count,
        )
    elif isinstance(result.error, AwsError):
        telemetry.retry(result.name, result.error)
    elif result.error:
        telemetry.defect(result.name, result.error)
    telemetry.count(DeadLetterParked=result.parked)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda entry point. Returns the messages that stay in the queue (`batchItemFailures`)."""
    telemetry.begin(context)
    try:
        return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
    finally:
        telemetry.flush()

"""The dead-letter processor: drives again whom the stream's mapping has given up on.

Takes the mapping's own message, which names no user, and `{"user": NAME}`, which it makes of it or a person sends.
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
from reconciler.ports import Message

telemetry = Telemetry()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class NotDone(Exception):
    """The message stays in the queue."""


@cache
def dead_letters() -> DeadLetters:
    """One per execution environment."""
    made, session = adapters(), boto3.session.Session()
    return DeadLetters(
        converger=made.converger(),
        records=made.records,
        queue=SqsQueue(
            session.client("sqs", config=RETRIED),
            os.environ["DEAD_LETTER_QUEUE_URL"],
            os.environ["PARKING_QUEUE_URL"],
        ),
        stream=DynamoStream(session.client("dynamodbstreams", config=RETRIED)),
        tries=int(os.environ["DEAD_LETTER_TRIES"]),
        now=made.now,
    )


def handle_record(record: SQSRecord) -> None:
    count = int(record.attributes.approximate_receive_count or 1)
    with telemetry.traced():
        handled = dead_letters().process(Message(record.message_id, record.body, record.receipt_handle, count))
        _tell(handled, count)
    if not handled.done:
        raise NotDone


def _tell(handled: MessageResult, receive_count: int) -> None:
    if handled.report:
        telemetry.report(handled.report)
    if handled.split is not None:
        telemetry.say("dead letter split", users=list(handled.split))
    if handled.parked:
        known = isinstance(handled.error, AwsError)
        telemetry.say(
            "dead letter parked",
            level="error",
            smtp_user=handled.name,
            reason=str(handled.error) if known else type(handled.error).__name__,
            correlation_id=handled.error.correlation_id if isinstance(handled.error, AwsError) else "",
            attempts=receive_count,
        )
    elif isinstance(handled.error, AwsError):
        telemetry.retry(handled.name, handled.error)
    elif handled.error:
        telemetry.defect(handled.name, handled.error)
    telemetry.count(DeadLetterParked=handled.parked)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda entry point. Answers with the messages that stay in the queue (`batchItemFailures`)."""
    telemetry.begin(context)
    try:
        return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
    finally:
        telemetry.flush()

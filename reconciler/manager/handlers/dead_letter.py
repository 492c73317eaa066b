"""The dead-letter processor: retries the users that the credential manager left to it.

It also accepts the message of the stream's mapping, which names no user, and `{"user": NAME}` from an administrator.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.aws.client import RETRIED
from reconciler.aws.fallback_state import DynamoFallbacks
from reconciler.aws.sqs import SqsQueue
from reconciler.aws.streams import DynamoStream
from reconciler.errors import AwsError
from reconciler.manager.batches import Batches
from reconciler.manager.dead_letters import TOLERATED, DeadLetters, MessageResult
from reconciler.manager.handlers.adapters import adapters, create_during_init
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.invocation import Invocation
from reconciler.manager.letters import LetterReader
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
    converger, sqs = made.converger(), session.client("sqs", config=RETRIED)
    return DeadLetters(
        converger=converger,
        reader=LetterReader(own.table_arn, own.batch_size),
        batches=Batches(
            stream=DynamoStream(session.client("dynamodbstreams", config=RETRIED)),
            records=made.records,
            fallbacks=DynamoFallbacks(session.client("dynamodb", config=RETRIED), made.settings.table),
            sending=converger.sending,
            size=own.batch_size,
            now=made.now,
        ),
        queue=SqsQueue(sqs, own.queue_url),
        parking=SqsQueue(sqs, own.parking_url),
        tries=own.tries,
        now=made.now,
    )


def handle_record(record: SQSRecord, invocation: Invocation) -> None:
    with telemetry.traced():
        result = dead_letters().process(_message(record), invocation)
        _report(result)
    if not result.done:
        raise NotDone


def _message(record: SQSRecord) -> Message:
    count, sent_at = 1, datetime.now(UTC)
    with suppress(ValueError, KeyError, TypeError, OverflowError, OSError):
        count = int(record.attributes.approximate_receive_count)
        sent_at = datetime.fromtimestamp(int(record.attributes.sent_timestamp) / 1000, UTC)
    return Message(record.message_id, record.body, record.receipt_handle, count, sent_at)


def _report(result: MessageResult) -> None:
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
            attempts=result.tries,
        )
    elif result.error or not (result.converged or result.split is not None):
        telemetry.left_to_queue(result.name, result.error)
    telemetry.count(DeadLetterParked=result.parked)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda entry point. Returns the messages that stay in the queue (`batchItemFailures`)."""
    invocation = Invocation(lambda: context.get_remaining_time_in_millis() / 1000, TOLERATED)

    def handle(record: SQSRecord) -> None:
        handle_record(record, invocation)

    telemetry.begin(context)
    try:
        return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
    finally:
        telemetry.flush()


create_during_init(dead_letters, telemetry)

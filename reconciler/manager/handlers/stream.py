"""The credential manager: converges every SMTP user that the table's stream names.

Only the name is taken from an event. Record and IAM are read as they are now.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.aws.client import RETRIED
from reconciler.aws.sqs import SqsQueue
from reconciler.core.record import name_of
from reconciler.errors import AwsError
from reconciler.manager.handlers.adapters import adapters, create_during_init
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.invocation import Invocation
from reconciler.manager.settings import ManagerSettings
from reconciler.manager.user_events import TOLERATED, UserEvents

telemetry = Telemetry()
# A record that is delivered again is no error of the function: it has its own metrics.
processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


@cache
def user_events() -> UserEvents:
    """One per execution environment: clients keep their connections between invocations."""
    made, own = adapters(), ManagerSettings.from_environ(os.environ)
    queue = SqsQueue(boto3.session.Session().client("sqs", config=RETRIED), own.queue_url)
    return UserEvents(made.converger(), queue, made.now)


def handle_record(record: DynamoDBRecord, invocation: Invocation) -> None:
    """Raises AwsError if the user can be left to no queue: the event is then delivered again."""
    name = _name(record)
    if name is None:
        return
    with telemetry.traced():
        try:
            result = user_events().process(name, invocation)
        except AwsError as error:
            telemetry.retry(name, error)
            raise
        if result.converged:
            telemetry.report(result.converged, _requested_by(record))
        else:
            telemetry.left_to_queue(name, result.error)


def _name(record: DynamoDBRecord) -> str | None:
    with suppress(Exception):  # keys that cannot be read belong to no user
        return name_of((record.dynamodb.keys if record.dynamodb else None) or {})
    return None


def _requested_by(record: DynamoDBRecord) -> str:
    """The correlation id in the event's image: for logs only, and only if the record itself is gone."""
    with suppress(Exception):  # an unreadable image must not cause a redelivery
        image = record.dynamodb and (record.dynamodb.new_image or record.dynamodb.old_image)
        correlation_id = (image or {}).get("correlation_id")
        return correlation_id if isinstance(correlation_id, str) else ""
    return ""


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda entry point. Returns the sequence numbers to deliver again (`batchItemFailures`)."""
    invocation = Invocation(lambda: context.get_remaining_time_in_millis() / 1000, TOLERATED)

    def handle(record: DynamoDBRecord) -> None:
        handle_record(record, invocation)

    telemetry.begin(context)
    try:
        return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
    finally:
        telemetry.flush()


create_during_init(user_events, telemetry)

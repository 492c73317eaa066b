"""The credential manager: converges every SMTP user that the table's stream names.

Only the name is taken from an event. Record and IAM are read as they are now.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.core.record import name_of
from reconciler.errors import AwsError
from reconciler.manager.handlers.adapters import converger
from reconciler.manager.handlers.telemetry import Telemetry

telemetry = Telemetry()
# A single record that is delivered again is no error of the function: it has its own metrics and queue.
processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def handle_record(record: DynamoDBRecord) -> None:
    """Raises Retryable, or Terminal if no record can store the failure: the event is then delivered again."""
    name = name_of((record.dynamodb.keys if record.dynamodb else None) or {})
    if name is None:
        return
    with telemetry.traced():
        try:
            telemetry.report(converger().converge(name), _requested_by(record))
        except AwsError as error:
            telemetry.retry(name, error)
            raise
        except Exception as error:
            telemetry.defect(name, error)
            raise


def _requested_by(record: DynamoDBRecord) -> str:
    """The correlation id in the event's image: for logs only, and only if the record itself is gone."""
    with suppress(Exception):  # an unreadable image must not cause a redelivery
        image = record.dynamodb and (record.dynamodb.new_image or record.dynamodb.old_image)
        correlation_id = (image or {}).get("correlation_id")
        return correlation_id if isinstance(correlation_id, str) else ""
    return ""


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda entry point. Returns the sequence numbers to deliver again (`batchItemFailures`)."""
    telemetry.begin(context)
    try:
        return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
    finally:
        telemetry.flush()

"""The dead-letter queue, and the parking queue for messages that could not be processed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.errors import Retryable
from reconciler.ports import Message

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH = 10  # messages that one SendMessageBatch takes


class SqsQueue:
    def __init__(self, client: SQSClient, queue_url: str, parking_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._parking_url = parking_url

    def send(self, names: Iterable[str]) -> None:
        """Send a message for each user. Raises Retryable if any was not accepted: then send all of them again."""
        bodies = [json.dumps({"user": name}) for name in sorted(names)]
        for start in range(0, len(bodies), BATCH):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + BATCH])]
            with aws_errors("sqs:SendMessage"):
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
            for failed in answer.get("Failed", []):
                raise Retryable("sqs:SendMessage", failed["Code"], failed.get("Message", "not accepted"))

    def delay(self, message: Message, seconds: int) -> None:
        """Keep a message in the queue, invisible for that time."""
        with aws_errors("sqs:ChangeMessageVisibility"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds
            )

    def park(self, body: str) -> None:
        with aws_errors("sqs:SendMessage"):
            self._client.send_message(QueueUrl=self._parking_url, MessageBody=body)

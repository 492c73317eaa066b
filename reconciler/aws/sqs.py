"""A queue: the dead-letter queue, or the parking queue for messages that could not be processed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.errors import Retryable
from reconciler.ports import Message

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH = 10  # messages that one SendMessageBatch takes


class SqsQueue:
    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Iterable[tuple[str, int]]) -> None:
        """Raises Retryable if any was not accepted: then send all of them again."""
        entries = [
            {"Id": str(n), "MessageBody": body, "DelaySeconds": seconds} for n, (body, seconds) in enumerate(messages)
        ]
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            with aws_errors("sqs:SendMessage"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=batch)  # type: ignore[arg-type]
            for failed in answer.get("Failed", []):
                raise Retryable("sqs:SendMessage", failed["Code"], failed.get("Message", "not accepted"))

    def delay(self, message: Message, seconds: int) -> None:
        """Keep a message in the queue, invisible for that time."""
        with aws_errors("sqs:ChangeMessageVisibility"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds
            )

    def delete(self, message: Message) -> None:
        with aws_errors("sqs:DeleteMessage"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt_handle)

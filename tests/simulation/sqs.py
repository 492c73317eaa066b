"""A model of two SQS queues: the dead-letter queue, and the queue where messages are parked after the last attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulation.clock import Clock
from simulation.faults import refusal

KEPT = timedelta(days=14)


@dataclass(eq=False)
class Letter:
    id: str
    body: str
    sent: datetime
    visible: datetime
    receives: int = 0
    receipt: str = ""


class Sqs:
    """`redrive`: after how many receives a message goes from one queue to another."""

    def __init__(self, clock: Clock, visibility: float, redrive: dict[str, tuple[str, int]], queues: list[str]) -> None:
        self._clock = clock
        self._visibility = visibility
        self._redrive = redrive
        self.queues: dict[str, list[Letter]] = {url: [] for url in queues}
        self.bodies: list[str] = []  # of every message that was ever sent
        self.lost = 0  # messages that expired
        self._receipts = 0
        self.duplicate = False  # the next receive also returns messages in flight: at-least-once delivery

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0, **_: Any) -> Any:
        queue = self._queue(QueueUrl, "SendMessage")
        if not 0 <= DelaySeconds <= 900:
            raise refusal("InvalidParameterValue", "SendMessage")
        self.bodies.append(MessageBody)
        now = self._clock.now
        letter = Letter(f"message-{len(self.bodies)}", MessageBody, now, now + timedelta(seconds=DelaySeconds))
        queue.append(letter)
        return {"MessageId": letter.id}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:
        if not 1 <= len(Entries) <= 10:
            raise refusal("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "SendMessageBatch")
        sent = []
        for entry in Entries:
            parameters = {name: value for name, value in entry.items() if name != "Id"}
            sent.append({"Id": entry["Id"], **self.send_message(QueueUrl=QueueUrl, **parameters)})
        return {"Successful": sent, "Failed": []}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int = 1, **_: Any) -> Any:
        found: list[dict[str, Any]] = []
        for letter in list(self._queue(QueueUrl, "ReceiveMessage")):
            if self._clock.now - letter.sent > KEPT:
                self.queues[QueueUrl].remove(letter)
                self.lost += 1
            elif letter.visible <= self._clock.now or self.duplicate:
                target, most = self._redrive.get(QueueUrl, ("", 0))
                if target and letter.receives >= most:
                    self.queues[QueueUrl].remove(letter)
                    self.queues[target].append(letter)
                elif len(found) < MaxNumberOfMessages:
                    found.append(self._receive(letter))
        self.duplicate = False
        return {"Messages": found}

    def _receive(self, letter: Letter) -> dict[str, Any]:
        self._receipts += 1
        letter.receives += 1
        letter.receipt = f"receipt-{self._receipts}"
        letter.visible = self._clock.now + timedelta(seconds=self._visibility)
        sent = str(int(letter.sent.timestamp() * 1000))
        return {
            "MessageId": letter.id,
            "ReceiptHandle": letter.receipt,
            "Body": letter.body,
            "Attributes": {"ApproximateReceiveCount": str(letter.receives), "SentTimestamp": sent},
        }

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> Any:
        letter = self._held(QueueUrl, ReceiptHandle, "ChangeMessageVisibility")
        if not 0 <= VisibilityTimeout <= 43200:
            raise refusal("InvalidParameterValue", "ChangeMessageVisibility")
        if letter:
            letter.visible = self._clock.now + timedelta(seconds=VisibilityTimeout)
        return {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Any:
        """An outdated receipt handle deletes nothing and causes no error."""
        if letter := self._held(QueueUrl, ReceiptHandle, "DeleteMessage"):
            self.queues[QueueUrl].remove(letter)
        return {}

    def _held(self, url: str, receipt: str, operation: str) -> Letter | None:
        return next((letter for letter in self._queue(url, operation) if letter.receipt == receipt), None)

    def _queue(self, url: str, operation: str) -> list[Letter]:
        if url not in self.queues:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue", operation)
        return self.queues[url]

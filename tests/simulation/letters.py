"""A model of the queue's event source mapping: it delivers messages; failed ones stay in the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulation.clock import Clock
from simulation.scheduler import Actor, Scheduler
from simulation.sqs import Letter, Sqs


class Letters:
    def __init__(
        self, clock: Clock, scheduler: Scheduler, sqs: Sqs, url: str, batch_size: int, concurrency: int,
        timeout: timedelta, invoke: Callable[[int, Any], Any],
    ) -> None:  # fmt: skip
        self._clock = clock
        self._scheduler = scheduler
        self._sqs = sqs
        self._url = url
        self._batch_size = batch_size
        self._timeout = timeout
        self._invoke = invoke
        self._free = list(range(concurrency))  # execution environments

    def poll(self) -> None:
        while self._free:
            messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=self._batch_size)["Messages"]
            if not messages:
                return
            self._start(self._free.pop(0), messages)

    def waiting(self) -> list[Letter]:
        return self._sqs.queues[self._url]

    def next_due(self) -> float | None:
        """Seconds until a message becomes visible; None if the queue is empty."""
        queue = self.waiting()
        if not queue:
            return None
        return max(0.0, min((letter.visible - self._clock.now).total_seconds() for letter in queue))

    def _start(self, environment: int, messages: list[dict[str, Any]]) -> None:
        event = {"Records": [_event(message) for message in messages]}
        actor = Actor(
            "dead-letters",
            lambda: self._invoke(environment, event),
            lambda actor: self._ended(environment, messages, actor),
            deadline=self._clock.now + self._timeout,
        )
        self._scheduler.start(actor)

    def _ended(self, environment: int, messages: list[dict[str, Any]], actor: Actor) -> None:
        self._free.append(environment)
        if actor.error is not None:
            return
        kept = {failure["itemIdentifier"] for failure in actor.result["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in kept:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def _event(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:dead-letters",
        "awsRegion": "eu-central-1",
    }

"""The dead-letter queue and the parking queue of a test, with the function that processes them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import boto3

from reconciler.manager.handlers import dead_letter
from support.deployed import CONTEXT, clients
from support.world import TABLE, World


@dataclass
class Letters:
    """`sent`: the messages that the functions sent to the queue: body and delay. They become visible at once."""

    world: World
    sqs: Any
    queue: str
    parking: str
    staying: list[dict[str, Any]]
    sent: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    peeked: Counter[str] = field(default_factory=Counter)  # receives of `waiting`, which no function made

    @classmethod
    def make(cls, world: World) -> Letters:
        sqs = boto3.client("sqs")
        attributes = {"VisibilityTimeout": "720"}
        queue = sqs.create_queue(QueueName="dead-letters", Attributes=attributes)["QueueUrl"]
        made = cls(world, sqs, queue, sqs.create_queue(QueueName="parked")["QueueUrl"], [])
        dead_letter.dead_letters()
        made.observe()
        return made

    def observe(self) -> None:
        """Note the delays of the clients that exist now, and shorten them."""
        for client in clients:
            client.meta.events.register_first("provide-client-params.sqs.SendMessageBatch", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        for entry in params["Entries"]:
            if params["QueueUrl"] == self.queue and entry["DelaySeconds"]:
                self.sent.append((json.loads(entry["MessageBody"]), entry["DelaySeconds"]))
            entry["DelaySeconds"] = 0

    def put(self, *bodies: Any) -> None:
        """Text as it is, anything else as JSON."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=text)

    def invoke(self, count: int | None = None, context: Any = CONTEXT) -> list[str]:
        """Lambda receives the visible messages and invokes the function. Returns the bodies that remain in the queue.

        `count`: the receive count of every message.
        """
        asked: dict[str, Any] = {"QueueUrl": self.queue, "AttributeNames": ["All"], "MaxNumberOfMessages": 10}
        received = self.sqs.receive_message(**asked).get("Messages", [])
        if not received:
            return []
        answer = dead_letter.handler({"Records": [self._record(message, count) for message in received]}, context)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.staying = [message for message in received if message["MessageId"] in failed]
        for message in received:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in self.staying]

    def _record(self, message: dict[str, Any], count: int | None) -> dict[str, Any]:
        received = int(message["Attributes"]["ApproximateReceiveCount"]) - self.peeked[message["MessageId"]]
        sent = {"SentTimestamp": str(int(self.world.now.timestamp() * 1000))}
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {**message["Attributes"], **sent, "ApproximateReceiveCount": str(count or received)},
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:dead-letters",
            "awsRegion": "eu-central-1",
        }

    def show(self) -> None:
        """Let the visibility timeouts of the remaining messages expire."""
        for message in self.staying:
            handle = {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]}
            self.sqs.change_message_visibility(**handle, VisibilityTimeout=0)

    def parked(self) -> list[str]:
        taken = self.sqs.receive_message(QueueUrl=self.parking, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in taken]

    def waiting(self) -> list[str]:
        """The visible messages of the queue; they are received and made visible again."""
        taken = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        self.peeked.update(message["MessageId"] for message in taken.get("Messages", []))
        return sorted(message["Body"] for message in taken.get("Messages", []))

    def users_waiting(self) -> list[str]:
        return [json.loads(body)["user"] for body in self.waiting()]


def stream_of(world: World) -> tuple[str, str, list[str]]:
    """ARN of the table's stream, its shard, and the sequence numbers of all writes.

    moto writes an item that UpdateItem creates twice: first only its keys.
    """
    arn = world.dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    client = boto3.client("dynamodbstreams")
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = client.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    changes = [record["dynamodb"] for record in records]
    return arn, shard, [change["SequenceNumber"] for change in changes if change.get("NewImage") != change["Keys"]]


def batch_letter(world: World, first: int = 0, last: int = -1, **changes: Any) -> dict[str, Any]:
    """The message that the mapping sends to its on-failure destination for these writes."""
    arn, shard, numbers = stream_of(world)
    info = {
        "shardId": shard,
        "startSequenceNumber": numbers[first],
        "endSequenceNumber": numbers[last],
        "approximateArrivalOfFirstRecord": "2026-06-01T12:00:00Z",
        "approximateArrivalOfLastRecord": "2026-06-01T12:00:00Z",
        "batchSize": 1,
        "streamArn": arn,
    }
    return {
        "requestContext": {
            "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
            "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:smtp-credential-manager-test",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 13,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-06-01T12:10:00.000Z",
        "DDBStreamBatchInfo": {**info, **changes},
    }

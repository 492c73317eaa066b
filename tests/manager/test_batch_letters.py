"""Batches that the stream mapping could not deliver: each message is split into one dead letter per user."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from reconciler.aws.streams import EMPTY_PAGES, DynamoStream
from reconciler.errors import Retryable
from reconciler.manager.dead_letters import Letter, backoff, read_letter
from support.deployed import TRIES, Refusal, lines
from support.letters import Letters, batch_letter
from support.world import World, a_user

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/smtp-users-test/stream/2026-06-01T12:00:00.000"
SHARD = "shardId-00000001541626099285-f35f62ef"


@pytest.fixture
def letters(manager: World) -> Letters:
    return Letters.make(manager)


def users(*names: str) -> list[str]:
    return [json.dumps({"user": name}) for name in names]


def test_a_batch_becomes_a_letter_for_each_of_its_users(letters: Letters, log: io.StringIO) -> None:
    """Only users in the batch get a message, and only one each."""
    for name in ("before", "crm", "wiki"):
        letters.world.ask(a_user(name))
    letters.world.ask(a_user("crm", "new@example.com"))
    letters.world.put_row("by-hand", status="pending")
    letters.world.remove_row("by-hand")
    letters.world.ask(a_user("after"))
    letters.put(batch_letter(letters.world, 1, 5))
    assert letters.invoke() == []
    assert letters.waiting() == users("by-hand", "crm", "wiki")
    (told,) = [line for line in lines(log) if line["message"] == "dead letter split"]
    assert told["users"] == ["by-hand", "crm", "wiki"]


def test_the_letters_of_a_batch_are_processed_like_any_other(letters: Letters) -> None:
    for name in ("crm", "wiki"):
        letters.world.ask(a_user(name))
    letters.put(batch_letter(letters.world))
    letters.invoke()
    assert letters.invoke() == []
    assert letters.world.users() == ["smtp-test-crm", "smtp-test-wiki"]
    assert letters.parked() == []


def test_one_write_is_a_batch_too(letters: Letters) -> None:
    for name in ("crm", "wiki", "shop"):
        letters.world.ask(a_user(name))
    letters.put(batch_letter(letters.world, 1, 1))
    letters.invoke()
    assert letters.waiting() == users("wiki")


def test_a_batch_of_many_users_is_sent_in_tens(letters: Letters) -> None:
    names = [f"user-{n:02}" for n in range(25)]
    for name in names:
        letters.world.put_row(name, status="pending")
    letters.put(batch_letter(letters.world))
    letters.invoke()
    found = letters.sqs.get_queue_attributes(QueueUrl=letters.queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "25"


def test_other_items_of_the_table_get_no_letter(letters: Letters) -> None:
    key = {"PK": {"S": "ORDER"}, "SK": {"S": "USER#crm"}}
    letters.world.dynamodb.put_item(TableName="smtp-users-test", Item=key)
    letters.put(batch_letter(letters.world))
    assert letters.invoke() == []
    assert letters.waiting() == []


def everybody(letters: Letters) -> list[str]:
    """Write records of every kind; returns the messages for pending users and those with work that is due."""
    world = letters.world
    world.ask(a_user("settled"))
    world.converge("settled")
    world.ask(a_user("expired", expires="2026-06-02"))
    world.converge("expired")
    world.ask(a_user("leaving"))
    world.converge("leaving")
    world.ask_delete("leaving")
    world.pass_time(days=2)
    world.ask(a_user("pending"))
    world.put_row("failed", status="failed")
    world.put_row("paused", status="paused")
    return users("expired", "leaving", "pending")


LOST = ["TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"]
NOT_OURS = ["AccessDeniedException", "ValidationException"]


@pytest.mark.parametrize("code", LOST + NOT_OURS)
@pytest.mark.parametrize("call", ["GetShardIterator", "GetRecords"])
def test_where_the_stream_cannot_tell_everyone_who_waits_is_checked(letters: Letters, call: str, code: str) -> None:
    """Records trimmed after a day, a missing shard, or the stream of another table."""
    expected = everybody(letters)
    Refusal(f"dynamodbstreams.{call}", code)
    letters.put(batch_letter(letters.world))
    assert letters.invoke() == []
    assert letters.waiting() == expected


@pytest.mark.parametrize(
    "changes", [{"streamArn": "x"}, {"shardId": "x"}, {"startSequenceNumber": "1"}, {"endSequenceNumber": "9" * 30}]
)
def test_numbers_that_never_were_lead_to_everyone_who_waits(letters: Letters, changes: dict[str, str]) -> None:
    expected = everybody(letters)
    if "startSequenceNumber" in changes:
        Refusal("dynamodbstreams.GetShardIterator", "ValidationException")
    letters.put(batch_letter(letters.world, **changes))
    assert letters.invoke() == []
    assert letters.waiting() == expected


def test_a_stream_that_throttles_keeps_the_letter(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    refusal = Refusal("dynamodbstreams.GetRecords", "ProvisionedThroughputExceededException")
    letters.put(batch_letter(letters.world))
    assert len(letters.invoke()) == 1
    assert letters.waiting() == []
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert letters.waiting() == users("crm")


def test_a_batch_that_cannot_be_read_to_the_last_is_parked_as_it_is(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("dynamodbstreams.GetRecords", "InternalServerError", status=500)
    letter = batch_letter(letters.world)
    letters.put(letter)
    assert letters.invoke(TRIES) == []
    assert [json.loads(body) for body in letters.parked()] == [letter]
    assert letters.world.record("crm").status == "pending"


def test_a_queue_that_takes_nothing_keeps_the_letter(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    refusal = Refusal("sqs.SendMessageBatch", "Throttling")
    letters.put(batch_letter(letters.world))
    assert len(letters.invoke()) == 1
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert letters.waiting() == users("crm")


def test_a_queue_that_takes_only_some_keeps_the_letter(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    """SendMessageBatch returns 200 and lists the messages that failed."""
    from reconciler.manager.handlers.dead_letter import dead_letters

    letters.world.ask(a_user("crm"))
    client: Any = dead_letters().queue._client  # type: ignore[attr-defined]
    answer = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}
    with monkeypatch.context() as patched:
        patched.setattr(client, "send_message_batch", lambda **_: answer)
        letters.put(batch_letter(letters.world))
        assert len(letters.invoke()) == 1
    letters.show()
    assert letters.invoke() == []
    assert letters.waiting() == users("crm")


@dataclass
class FakeStreams:
    """Pages of a shard, as GetRecords returns them: the sequence numbers in each. User names contain the numbers."""

    pages: list[list[int]]
    closed: bool = True
    asked: list[Any] = field(default_factory=list)

    def get_shard_iterator(self, **parameters: Any) -> dict[str, str]:
        self.asked.append(parameters)
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        page = int(ShardIterator)
        self.asked.append(page)
        numbers = self.pages[page] if page < len(self.pages) else []
        key = {"PK": {"S": "SMTP_USER"}}
        records = [
            {"dynamodb": {"Keys": {**key, "SK": {"S": f"USER#u{number}"}}, "SequenceNumber": str(number)}}
            for number in numbers
        ]
        last = self.closed and page >= len(self.pages) - 1
        return {"Records": records, **({} if last else {"NextShardIterator": str(page + 1)})}


def names(pages: list[list[int]], first: str, last: str, closed: bool = True) -> tuple[set[str] | None, FakeStreams]:
    client: Any = FakeStreams(pages, closed)
    return DynamoStream(client).users_in_batch(ARN, SHARD, first, last), client


def test_a_shard_is_read_over_its_pages_up_to_the_last_number() -> None:
    found, client = names([[5, 6], [], [7], [8, 9], [10]], "5", "9")
    assert found == {"u5", "u6", "u7", "u8", "u9"}
    assert client.asked[0]["SequenceNumber"] == "5"
    assert client.asked[1:] == [0, 1, 2, 3], "not a page further"


def test_numbers_are_compared_as_numbers() -> None:
    assert names([[99, 100, 101]], "99", "100")[0] == {"u99", "u100"}


def test_a_last_number_that_is_skipped_ends_the_batch_at_the_next() -> None:
    assert names([[5, 8]], "5", "7")[0] == {"u5"}


def test_a_shard_that_ends_before_the_last_number_cannot_tell() -> None:
    assert names([[5, 6]], "5", "9")[0] is None


def test_an_open_shard_is_not_waited_at_forever() -> None:
    found, client = names([[5]], "5", "9", closed=False)
    assert found is None
    assert len(client.asked) == 1 + 1 + EMPTY_PAGES


def test_empty_pages_between_records_are_read_over() -> None:
    pages: list[list[int]] = [*([[]] * (EMPTY_PAGES - 1)), [5], *([[]] * (EMPTY_PAGES - 1)), [6]]
    assert names(pages, "5", "6")[0] == {"u5", "u6"}


def test_a_retryable_error_of_the_stream_is_reported() -> None:
    class Throttled(FakeStreams):
        def get_records(self, **_: Any) -> dict[str, Any]:
            error: Any = {"Error": {"Code": "ThrottlingException", "Message": ""}}
            raise ClientError(error, "GetRecords")

    client: Any = Throttled([[5]])
    with pytest.raises(Retryable):
        DynamoStream(client).users_in_batch(ARN, SHARD, "5", "5")


def test_the_waits_grow_to_a_quarter_of_an_hour() -> None:
    waits = [backoff(count) for count in range(1, 9)]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert backoff(1_000_000) == 900


KEYS = st.sampled_from(
    ["user", "DDBStreamBatchInfo", "streamArn", "shardId", "startSequenceNumber", "endSequenceNumber"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.one_of(st.text(), JSON.map(json.dumps), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_body_is_a_user_a_batch_or_not_understood(body: str) -> None:
    """I8."""
    letter = read_letter(body)
    assert letter.user is None or letter.batch is None
    assert letter.user is None or json.loads(body)["user"] == letter.user
    assert letter.batch is None or all(isinstance(part, str) for part in letter.batch)


@given(st.from_regex(r"[0-9]{1,40}", fullmatch=True), st.from_regex(r"[0-9]{1,40}", fullmatch=True))
def test_numbers_of_a_batch_are_taken_as_they_are(first: str, last: str) -> None:
    info = {"streamArn": ARN, "shardId": SHARD, "startSequenceNumber": first, "endSequenceNumber": last}
    assert read_letter(json.dumps({"DDBStreamBatchInfo": info})) == Letter(batch=(ARN, SHARD, first, last))

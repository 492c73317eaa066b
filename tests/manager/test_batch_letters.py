"""Batches that the stream mapping could not deliver: each message is split into one dead letter per user."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from support.deployed import BATCH_SIZE, Refusal, lines
from support.letters import Letters, batch_letter
from support.world import ACCOUNT, REGION, TABLE, a_user


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


def test_a_batch_is_no_larger_than_the_mapping_makes_it(letters: Letters) -> None:
    """A forged range of the stream: it is not read to its end."""
    letters.world.ask(a_user("settled"))
    letters.world.converge("settled")
    for n in range(3 * BATCH_SIZE):
        letters.world.put_row(f"user-{n:02}", status="pending")
        letters.world.remove_row(f"user-{n:02}")
    letters.put(batch_letter(letters.world))
    assert letters.invoke() == []
    assert letters.waiting() == []


def test_records_that_the_mapping_does_not_deliver_get_no_letter(letters: Letters) -> None:
    letters.world.ask(a_user("settled"))
    letters.world.converge("settled")
    letters.world.ask(a_user("crm"))
    letters.put(batch_letter(letters.world, 1))
    letters.invoke()
    assert letters.waiting() == users("crm")


@pytest.mark.parametrize("revoked", [{"reason": "leaked"}, "leaked", True, False])
@pytest.mark.parametrize("lost", [False, True])
def test_a_revocation_that_was_written_manually_gets_a_letter(letters: Letters, revoked: Any, lost: bool) -> None:
    """Its status is still active."""
    letters.world.ask(a_user("crm"))
    letters.world.converge("crm")
    letters.world.put_row("crm", **{**(letters.world.row("crm") or {}), "revoked": revoked})
    letters.put(batch_letter(letters.world, -1, -1, **({"shardId": "shardId-gone"} if lost else {})))
    letters.invoke()
    assert letters.waiting() == users("crm")
    letters.invoke()
    assert letters.world.access_keys("crm") != {}
    assert set(letters.world.access_keys("crm").values()) == {"Inactive"}


def test_a_fallback_to_many_users_is_sent_in_tens(letters: Letters) -> None:
    for n in range(25):
        letters.world.put_row(f"user-{n:02}", status="pending")
    Refusal("dynamodbstreams.GetRecords", "TrimmedDataAccessException")
    letters.put(batch_letter(letters.world))
    letters.invoke()
    found = letters.sqs.get_queue_attributes(QueueUrl=letters.queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "25"


def test_other_items_of_the_table_get_no_letter(letters: Letters) -> None:
    item = {"PK": {"S": "ORDER"}, "SK": {"S": "USER#crm"}, "status": {"S": "pending"}}
    letters.world.dynamodb.put_item(TableName="smtp-users-test", Item=item)
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
EARLIER_TABLE = ["AccessDeniedException", "ValidationException"]


@pytest.mark.parametrize("code", LOST + EARLIER_TABLE)
@pytest.mark.parametrize("call", ["GetShardIterator", "GetRecords"])
def test_where_the_stream_cannot_tell_everyone_who_waits_is_checked(letters: Letters, call: str, code: str) -> None:
    """Records trimmed after a day, a missing shard, or the stream of a table that was replaced."""
    expected = everybody(letters)
    Refusal(f"dynamodbstreams.{call}", code)
    letters.put(batch_letter(letters.world))
    assert letters.invoke() == []
    assert letters.waiting() == expected


@pytest.mark.parametrize("changes", [{"shardId": "x"}, {"startSequenceNumber": "1"}, {"endSequenceNumber": "9" * 30}])
def test_numbers_that_never_were_lead_to_everyone_who_waits(letters: Letters, changes: dict[str, str]) -> None:
    expected = everybody(letters)
    if "startSequenceNumber" in changes:
        Refusal("dynamodbstreams.GetShardIterator", "ValidationException")
    letters.put(batch_letter(letters.world, **changes))
    assert letters.invoke() == []
    assert letters.waiting() == expected


def lost(letters: Letters, count: int) -> None:
    """Batches that the stream does not have."""
    for _ in range(count):
        letters.put(batch_letter(letters.world, endSequenceNumber="9" * 30))


def test_many_lost_batches_are_one_check_of_everyone_who_waits(letters: Letters) -> None:
    """Forged or not: one message for each user that waits, in each time window."""
    expected = everybody(letters)
    lost(letters, 5)
    assert letters.invoke() == []
    assert letters.waiting() == expected


def test_a_lost_batch_that_comes_later_waits_for_the_next_time_window(letters: Letters) -> None:
    """Its users may not have waited at the last check."""
    everybody(letters)
    lost(letters, 1)
    letters.invoke()
    letters.invoke()  # and those who waited are processed
    letters.world.pass_time(minutes=10)
    letters.world.ask(a_user("later"))
    lost(letters, 2)
    assert len(letters.invoke()) == 2
    assert letters.waiting() == []
    letters.world.pass_time(minutes=49)
    letters.show()
    assert len(letters.invoke(2)) == 2
    letters.world.pass_time(minutes=2)
    letters.show()
    assert letters.invoke(3) == []
    assert letters.waiting() == users("later")


def test_the_check_of_everyone_is_repeated_by_its_own_message_if_it_fails(letters: Letters) -> None:
    """A crash, or a queue that accepts nothing: no other message may count on a check that was not made."""
    expected = everybody(letters)
    lost(letters, 1)
    refusal = Refusal("sqs.SendMessageBatch", "RequestThrottled")
    assert len(letters.invoke()) == 1
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert letters.waiting() == expected


@pytest.mark.parametrize("at", ["some day", 5, {"x": 1}, "9999-12-31T23:59:59Z", "2020-01-01T00:00:00Z"])
def test_no_state_of_the_last_check_stops_the_next_one(letters: Letters, at: Any) -> None:
    """The item may have been edited manually."""
    expected = everybody(letters)
    letters.world.table.put_item(Item={"PK": "SMTP_USER", "SK": "FALLBACK#state", "at": at, "message": 7})
    lost(letters, 1)
    assert letters.invoke() == []
    assert letters.waiting() == expected


OURS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"


@pytest.mark.parametrize(
    "changes",
    [
        {"streamArn": "x"},
        {"streamArn": OURS},
        {"streamArn": f"{OURS}/stream/"},
        {"streamArn": f"{OURS}/stream/a/b"},
        {"streamArn": f"{OURS}/stream/2026\n"},
        {"streamArn": f"{OURS}-other/stream/2026-06-01T12:00:00.000"},
        {"streamArn": OURS.replace(ACCOUNT, "999999999999") + "/stream/2026-06-01T12:00:00.000"},
        {"batchSize": 0},
        {"batchSize": BATCH_SIZE + 1},
        {"batchSize": "1"},
        {"batchSize": None},
        {"endSequenceNumber": "9" * 5000},
        {"shardId": "../x"},
    ],
    ids=str,
)
def test_a_forged_batch_causes_no_work(letters: Letters, log: io.StringIO, changes: dict[str, Any]) -> None:
    """It is parked: one line in the log, and no call for any of the users that wait."""
    everybody(letters)
    forged = batch_letter(letters.world, **changes)
    letters.put(*[forged] * 5)
    assert letters.invoke() == []
    assert letters.waiting() == []
    assert [json.loads(body) for body in letters.parked()] == [forged] * 5
    assert [line["message"] for line in lines(log)] == ["dead letter parked"] * 5


@pytest.mark.parametrize("status", [400, 500])
def test_a_stream_that_fails_keeps_the_letter(letters: Letters, status: int) -> None:
    letters.world.ask(a_user("crm"))
    code = "InternalServerError" if status == 500 else "ProvisionedThroughputExceededException"
    refusal = Refusal("dynamodbstreams.GetRecords", code, status=status)
    letters.put(batch_letter(letters.world))
    for count in (1, 20):
        assert len(letters.invoke(count)) == 1
        assert letters.waiting() == []
        letters.show()
    refusal.end()
    assert letters.invoke() == []
    assert letters.waiting() == users("crm")


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
    queue: Any = dead_letters().queue
    client = queue._client
    answer = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}
    with monkeypatch.context() as patched:
        patched.setattr(client, "send_message_batch", lambda **_: answer)
        letters.put(batch_letter(letters.world))
        assert len(letters.invoke()) == 1
    letters.show()
    assert letters.invoke() == []
    assert letters.waiting() == users("crm")

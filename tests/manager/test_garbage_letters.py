"""Messages with an invalid body or an invalid name are parked and do not affect other users."""

from __future__ import annotations

import io

import pytest

from support.deployed import TRIES
from support.letters import Letters, batch_letter
from support.world import World, a_user

CRM = {"user": "crm"}


@pytest.fixture
def letters(manager: World) -> Letters:
    return Letters.make(manager)


def status(letters: Letters, name: str) -> str:
    return letters.world.record(name).status


GARBAGE = [
    "no JSON", "null", "5", '"crm"', "[]", "{}", '["crm"]', '{"user": 5}', '{"user": null}', '{"user": ["crm"]}',
    '{"users": "crm"}', '{"DDBStreamBatchInfo": null}', '{"DDBStreamBatchInfo": {}}', "[" * 100_000, "9" * 10_000,
    '{"user": ' + '{"user": ' * 30_000, "x" * 250_000, "\U0001f4ee \\ud800", "NaN",
    '{"DDBStreamBatchInfo": {"streamArn": "a", "shardId": "b", "startSequenceNumber": "x", "endSequenceNumber": "2"}}',
    '{"DDBStreamBatchInfo": {"streamArn": "a", "shardId": "b", "startSequenceNumber": 1, "endSequenceNumber": 2}}',
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: body[:30])
def test_what_no_one_understands_is_parked_as_it_is(letters: Letters, log: io.StringIO, body: str) -> None:
    """At once: a later attempt cannot succeed either."""
    letters.world.ask(a_user("crm"))
    letters.put(body, CRM)
    assert letters.invoke() == []
    assert letters.parked() == [body]
    assert letters.world.users() == ["smtp-test-crm"]
    assert len(log.getvalue()) < 5000


@pytest.mark.parametrize("name", ["", "Not A Name", "../crm", "crm\n", "CRM", "\ud800", "\u2028", "x" * 1000])
def test_a_name_that_no_one_can_have_is_nobodys_trouble(letters: Letters, name: str) -> None:
    letters.put({"user": name})
    assert letters.invoke() == []
    assert letters.parked() == []


def test_a_name_that_no_record_can_have_is_parked_once(letters: Letters) -> None:
    """DynamoDB rejects a sort key of more than 1,024 bytes in every attempt."""
    letters.put({"user": "x" * 2000}, CRM)
    letters.world.ask(a_user("crm"))
    for _ in range(TRIES + 2):
        letters.invoke()
        letters.show()
    assert status(letters, "crm") == "active"
    assert len(letters.parked()) == 1


@pytest.mark.parametrize("last", ["", "9" * 5000])
def test_a_batch_whose_numbers_are_none_is_not_tried_again(letters: Letters, last: str) -> None:
    """Parked or split into messages for all pending users: both are final, and no attempt raises."""
    letters.world.ask(a_user("crm"))
    letters.put(batch_letter(letters.world, endSequenceNumber=last))
    assert letters.invoke() == []

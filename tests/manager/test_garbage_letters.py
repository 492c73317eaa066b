"""Messages with an invalid body or an invalid name are parked and do not affect other users."""

from __future__ import annotations

import io

import pytest

from support.letters import Letters
from support.world import a_user

CRM = {"user": "crm"}


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


@pytest.mark.parametrize("name", ["", "Not A Name", "../crm", "crm\n", "CRM", "\u2028", "x" * 1000])
def test_a_name_that_no_one_can_have_is_nobodys_trouble(letters: Letters, name: str) -> None:
    letters.put({"user": name})
    assert letters.invoke() == []
    assert letters.parked() == []


def test_a_name_that_no_record_can_have_is_parked_once(letters: Letters) -> None:
    """At once: DynamoDB rejects a sort key of more than 1,024 bytes, and one that is no Unicode, in every attempt."""
    letters.put({"user": "x" * 1020}, CRM, {"user": "\ud800"})
    letters.world.ask(a_user("crm"))
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"
    assert len(letters.parked()) == 2

"""Attempts are counted in the message: each failed one is continued by the next message, and by one only."""

from __future__ import annotations

import json

from support.deployed import TRIES, Refusal
from support.letters import Letters
from support.world import a_user

CRM = {"user": "crm"}
FAILING = "ServiceFailure"


def status(letters: Letters, name: str) -> str:
    return letters.world.record(name).status


def test_a_failed_attempt_is_counted_in_the_message_that_continues_it(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(CRM)
    since = int(letters.world.now.timestamp())
    for tries, longest in ((1, 30), (2, 60)):
        assert letters.invoke() == []
        assert status(letters, "crm") == "pending"
        assert letters.waiting() == [json.dumps({"user": "crm", "tries": tries, "since": since})]
        (_, delay) = letters.sent[-1]
        assert longest / 2 <= delay <= longest
    assert letters.parked() == []


def test_a_receive_is_no_attempt(letters: Letters) -> None:
    """Lambda throttles the function, or it crashes: the first real attempt is the first one."""
    letters.world.ask(a_user("crm"))
    refusal = Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(CRM)
    assert letters.invoke(count=10 * TRIES) == [json.dumps(CRM)], "it may have been continued already: it stays"
    assert status(letters, "crm") == "pending"
    assert letters.parked() == []
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"


def test_a_message_that_comes_back_is_not_continued_twice(letters: Letters) -> None:
    """The function crashes each time after it has sent the next message: messages do not multiply."""
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(CRM)
    Refusal("sqs.DeleteMessage", "InternalError", status=500)
    for count in range(1, 6):
        letters.invoke(count)
        letters.show()
    assert len(letters.sent) == 1


def test_a_user_whose_message_only_comes_back_is_given_up_after_a_day(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    letters.put({"user": "crm", "since": int(letters.world.now.timestamp())})
    letters.world.pass_time(hours=23)
    assert len(letters.invoke(count=100)) == 1
    letters.show()
    letters.world.pass_time(hours=1)
    assert len(letters.invoke(count=TRIES - 1)) == 1, "as often as any other"
    letters.show()
    assert letters.invoke(count=TRIES) == []
    assert status(letters, "crm") == "failed"
    failure = letters.world.record("crm").failure
    assert failure
    assert failure.attempts == TRIES


def test_a_letter_that_cannot_be_continued_stays(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    refusal = Refusal("sqs.SendMessageBatch", "RequestThrottled")
    Refusal("sqs.ChangeMessageVisibility", "AccessDenied")  # it comes back by the clock of the queue
    letters.put(CRM)
    assert letters.invoke() == [json.dumps(CRM)]
    refusal.end()
    letters.show()
    assert letters.waiting() == [json.dumps(CRM)]

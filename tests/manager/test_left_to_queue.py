"""The credential manager leaves to the queue what it cannot process at once: the stream never waits."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.manager.converge import Converger
from reconciler.manager.handlers import stream
from support.deployed import CONTEXT, Refusal, lines
from support.events import DONE, event, handle
from support.letters import Letters
from support.world import TABLE, a_user


def test_a_retryable_error_is_left_to_the_queue_and_holds_up_no_one(letters: Letters) -> None:
    """I8."""
    for name in ("crm", "wiki"):
        letters.world.ask(a_user(name))
    Refusal("iam.CreateUser", "EntityTemporarilyUnmodifiable", user="crm")
    assert handle("crm", "wiki") == DONE
    assert [letters.world.record(name).status for name in ("crm", "wiki")] == ["pending", "active"]
    ((body, delay),) = letters.sent
    assert body == {"user": "crm", "tries": 1, "since": int(letters.world.now.timestamp())}
    assert 15 <= delay <= 30


def test_a_user_throttled_for_five_minutes_delays_no_other_user_of_its_shard(letters: Letters) -> None:
    """I8: neither in its batch nor in those behind it."""
    world = letters.world
    refusal = Refusal("iam.CreateUser", "Throttling", user="crm")
    world.ask(a_user("crm"))
    for minute in range(5):
        others = [f"user-{minute}-{n}" for n in range(3)]
        for name in others:
            world.ask(a_user(name))
        assert handle("crm", *others) == DONE
        assert letters.invoke() == []
        assert [world.record(name).status for name in others] == ["active"] * 3
        world.pass_time(minutes=1)
    assert world.record("crm").status == "pending"
    refusal.end()
    letters.invoke()
    assert world.record("crm").status == "active"


def test_a_second_throttled_user_means_that_the_account_is_throttled(letters: Letters, log: io.StringIO) -> None:
    """The rest of the batch is left to the queue without calls that would cause more throttling."""
    names = ("crm", "wiki", "shop", "blog")
    for name in names:
        letters.world.ask(a_user(name))
    refusal = Refusal("iam.CreateUser", "Throttling")
    assert handle(*names) == DONE
    assert letters.users_waiting() == sorted(names)
    assert [body.get("tries", 0) for body, _ in letters.sent] == [0] * 4
    told = [(line["smtp_user"], line["message"]) for line in lines(log)]
    assert [message for _, message in told] == [
        *["transient failure, will be retried"] * 2, *["postponed without an attempt"] * 2,
    ]  # fmt: skip
    refusal.end()
    assert letters.invoke() == []
    assert [letters.world.record(name).status for name in names] == ["active"] * 4


def test_no_user_is_begun_shortly_before_the_function_times_out(letters: Letters) -> None:
    """Otherwise the whole batch would be delivered again."""
    for name in ("crm", "wiki"):
        letters.world.ask(a_user(name))
    times = iter([120_000, 40_000])
    late = SimpleNamespace(**{**vars(CONTEXT), "get_remaining_time_in_millis": lambda: next(times)})
    assert stream.handler(event("crm", "wiki"), late) == DONE  # type: ignore[arg-type]
    assert [letters.world.record(name).status for name in ("crm", "wiki")] == ["active", "pending"]
    assert letters.users_waiting() == ["wiki"]


@pytest.mark.parametrize(("code", "status"), [("RequestThrottled", 403), ("AccessDenied", 403), ("InternalError", 500)])
def test_what_can_be_left_to_no_queue_is_delivered_again(letters: Letters, code: str, status: int) -> None:
    """No event is acknowledged while its user is neither processed nor in the queue."""
    for name in ("crm", "wiki"):
        letters.world.ask(a_user(name))
    Refusal("iam.CreateUser", "Throttling", user="crm")
    refusal = Refusal("sqs.SendMessageBatch", code, status=status)
    assert handle("crm", "wiki") == {"batchItemFailures": [{"itemIdentifier": "1000"}]}
    refusal.end()
    assert handle("crm", "wiki") == DONE
    assert letters.users_waiting() == ["crm"]


def test_a_table_that_cannot_be_read_pages_no_one(letters: Letters) -> None:
    """A retry of a single user is no error of the function: it has its own metrics and queue."""
    letters.world.dynamodb.delete_table(TableName=TABLE)
    assert handle("crm") == DONE
    assert letters.users_waiting() == ["crm"]


def test_a_refusal_is_not_the_last_word_while_rights_may_still_be_on_their_way(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", "AccessDenied", user="crm")
    assert handle("crm") == DONE
    assert letters.world.record("crm").status == "pending"
    assert letters.users_waiting() == ["crm"]


def test_a_defect_of_ours_is_left_to_the_queue_and_reported_without_its_text(
    letters: Letters, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters.world.ask(a_user("crm"))

    def broken(*_: Any) -> None:
        raise TypeError("hunter2")

    monkeypatch.setattr(Converger, "converge", broken)
    assert handle("crm") == DONE
    ((body, _),) = letters.sent
    assert (body["user"], body["tries"]) == ("crm", 1)
    assert "TypeError" in log.getvalue()
    assert "hunter2" not in log.getvalue() + json.dumps(body)

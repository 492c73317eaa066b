"""While AWS throttles, no attempt counts, and the whole queue slows down."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from support.deployed import CONTEXT, TRIES, Refusal
from support.letters import Letters
from support.world import World, a_user

NAMES = ("blog", "crm", "shop", "wiki")


@pytest.fixture
def letters(manager: World) -> Letters:
    made = Letters.make(manager)
    for name in NAMES:
        manager.ask(a_user(name))
    return made


def status(letters: Letters, name: str) -> str:
    return letters.world.record(name).status


@pytest.mark.parametrize("code", ["Throttling", "RequestLimitExceeded", "ConcurrentModification"])
def test_throttling_is_no_try(letters: Letters, code: str) -> None:
    refusal = Refusal("iam.CreateUser", code)
    letters.put({"user": "crm"})
    for _ in range(3 * TRIES):
        assert letters.invoke() == []
        assert [json.loads(body).get("tries") for body in letters.waiting()] == [None]
        letters.world.pass_time(minutes=15)
    assert status(letters, "crm") == "pending"
    assert letters.parked() == []
    refusal.end()
    letters.invoke()
    assert status(letters, "crm") == "active"


def test_throttling_between_the_tries_keeps_their_count(letters: Letters) -> None:
    letters.put({"user": "crm", "tries": TRIES - 1})
    refusal = Refusal("iam.CreateUser", "Throttling")
    letters.invoke()
    refusal.end()
    Refusal("iam.CreateUser", "ServiceFailure", status=500)
    letters.invoke()
    failure = letters.world.record("crm").failure
    assert failure
    assert (failure.code, failure.attempts) == ("ServiceFailure", TRIES)


def test_after_a_day_of_throttling_the_user_is_given_up(letters: Letters) -> None:
    Refusal("iam.CreateUser", "Throttling")
    letters.put({"user": "crm"})
    letters.invoke()
    letters.world.pass_time(hours=23, minutes=59)
    letters.invoke()
    assert status(letters, "crm") == "pending"
    letters.world.pass_time(minutes=1)
    letters.invoke()
    failure = letters.world.record("crm").failure
    assert failure
    assert failure.code == "Throttling"
    assert [json.loads(body)["code"] for body in letters.parked()] == ["Throttling"]


def test_the_rest_of_the_invocation_is_put_back_without_a_call(letters: Letters) -> None:
    letters.put(*({"user": name} for name in NAMES))
    Refusal("iam.CreateUser", "Throttling")
    assert letters.invoke() == []
    assert letters.users_waiting() == list(NAMES)
    assert all("tries" not in json.loads(body) for body in letters.waiting())
    assert all(30 <= delay <= 60 for _, delay in letters.sent)


def test_the_next_invocation_tries_again(letters: Letters) -> None:
    letters.put(*({"user": name} for name in NAMES))
    refusal = Refusal("iam.CreateUser", "Throttling")
    letters.invoke()
    refusal.end()
    assert letters.invoke() == []
    assert [status(letters, name) for name in NAMES] == ["active"] * 4


def test_an_error_of_one_user_puts_nothing_back(letters: Letters) -> None:
    letters.put(*({"user": name} for name in NAMES))
    Refusal("iam.CreateUser", "EntityTemporarilyUnmodifiable", user="blog")
    letters.invoke()
    assert [status(letters, name) for name in NAMES] == ["pending", "active", "active", "active"]


def test_a_user_that_has_waited_for_a_day_is_tried_although_aws_throttles(letters: Letters) -> None:
    """So that it ends: put back each time, it could wait forever."""
    since = int(letters.world.now.timestamp())
    letters.world.pass_time(hours=25)
    letters.put({"user": "blog"}, {"user": "crm", "since": since})
    Refusal("iam.CreateUser", "Throttling", user="blog")
    letters.invoke()
    assert (status(letters, "blog"), status(letters, "crm")) == ("pending", "active")


def test_no_message_is_begun_shortly_before_the_function_times_out(letters: Letters) -> None:
    letters.put({"user": "blog"}, {"user": "crm"})
    times = iter([120_000, 44_000])
    late = SimpleNamespace(**{**vars(CONTEXT), "get_remaining_time_in_millis": lambda: next(times)})
    assert letters.invoke(context=late) == []
    assert sorted(status(letters, name) for name in ("blog", "crm")) == ["active", "pending"]
    assert len(letters.waiting()) == 1


@pytest.mark.parametrize("since", [10**11, 2**31])
def test_a_time_in_the_future_is_now(letters: Letters, since: int) -> None:
    """A forged message is not retried for longer than any other."""
    Refusal("iam.CreateUser", "Throttling")
    letters.put({"user": "crm", "since": since})
    letters.invoke()
    ((body, _),) = letters.sent
    assert body["since"] == int(letters.world.now.timestamp())

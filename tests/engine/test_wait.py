"""Waiting for the credential manager, with a clock that tests advance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.engine.wait import UserResult, wait_for_users
from reconciler.ports import RecordWriter
from support.world import World, a_user


def follow(world: World, revisions: dict[str, int], work: Callable[[float], None]) -> list[UserResult]:
    """`work` is called with the elapsed time, instead of sleeping."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        work(now)

    requests: RecordWriter = world.store
    batches = wait_for_users(requests, revisions, ["gone"], 60, lambda: now, sleep)
    return [result for batch in batches for result in batch]


def test_users_are_told_as_they_settle(world: World) -> None:
    for name in ("one", "two", "gone"):
        world.ask(a_user(name))
        world.converge(name)
    world.ask(a_user("one", "new@example.com"))
    world.ask(a_user("two", enabled=False))
    world.ask_delete("gone")

    def work(now: float) -> None:
        world.converge("two" if now < 1 else "gone" if now < 2 else "one")

    settled = follow(world, {"one": 2, "two": 2, "gone": 2}, work)
    assert settled == [UserResult("two", "disabled"), UserResult("gone", "removed"), UserResult("one", "active")]
    assert all(one.succeeded for one in settled)


def test_a_row_that_vanishes_is_a_good_end_only_for_who_shall_go(world: World) -> None:
    world.ask(a_user("one"))
    (settled,) = follow(world, {"one": 1}, lambda _: world.remove_row("one"))
    assert settled == UserResult("one", "lost", "deleted unexpectedly: the record was removed while waiting")
    assert not settled.succeeded


def test_a_failure_comes_with_its_reason(world: World) -> None:
    world.iam.create_user(UserName="smtp-test-one")
    world.ask(a_user("one"))
    (settled,) = follow(world, {"one": 1}, lambda _: world.converge("one"))
    assert settled.status == "failed"
    assert "an unmanaged IAM user has this name" in settled.reason
    assert not settled.succeeded


def test_nobody_waits_for_ever(world: World) -> None:
    world.ask(a_user("one"))
    (settled,) = follow(world, {"one": 1}, lambda _: None)
    assert settled == UserResult("one", "timeout", "no user reached a final status for 60 s")


def test_the_status_of_an_older_revision_is_not_taken_for_ours(world: World) -> None:
    world.ask(a_user("one"))
    world.converge("one")
    (settled,) = follow(world, {"one": 2}, lambda _: None)
    assert settled.status == "timeout"


@pytest.mark.parametrize("count", [0, 101])
def test_any_number_of_users_is_followed(world: World, count: int) -> None:
    names = [f"user-{n:03}" for n in range(count)]
    for name in names:
        world.put_row(name, status="active", revision=1, observed_revision=1, allowed_from_addresses=["a@example.com"])
    settled = follow(world, dict.fromkeys(names, 1), lambda _: None)
    assert [one.name for one in settled] == names

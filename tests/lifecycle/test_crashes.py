"""I5: whatever breaks at whichever AWS call, the next delivery ends where a trouble-free run would have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import aws_rules
from reconciler.core.ownership import iam_user_name
from reconciler.core.smtp import smtp_password
from reconciler.errors import Retryable
from world import ENV, REGION, World, a_user, make_world

DELIVERIES = 4
TROUBLES = (("before", "killed"), ("before", "throttled"), ("after", "killed"), ("after", "time-out"))


class ProcessKilled(BaseException):
    """The function dies: no handler of ours runs any more."""


@dataclass
class Faults:
    """Counts the calls of the manager's clients, and breaks one of them."""

    calls: list[str] = field(default_factory=list)
    at: int = -1
    moment: str = ""
    kind: str = ""

    def watch(self, world: World) -> None:
        for client in {id(c): c for c in world.clients()}.values():
            client.meta.events.register_first("before-call", self._before)
            client.meta.events.register_last("after-call", self._after)

    def arm(self, at: int, moment: str, kind: str) -> None:
        self.calls, self.at, self.moment, self.kind = [], at, moment, kind

    def _before(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        if self.moment == "before":
            self._break(model.name)

    def _after(self, model: Any, **_: Any) -> None:
        if self.moment == "after":
            self._break(model.name)

    def _break(self, operation: str) -> None:
        if len(self.calls) - 1 != self.at:
            return
        self.moment = ""
        if self.kind == "killed":
            raise ProcessKilled
        if self.kind == "time-out":
            raise ReadTimeoutError(endpoint_url="https://aws.example.com")
        error = {"Code": "Throttling", "Message": "Rate exceeded"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation)  # type: ignore[typeddict-item]


Act = Callable[[World, str], None]


def declare(**fields: Any) -> Act:
    return lambda world, name: world.ask(a_user(name, **fields))


def declare_more(world: World, name: str) -> None:
    world.ask(a_user(name, "billing@example.com", "*@news.example.com"))


def disturb(act: Act) -> Act:
    """Somebody also made a key by hand, which no row knows."""

    def both(world: World, name: str) -> None:
        world.iam.create_access_key(UserName=iam_user_name(ENV, name))
        act(world, name)

    return both


def put_by_hand(address: str) -> Act:
    return lambda world, name: world.put_row(name, status="pending", allowed_from_addresses=[address])


OPERATIONS: dict[str, tuple[list[Act], Act]] = {
    "create": ([], declare()),
    "create disabled": ([], declare(enabled=False)),
    "edit": ([declare()], declare_more),
    "edit beside an unknown key": ([declare()], disturb(declare_more)),
    "disable": ([declare()], declare(enabled=False)),
    "enable": ([declare(), declare(enabled=False)], declare()),
    "rotate": ([declare()], declare(credential=2)),
    "rotate twice": ([declare(), declare(credential=2)], declare(credential=3)),
    "disable in overlap": ([declare(), declare(credential=2)], declare(credential=2, enabled=False)),
    "delete": ([declare()], lambda world, name: world.ask_delete(name)),
    "delete in overlap": ([declare(), declare(credential=2)], lambda world, name: world.ask_delete(name)),
    "row removed": ([declare()], lambda world, name: world.remove_row(name)),
    "fail": ([], lambda world, name: world.put_row(name, status="pending", allowed_from_addresses=["x@example.net"])),
    "by hand": (
        [],
        lambda world, name: world.put_row(name, status="pending", allowed_from_addresses=["x@example.com"]),
    ),
}


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[World, Faults]]:
    """One account for all stories: each is told of a user of its own."""
    with make_world() as world:
        faults = Faults()
        faults.watch(world)
        yield world, faults


def tell(world: World, faults: Faults, operation: str, name: str, trouble: tuple[int, str, str]) -> None:
    before, act = OPERATIONS[operation]
    for step in before:
        step(world, name)
        world.converge(name)
    act(world, name)
    faults.arm(*trouble)
    for _ in range(DELIVERIES):
        with suppress(ProcessKilled, Retryable):
            world.converge(name)
            break
    faults.arm(-1, "", "")


def end_state(world: World, name: str) -> dict[str, Any]:
    """All that matters of a user, free of what differs from run to run. Checks I1-I4 on the way."""
    iam_user = iam_user_name(ENV, name)
    row = world.row(name)
    exists = world.has_user(iam_user)
    keys = world.access_keys(name) if exists else {}
    roles = {row.get("smtp_username"): "current", row.get("previous_key"): "previous"} if row else {}
    if row and row["status"] == "active":
        record = world.store.get(name)
        assert record
        assert record.encrypted_credentials
        stored = world.vault.decrypt(name, record.smtp_username, record.encrypted_credentials)
        secret = aws_rules.secrets_seen[record.smtp_username]
        assert stored.passwords == {REGION: smtp_password(secret, REGION)}
    return {
        "user": exists,
        "keys": sorted((roles.get(key, "unknown"), status) for key, status in keys.items()),
        "policy": world.policy(name) if exists else None,
        "status": row and row["status"],
        "observed": row and row.get("observed_revision") == row.get("revision", 0),
        "failure": row and row.get("failure", {}).get("code"),
    }


def run_free_of_trouble(world: World, faults: Faults, operation: str, name: str) -> tuple[list[str], dict[str, Any]]:
    before, act = OPERATIONS[operation]
    for step in before:
        step(world, name)
        world.converge(name)
    act(world, name)
    faults.arm(-1, "", "")
    world.converge(name)
    calls = list(faults.calls)
    return calls, end_state(world, name)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_call_may_fail_before_or_after_it_took_effect(watched: tuple[World, Faults], operation: str) -> None:
    world, faults = watched
    word = operation.replace(" ", "-")
    calls, expected = run_free_of_trouble(world, faults, operation, f"{word}-free")
    assert calls
    tried = 0
    for at, call in enumerate(calls):
        for number, (moment, kind) in enumerate(TROUBLES):
            name = f"{word}-{at}-{number}"
            tell(world, faults, operation, name, (at, moment, kind))
            assert end_state(world, name) == expected, f"{kind} {moment} {call} (call {at}) of '{operation}'"
            tried += 1
    assert tried == len(TROUBLES) * len(calls)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_event_delivered_twice_changes_nothing(watched: tuple[World, Faults], operation: str) -> None:
    world, faults = watched
    name = f"{operation.replace(' ', '-')}-twice"
    _, expected = run_free_of_trouble(world, faults, operation, name)
    faults.arm(-1, "", "")
    world.converge(name)
    calls = list(faults.calls)
    assert end_state(world, name) == expected
    reading = {"GetItem", "GetUser", "ListAccessKeys"}
    assert set(calls) <= reading, "a replay must not write"


LEAST_CALLS = {
    "create": ["GetItem", "GetUser", "CreateUser", "PutUserPolicy", "CreateAccessKey", "Encrypt", "UpdateItem"],
    "edit": ["GetItem", "GetUser", "ListAccessKeys", "PutUserPolicy", "UpdateItem"],
    "disable": ["GetItem", "GetUser", "ListAccessKeys", "UpdateAccessKey", "PutUserPolicy", "UpdateItem"],
    "delete": [
        "GetItem",
        "GetUser",
        "ListAccessKeys",
        "DeleteAccessKey",
        "DeleteUserPolicy",
        "DeleteUser",
        "DeleteItem",
    ],
}


@pytest.mark.parametrize("operation", LEAST_CALLS)
def test_an_operation_makes_no_call_too_many(watched: tuple[World, Faults], operation: str) -> None:
    world, faults = watched
    calls, _ = run_free_of_trouble(world, faults, operation, f"{operation}-least")
    assert calls == LEAST_CALLS[operation]


def test_a_replay_of_what_is_settled_reads_the_row_and_nothing_else(watched: tuple[World, Faults]) -> None:
    world, faults = watched
    run_free_of_trouble(world, faults, "create", "replayed")
    faults.arm(-1, "", "")
    world.converge("replayed")
    assert faults.calls == ["GetItem"]

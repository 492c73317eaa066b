"""I5: after a failure at any AWS call, the next delivery reaches the same state as a run without failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import aws_rules
from reconciler.core.ownership import iam_user_name
from reconciler.core.policy import POLICY_NAME
from reconciler.core.smtp import smtp_password
from reconciler.errors import Retryable
from support.snapshot import Snapshot
from support.tampering import WIDE
from support.world import ENV, REGION, START, World, a_user, make_world

DELIVERIES = 4
READING = {
    "GetItem", "GetUser", "ListAccessKeys", "ListUserPolicies", "ListAttachedUserPolicies", "ListGroupsForUser",
    "GetLoginProfile", "ListMFADevices", "ListSSHPublicKeys", "ListSigningCertificates",
    "ListServiceSpecificCredentials", "GetUserPolicy",
}  # fmt: skip
# A kill before a call leaves what a kill after the one before it left; a read leaves what was there.
OF_READS = (("before", "throttled"),)
OF_WRITES = (("before", "killed"), *OF_READS, ("after", "killed"), ("after", "time-out"))


class ProcessKilled(BaseException):
    """The function is killed: no exception handler runs any more."""


@dataclass
class Faults:
    """Counts the calls of the manager's clients and breaks one of them."""

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
    """A key was created manually and is in no record."""

    def both(world: World, name: str) -> None:
        world.iam.create_access_key(UserName=iam_user_name(ENV, name))
        act(world, name)

    return both


def put_by_hand(address: str) -> Act:
    return lambda world, name: world.put_row(name, status="pending", allowed_from_addresses=[address])


def after(**time: float) -> Act:
    """Nothing is requested: only time has passed."""
    return lambda world, _: world.pass_time(**time)


def late(act: Act) -> Act:
    """IAM lists by now what was created."""

    def after_a_while(world: World, name: str) -> None:
        world.pass_time(hours=1)
        act(world, name)

    return after_a_while


def widen(world: World, name: str) -> None:
    """Everything that belongs to a grant is changed manually."""
    iam_user = iam_user_name(ENV, name)
    world.pass_time(hours=1)
    for policy in (POLICY_NAME, "by-hand"):
        world.iam.put_user_policy(UserName=iam_user, PolicyName=policy, PolicyDocument=WIDE)
    world.iam.delete_user_permissions_boundary(UserName=iam_user)


def swap_keys(world: World, name: str) -> None:
    """The managed key is deleted and another one is created manually."""
    iam_user = iam_user_name(ENV, name)
    world.pass_time(hours=1)
    world.iam.delete_access_key(UserName=iam_user, AccessKeyId=world.record(name).smtp_username)
    world.iam.create_access_key(UserName=iam_user)


def delete_iam_user(world: World, name: str) -> None:
    iam_user = iam_user_name(ENV, name)
    world.pass_time(hours=1)
    world.iam.delete_access_key(UserName=iam_user, AccessKeyId=world.record(name).smtp_username)
    world.iam.delete_user_policy(UserName=iam_user, PolicyName=POLICY_NAME)
    world.iam.delete_user(UserName=iam_user)


@dataclass(frozen=True)
class Operation:
    """The initial state and the operation. `audit`: the sweep processes the user instead of an event."""

    before: tuple[Act, ...]
    act: Act
    audit: bool = False

    def look(self, world: World, name: str) -> None:
        world.audit(name) if self.audit else world.converge(name)

    def prepare(self, world: World, name: str) -> None:
        """Everything up to the invocation of the manager."""
        world.now = START
        for step in self.before:
            step(world, name)
            self.look(world, name)
        self.act(world, name)


ROTATED = (declare(), declare(credential=2))
OPERATIONS = {
    "create": Operation((), declare()),
    "create disabled": Operation((), declare(enabled=False)),
    "edit": Operation((declare(),), declare_more),
    "edit a description": Operation((declare(),), declare(description="Invoices")),
    "edit a description, disabled": Operation((declare(enabled=False),), declare(enabled=False, owner="a@example.com")),
    "edit beside an unknown key": Operation((declare(),), disturb(declare_more)),
    "disable": Operation((declare(),), declare(enabled=False)),
    "enable": Operation((declare(), declare(enabled=False)), declare()),
    "rotate": Operation((declare(),), declare(credential=2)),
    "rotate twice": Operation(ROTATED, declare(credential=3)),
    "disable in overlap": Operation(ROTATED, declare(credential=2, enabled=False)),
    "delete": Operation((declare(),), World.ask_delete),
    "delete in overlap": Operation(ROTATED, World.ask_delete),
    "record removed": Operation((declare(),), World.remove_row),
    "fail": Operation((), put_by_hand("x@example.net")),
    "created manually": Operation((), put_by_hand("x@example.com")),
    "revoke": Operation((declare(),), World.revoke),
    "revoke in overlap": Operation(ROTATED, World.revoke),
    "resume": Operation((declare(), World.revoke), World.resume),
    "rotate while revoked": Operation((declare(), World.revoke), declare(credential=2)),
    "rotate in overlap while revoked": Operation((*ROTATED, World.revoke), declare(credential=3)),
    "resume with a new credential": Operation((declare(), World.revoke, declare(credential=2)), late(World.resume)),
    "expire": Operation((declare(expires="2026-06-01"),), after(days=1), audit=True),
    "retire previous": Operation(ROTATED, after(days=7), audit=True),
    "delete previous": Operation((*ROTATED, after(days=7)), after(days=1), audit=True),
    "rotate by schedule": Operation((declare(rotation={"every_days": 30}),), after(days=30), audit=True),
    "repair a grant": Operation((declare(),), widen, audit=True),
    "repair keys": Operation((declare(),), swap_keys, audit=True),
    "repair a user that is gone": Operation((declare(),), delete_iam_user, audit=True),
    "sweep overdue": Operation((), declare(), audit=True),
    "sweep overdue teardown": Operation((declare(),), World.ask_delete, audit=True),
    "sweep an orphan": Operation((declare(),), World.remove_row, audit=True),
}


@pytest.fixture
def watched() -> Iterator[tuple[World, Faults]]:
    """An account for each operation: a sweep lists all users of its account."""
    with make_world() as world:
        faults = Faults()
        faults.watch(world)
        yield world, faults


def run_with_trouble(
    world: World, faults: Faults, operation: Operation, name: str, trouble: tuple[int, str, str]
) -> None:
    """From the prepared state on."""
    faults.arm(*trouble)
    for _ in range(DELIVERIES):
        with suppress(ProcessKilled, Retryable):
            operation.look(world, name)
            break
        world.pass_time(minutes=2)  # until the next one
    faults.arm(-1, "", "")


def end_state(world: World, name: str) -> dict[str, Any]:
    """The state of a user without values that differ between runs. Also checks I1-I4."""
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


def run_free_of_trouble(
    world: World, faults: Faults, operation: Operation, name: str
) -> tuple[list[str], dict[str, Any]]:
    operation.prepare(world, name)
    return run_prepared(world, faults, operation, name)


def run_prepared(world: World, faults: Faults, operation: Operation, name: str) -> tuple[list[str], dict[str, Any]]:
    faults.arm(-1, "", "")
    operation.look(world, name)
    calls = list(faults.calls)
    return calls, end_state(world, name)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_call_may_fail_before_or_after_it_took_effect(watched: tuple[World, Faults], operation: str) -> None:
    world, faults = watched
    name = operation.replace(" ", "-")
    OPERATIONS[operation].prepare(world, name)
    prepared, started = Snapshot(world.gaps), world.now
    calls, expected = run_prepared(world, faults, OPERATIONS[operation], name)
    assert calls
    for at, call in enumerate(calls):
        for moment, kind in OF_READS if call in READING else OF_WRITES:
            prepared.restore()
            world.now = started
            run_with_trouble(world, faults, OPERATIONS[operation], name, (at, moment, kind))
            assert end_state(world, name) == expected, f"{kind} {moment} {call} (call {at}) of '{operation}'"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_event_delivered_twice_changes_nothing(watched: tuple[World, Faults], operation: str) -> None:
    world, faults = watched
    name = f"{operation.replace(' ', '-')}-twice"
    _, expected = run_free_of_trouble(world, faults, OPERATIONS[operation], name)
    faults.arm(-1, "", "")
    OPERATIONS[operation].look(world, name)
    calls = list(faults.calls)
    assert end_state(world, name) == expected
    assert set(calls) <= READING, "a replay must not write"

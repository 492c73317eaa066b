"""How `reconcile drift` reads IAM: all users at once where that is permitted, one after the other elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.handlers
import pytest
from botocore.exceptions import ClientError

from reconciler.engine import audit
from reconciler.output.drift import INCOMPLETE
from support.attachments import quarantine
from support.planted import PLANTS, Place
from support.runs import Checkout, an_entry
from support.world import ENV, TABLE, World

DETAILS = "GetAccountAuthorizationDetails"
PER_USER = 11  # calls that observe one user completely, with its policy


@pytest.fixture(autouse=True)
def _real_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the command with the clock of the test."""
    world.now = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(audit, "SECOND_READ", 0)


@contextmanager
def refused(operation: str, code: str = "AccessDenied", status: int = 403) -> Iterator[None]:
    def refuse(model: Any, **_: Any) -> None:
        answer: Any = {"Error": {"Code": code, "Message": "not authorized"}}
        raise ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, model.name)

    entry: tuple[str, Callable[..., None]] = (f"before-call.iam.{operation}", refuse)
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(entry)


def declare(world: World, checkout: Checkout, count: int) -> None:
    checkout.limits["max_creates"] = count
    checkout.declare(*(an_entry(f"user-{n:03}") for n in range(count)))
    checkout.reconcile(world)


@pytest.mark.parametrize("count", [10, 50])
def test_settled_users_cost_one_iam_call_each(world: World, checkout: Checkout, count: int) -> None:
    declare(world, checkout, count)
    outcome = checkout.run("drift")
    assert (outcome.code, INCOMPLETE in outcome.out) == (0, True)
    assert Counter(outcome.calls) == {"GetCallerIdentity": 1, "Query": 1, DETAILS: 1, "ListAccessKeys": count}


def test_thorough_costs_five_more(world: World, checkout: Checkout) -> None:
    declare(world, checkout, 10)
    outcome = checkout.run("drift", "--thorough")
    assert (outcome.code, INCOMPLETE in outcome.out) == (0, False)
    assert len(outcome.calls) == 3 + 10 * 6


def test_users_of_other_paths_cost_pages_only(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.aws.iam.PAGE", 5)
    declare(world, checkout, 3)
    for n in range(13):
        world.iam.create_user(UserName=f"person-{n}", Path="/people/")
    assert Counter(checkout.run("drift").calls) == {
        "GetCallerIdentity": 1, "Query": 1, DETAILS: 4, "ListAccessKeys": 3,
    }  # fmt: skip


@pytest.mark.parametrize("refusal", [("AccessDenied", 403), ("InvalidAction", 400)], ids=lambda refusal: refusal[0])
def test_without_the_permission_each_user_is_read(world: World, checkout: Checkout, refusal: tuple[str, int]) -> None:
    declare(world, checkout, 3)
    with refused(DETAILS, *refusal):
        outcome = checkout.run("drift")
    assert (outcome.code, INCOMPLETE in outcome.out) == (0, False)
    assert len(outcome.calls) == 4 + 3 * PER_USER
    assert outcome.calls.count("ListUsers") == 1


def test_the_setting_forbids_the_call(world: World, checkout: Checkout) -> None:
    declare(world, checkout, 3)
    checkout.configure(wide_reads=False)
    assert DETAILS not in checkout.run("drift").calls


def test_every_reader_finds_the_same(world: World, checkout: Checkout) -> None:
    """Only ways to sign in are missing from the findings that need no call per user."""
    place = Place(ENV, TABLE, world.iam, world.dynamodb, lambda iam_user: quarantine(world, iam_user))
    before = [an_entry(one.name, enabled=True) for one in PLANTS if one.before]
    checkout.declare(*before)
    checkout.reconcile(world)
    checkout.declare(*(an_entry(one.name, enabled=one.enabled) for one in PLANTS if one.before))
    checkout.reconcile(world)
    checkout.declare(*(an_entry(one.name, enabled=one.enabled) for one in PLANTS if one.after))
    for one in PLANTS:
        one.plant(place, one.name)

    def findings(*options: str) -> list[dict[str, Any]]:
        outcome = checkout.run("drift", "--format", "json", *options)
        found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
        return found

    thorough, wide = findings("--thorough"), findings()
    checkout.configure(wide_reads=False)
    assert thorough == findings()
    assert [one["name"] for one in thorough] == [one.name for one in PLANTS]
    assert [one for one in thorough if one not in wide] == [one for one in thorough if one["name"] == "passworded"]


def test_progress_is_told_in_the_log_of_ci(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(world, checkout, 3)
    monkeypatch.setattr(audit, "TOLD_EVERY", 0)
    assert checkout.run("drift").err.splitlines() == [f"{n} of 3 IAM users read" for n in (1, 2, 3)]


@pytest.mark.parametrize("operation", ["ListUsers", "GetUser", "ListGroupsForUser", "ListAccessKeys"])
def test_what_may_not_be_read_ends_it_in_one_line(world: World, checkout: Checkout, operation: str) -> None:
    """A partial audit could be mistaken for a complete one."""
    declare(world, checkout, 20)
    checkout.configure(wide_reads=False)
    with refused(operation):
        outcome = checkout.run("drift")
    assert (outcome.code, outcome.out) == (1, "")
    told, hint = outcome.err.splitlines()
    assert told == f"error: iam:{operation}: AccessDenied: not authorized"
    assert hint == f"  hint: the role in use lacks the permission iam:{operation} here"
    assert outcome.calls.count(operation) < 20

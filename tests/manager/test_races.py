"""Two concurrent deliveries of one user: in every order, the stored credential is the active one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.core.decision import Identity
from reconciler.errors import Retryable
from reconciler.manager.converge import Converger
from support.world import World, a_user

NAME = "billing-mailer"


class Meanwhile:
    """IAM as a converge sees it; a given change happens right before a given call."""

    def __init__(self, world: World, before: bool, happens: Any) -> None:
        self._real = world.identities
        self._before = before
        self._happens = happens

    def observe(self, name: str) -> Identity | None:
        return self._look(self._real.observe, name)

    def audit(self, name: str) -> Identity | None:
        return self._look(self._real.audit, name)

    def _look(self, look: Callable[[str], Identity | None], name: str) -> Identity | None:
        happens, self._happens = self._happens, None
        if happens and self._before:
            happens()
        seen = look(name)
        if happens and not self._before:
            happens()
        return seen

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real, attribute)


def is_consistent(world: World) -> bool:
    """The only key in IAM is the stored one."""
    record = world.store.get(NAME)
    assert record
    return record.status == "active" and world.access_keys() == {record.smtp_username: "Active"}


either = pytest.mark.parametrize("before", [True, False], ids=["before it reads IAM", "after it read IAM"])
both = pytest.mark.parametrize("audit", [False, True], ids=["event", "sweep"])


@either
@both
def test_another_delivery_finishes_in_the_middle_of_ours(world: World, before: bool, audit: bool) -> None:
    """I2, I3, I5."""
    world.ask(a_user())
    meanwhile: Any = Meanwhile(world, before, lambda: world.converge(NAME))
    ours: Converger = replace(world.converger, identities=meanwhile)
    for _ in range(3):
        try:
            ours.converge(NAME, audit=audit)
            break
        except Retryable:
            world.pass_time(minutes=3)
    assert is_consistent(world)
    assert world.converge(NAME).result == "unchanged"


@either
@both
def test_the_declaration_changes_in_the_middle(world: World, before: bool, audit: bool) -> None:
    """I11."""
    world.ask(a_user())
    meanwhile: Any = Meanwhile(world, before, lambda: world.ask(a_user(NAME, "new@example.com")))
    assert replace(world.converger, identities=meanwhile).converge(NAME, audit=audit).result == "active"
    assert is_consistent(world)
    statement = world.policy()["Statement"][0]
    assert statement["Condition"]["StringLike"]["ses:FromAddress"] == ["new@example.com"]
    assert world.converge(NAME).result == "unchanged"


@either
def test_the_sweep_meets_an_edit_of_a_settled_user(world: World, before: bool) -> None:
    """I10, I11: it must not replace the new grant with the old one."""
    world.ask(a_user())
    world.converge()
    world.pass_time(hours=1)

    def edit() -> None:
        world.ask(a_user(NAME, "new@example.com"))
        world.converge()

    meanwhile: Any = Meanwhile(world, before, edit)
    replace(world.converger, identities=meanwhile).converge(NAME, audit=True)
    world.audit()
    assert is_consistent(world)
    statement = world.policy()["Statement"][0]
    assert statement["Condition"]["StringLike"]["ses:FromAddress"] == ["new@example.com"]


@either
def test_the_sweep_meets_a_rotation_of_a_settled_user(world: World, before: bool) -> None:
    """I2: a key that another delivery has just stored is not an unknown one."""
    world.ask(a_user())
    world.converge()
    world.pass_time(hours=1)

    def rotate() -> None:
        world.ask(a_user(credential=2))
        world.converge()

    meanwhile: Any = Meanwhile(world, before, rotate)
    replace(world.converger, identities=meanwhile).converge(NAME, audit=True)
    record = world.record()
    assert record.previous_key
    assert world.access_keys() == {record.smtp_username: "Active", record.previous_key: "Active"}


@either
def test_the_sweep_meets_a_deletion_of_a_settled_user(world: World, before: bool) -> None:
    """I4: if the sweep recreates the user, the next converge removes it: the record decides."""
    world.ask(a_user())
    world.converge()
    world.pass_time(hours=1)

    def delete() -> None:
        world.ask_delete()
        world.converge()

    meanwhile: Any = Meanwhile(world, before, delete)
    try:
        replace(world.converger, identities=meanwhile).converge(NAME, audit=True)
    except Retryable:
        world.audit()
    world.audit()
    assert world.users() == []
    assert world.row() is None


@pytest.mark.parametrize("operation", ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"])
def test_what_another_delivery_has_just_torn_down_counts_as_done(world: World, operation: str) -> None:
    """IAM denies a role limited to a path any request for a missing user: this is no missing permission."""
    world.ask(a_user())
    world.converge()
    world.pass_time(minutes=10)
    world.ask_delete()
    world.pass_time(minutes=10)  # old enough for a refusal to be final
    others: list[str] = []

    def overtake(**_: object) -> None:
        if not others:
            others.append("begun")
            others.append(world.converge().result)

    world.iam.meta.events.register_first(f"before-call.iam.{operation}", overtake)
    assert world.converge().result == "removed"
    assert others == ["begun", "removed"]
    assert world.users() == []
    assert world.row() is None


def test_a_right_that_is_missing_is_reported_as_such(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.ask_delete()
    world.pass_time(minutes=10)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteUser")

    world.iam.meta.events.register_first("before-call.iam.DeleteUser", refuse)
    report = world.converge()
    assert report.failure
    assert report.failure.code == "AccessDenied"

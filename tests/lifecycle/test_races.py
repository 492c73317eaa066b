"""Two deliveries of one user at once: whoever comes second, what is stored is what works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.converge import Converger
from reconciler.core.steps import Identity
from reconciler.errors import Retryable
from world import World, a_user

NAME = "billing-mailer"


class Meanwhile:
    """IAM as a converge sees it, to which something happens right before a certain look."""

    def __init__(self, world: World, before: bool, happens: Any) -> None:
        self._real = world.identities
        self._before = before
        self._happens = happens

    def observe(self, name: str) -> Identity | None:
        happens, self._happens = self._happens, None
        if happens and self._before:
            happens()
        seen = self._real.observe(name)
        if happens and not self._before:
            happens()
        return seen

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real, attribute)


def is_consistent(world: World) -> bool:
    """The one key that IAM has is the one that is stored."""
    record = world.store.get(NAME)
    assert record
    return record.status == "active" and world.access_keys() == {record.smtp_username: "Active"}


@pytest.mark.parametrize("before", [True, False], ids=["before it looks at IAM", "after it looked at IAM"])
def test_another_delivery_finishes_in_the_middle_of_ours(world: World, before: bool) -> None:
    """I2, I3, I5."""
    world.ask(a_user())
    meanwhile: Any = Meanwhile(world, before, lambda: world.converge(NAME))
    ours: Converger = replace(world.converger, identities=meanwhile)
    for _ in range(3):
        try:
            ours.converge(NAME)
            break
        except Retryable:
            world.pass_time(minutes=3)
    assert is_consistent(world)
    assert world.converge(NAME).result == "unchanged"


@pytest.mark.parametrize("before", [True, False], ids=["before it looks at IAM", "after it looked at IAM"])
def test_the_wish_changes_in_the_middle(world: World, before: bool) -> None:
    """I11."""
    world.ask(a_user())
    meanwhile: Any = Meanwhile(world, before, lambda: world.ask(a_user(NAME, "new@example.com")))
    assert replace(world.converger, identities=meanwhile).converge(NAME).result == "active"
    assert is_consistent(world)
    statement = world.policy()["Statement"][0]
    assert statement["Condition"]["StringLike"]["ses:FromAddress"] == ["new@example.com"]
    assert world.converge(NAME).result == "unchanged"

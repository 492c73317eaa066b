"""The sweep function, and helpers of its tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from reconciler.manager.handlers import sweep
from support.deployed import CONTEXT
from support.world import World, a_user


def run(**changes: Any) -> dict[str, Any]:
    """One invocation by the schedule. Returns its result."""
    return sweep.handler({}, SimpleNamespace(**{**vars(CONTEXT), **changes}))  # type: ignore[arg-type]


def settled(world: World, *names: str, **fields: Any) -> None:
    """Create active users and wait until IAM is consistent."""
    for name in names:
        world.ask(a_user(name, **fields))
        world.converge(name)
    world.pass_time(seconds=30)


def edit_policy(world: World, name: str) -> None:
    world.iam.delete_user_policy(UserName=f"smtp-test-{name}", PolicyName="smtp-send")


def is_whole(world: World, name: str) -> bool:
    return world.iam.list_user_policies(UserName=f"smtp-test-{name}")["PolicyNames"] == ["smtp-send"]

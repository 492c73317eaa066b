"""The expected time of a plan is computed from calls to IAM: no change makes more of them than it assumes."""

from __future__ import annotations

from reconciler.planning import duration
from support.world import World, a_user

IAM_FREE = {"GetItem", "UpdateItem", "DeleteItem", "Encrypt"}


def iam_calls(world: World) -> int:
    with world.calls() as calls:
        world.converge()
    return sum(call not in IAM_FREE for call in calls)


def test_each_kind_of_change_makes_at_most_the_calls_that_the_expected_time_assumes(world: World) -> None:
    world.ask(a_user())
    assert iam_calls(world) == duration.CREATE
    world.ask(a_user("billing-mailer", "new@example.com"))
    assert iam_calls(world) <= duration.UPDATE
    for credential in (2, 3):  # the second one ends an overlap
        world.ask(a_user("billing-mailer", "new@example.com", credential=credential))
        assert iam_calls(world) <= duration.ROTATE
    world.ask_delete()
    assert iam_calls(world) <= duration.DELETE

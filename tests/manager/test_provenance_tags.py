"""The tags of an IAM user that say where its policy comes from. They cause no call alone, and no difference."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from reconciler.core.ownership import OWNER, OWNER_TAG
from reconciler.core.provenance import TAGS
from support.world import World, a_user

NAME = "billing-mailer"


def origin(world: World) -> dict[str, str]:
    return {key: value for key, value in world.tags().items() if key in TAGS.values()}


def of_request(number: int) -> dict[str, str]:
    return {
        "smtp-commit": f"c0ffee{number:034d}",
        "smtp-pull-request": f"https://github.com/example/mail/pull/{number}",
        "smtp-approver": "alice bob",
        "smtp-run": f"https://github.com/example/mail/actions/runs/{number}",
    }


def test_they_are_those_of_the_change_that_defined_the_policy(world: World) -> None:
    world.ask(a_user())
    world.converge()
    assert origin(world) == of_request(1)
    world.ask(a_user(description="Invoices"))
    world.converge()
    assert origin(world) == of_request(1)
    world.ask(a_user(NAME, "crm@example.com"))
    world.converge()
    assert origin(world) == of_request(3)
    assert world.tags()[OWNER_TAG] == OWNER


def test_a_difference_in_them_is_neither_drift_nor_repaired(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.iam.tag_user(UserName=f"smtp-test-{NAME}", Tags=[{"Key": "smtp-commit", "Value": "x"}])
    world.pass_time(hours=1)
    found = world.audit()
    assert (found.result, found.steps, found.differences) == ("unchanged", (), ())


def test_a_value_that_no_tag_may_have_stops_nothing(world: World) -> None:
    world.put_row(
        NAME,
        status="pending",
        allowed_from_addresses=["billing@example.com"],
        commit="<script>",
        pull_request="javascript:alert(1)",
        approver={"not": "text"},
        run="https://example.com/?x=\n",
    )
    assert world.converge().result == "active"
    assert origin(world) == {}


def test_what_is_not_known_any_more_is_emptied(world: World) -> None:
    world.ask(a_user())
    world.converge()
    row = world.row(NAME)
    assert row
    unknown = {name: value for name, value in row.items() if name not in TAGS}
    world.table.put_item(Item={**unknown, "status": "pending", "allowed_from_addresses": ["crm@example.com"]})
    assert world.converge().steps == ("TagUser", "PutPolicy")
    assert origin(world) == dict.fromkeys(TAGS.values(), "")


def test_a_user_whose_tags_are_all_in_use_is_changed_without_them(world: World) -> None:
    world.ask(a_user())
    world.converge()

    def refuse(model: Any, **_: Any) -> None:
        error: Any = {"Error": {"Code": "LimitExceeded", "Message": "Cannot exceed quota for TagsPerUser: 50"}}
        raise ClientError(error, model.name)

    for client in {id(client): client for client in world.clients()}.values():
        client.meta.events.register_first("before-call.iam.TagUser", refuse)
    world.ask(a_user(NAME, "crm@example.com"))
    assert world.converge().result == "active"
    assert origin(world) == of_request(1)

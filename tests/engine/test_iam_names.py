"""`reconcile plan` finds IAM users that have taken a name, with few calls, and copes without the permission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.handlers
import botocore.utils
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import BaseJSONParser

from reconciler.output.plan import IAM_UNREAD
from support.runs import Checkout, an_entry
from support.world import World


@pytest.fixture
def settled(world: World, checkout: Checkout) -> World:
    """`crm` and `wiki` are active."""
    world.now = datetime.now(UTC)  # that of IAM
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    assert checkout.reconcile(world).code == 0
    return world


def take_name(world: World, **attributes: Any) -> None:
    """Someone deletes our IAM user and creates one of the same name."""
    for key in world.access_keys("crm"):
        world.iam.delete_access_key(UserName="smtp-test-crm", AccessKeyId=key)
    world.iam.delete_user_policy(UserName="smtp-test-crm", PolicyName="smtp-send")
    world.iam.delete_user(UserName="smtp-test-crm")
    world.iam.create_user(UserName="smtp-test-crm", **attributes)


def test_a_plan_without_a_conflict_lists_the_iam_users_once(settled: World, checkout: Checkout) -> None:
    outcome = checkout.run("plan", "--format", "json")
    assert [call for call in outcome.calls if call in ("ListUsers", "GetUser")] == ["ListUsers"]
    plan = json.loads(outcome.out)
    assert (plan["iam_checked"], plan["taken"]) == (True, [])


def test_a_plan_does_not_let_botocore_parse_each_attribute_and_each_time(
    settled: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands of users, that was a third of its CPU time."""
    parsed: list[str] = []
    parse_shape, parse_time = BaseJSONParser._handle_structure, botocore.utils._parse_timestamp_with_tzinfo
    monkeypatch.setattr(
        BaseJSONParser,
        "_handle_structure",
        lambda self, shape, value: (parsed.append(shape.name), parse_shape(self, shape, value))[1],
    )
    monkeypatch.setattr(
        botocore.utils,
        "_parse_timestamp_with_tzinfo",
        lambda *arguments: (parsed.append("time"), parse_time(*arguments))[1],
    )
    assert checkout.run("plan").code == 0
    assert "QueryOutput" in parsed
    assert {"AttributeValue", "time"}.isdisjoint(parsed)


def test_the_name_of_a_settled_user_that_was_taken_is_reported(settled: World, checkout: Checkout) -> None:
    take_name(settled)
    outcome = checkout.run("plan")
    assert outcome.code == 0
    assert "! crm" in outcome.out
    assert "its IAM name is taken: IAM user smtp-test-crm is not managed" in outcome.out
    assert outcome.calls.count("GetUser") == 1
    plan = json.loads(checkout.run("plan", "--format", "json").out)
    assert plan["taken"] == [{"name": "crm", "iam_user": "smtp-test-crm"}]
    assert "**IAM name taken:** `crm`" in checkout.run("plan", "--format", "markdown").out


def test_an_unmanaged_iam_user_is_reported_before_its_name_is_declared_in_vain(
    settled: World, checkout: Checkout
) -> None:
    """I8: the other users are not delayed."""
    settled.iam.create_user(UserName="smtp-test-shop", Path="/people/")
    checkout.declare(an_entry("crm"), an_entry("wiki"), an_entry("shop"))
    outcome = checkout.run("plan")
    assert outcome.code == 0
    assert "its IAM name is taken: IAM user smtp-test-shop is not managed" in outcome.out


def test_an_orphan_of_ours_is_no_conflict(settled: World, checkout: Checkout) -> None:
    settled.remove_row("crm")
    outcome = checkout.run("plan")
    assert "+ crm" in outcome.out
    assert "taken" not in outcome.out


@pytest.fixture
def denied() -> Iterator[None]:
    def deny(model: Any, **_: Any) -> None:
        if model.name == "ListUsers":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, model.name)

    entry = ("before-call.iam", deny)
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    yield
    botocore.handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.mark.usefixtures("denied")
def test_a_caller_who_may_not_list_iam_users_gets_the_plan_all_the_same(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    outcome = checkout.run("plan")
    assert (outcome.code, "+ crm" in outcome.out, IAM_UNREAD in outcome.out) == (0, True, True)
    assert json.loads(checkout.run("plan", "--format", "json").out)["iam_checked"] is False
    assert checkout.reconcile(world).code == 0


def test_the_grants_of_unmanaged_records_are_in_every_plan(world: World, checkout: Checkout) -> None:
    """`Nothing to do` must not hide a grant."""
    world.put_row("quiet", status="pending", allowed_from_addresses=["*@example.com"])
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    outcome = checkout.run("plan")
    assert "? quiet   unmanaged, ignored: active, created manually; may send as *@example.com" in outcome.out
    assert "Nothing to do: 1 unchanged. 1 unmanaged record may send." in outcome.out
    (record,) = json.loads(checkout.run("plan", "--format", "json").out)["unmanaged"]
    assert record == {
        "name": "quiet", "status": "active", "managed_by": "", "allowed_from_addresses": ["*@example.com"],
        "allowed_source_ips": [], "expires": None, "enabled": True, "problems": [], "reserved": [],
    }  # fmt: skip
    assert "may send as *@example.com" in checkout.run("plan", "--format", "markdown").out

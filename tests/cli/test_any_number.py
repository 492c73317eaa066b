"""I17: one record that no reader expects affects no other user and no command."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.core.record import key_of
from reconciler.errors import Conflict
from support.runs import Checkout, an_entry
from support.world import TABLE, World, a_request

HUGE = {"N": "1E+60"}
LONG = {"N": "9" * 38}


@pytest.fixture
def declared(world: World, checkout: Checkout) -> Checkout:
    """Two active users, crm and wiki."""
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    return checkout


def write(world: World, name: str, **attributes: Any) -> None:
    """Attributes with their types."""
    key = {attribute: {"S": value} for attribute, value in key_of(name).items()}
    item = world.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {})
    world.dynamodb.put_item(TableName=TABLE, Item={**item, **attributes, **key})


NUMBERS = {
    "revision": {"revision": HUGE},
    "38 digits": {"revision": LONG},
    "negative": {"revision": {"N": "-1"}},
    "observed_revision": {"observed_revision": HUGE},
    "credential": {"credential": LONG},
    "key_credential": {"key_credential": HUGE},
    "in a map": {"rotation": {"M": {"every_days": HUGE}}},
    "in a list": {"allowed_from_addresses": {"L": [HUGE]}},
    "in a set": {"allowed_from_addresses": {"NS": ["1E+60", "2"]}},
    "in a failure": {"failure": {"M": {"attempts": HUGE}}},
    "elsewhere": {"note": LONG},
}


@pytest.mark.parametrize("attributes", NUMBERS.values(), ids=NUMBERS)
def test_every_command_reads_it_and_the_next_apply_restores_it(
    world: World, declared: Checkout, attributes: dict[str, Any]
) -> None:
    write(world, "crm", **attributes)
    wiki = world.row("wiki")
    for words in (("plan",), ("status",), ("status", "crm"), ("drift",)):
        outcome = declared.run(*words)
        assert outcome.code in (0, 2)
        assert "error" not in outcome.err
    assert len(json.loads(declared.run("status", "--format", "json").out)) == 2
    assert declared.reconcile(world).code == 0
    assert world.row("wiki") == wiki
    assert world.record("crm").user is not None
    assert list(world.access_keys("crm").values()) == ["Active"]


@pytest.mark.parametrize("number", [HUGE, LONG, {"S": "7"}, {"M": {}}], ids=str)
def test_a_record_whose_revision_is_invalid_can_be_revoked_retried_and_deleted(
    world: World, declared: Checkout, number: dict[str, Any]
) -> None:
    write(world, "crm", revision=number)
    assert "revision must be a whole number from 0 to" in declared.run("status", "crm").out
    assert declared.reconcile(world, "revoke", "crm", "--reason", "leaked").code == 0
    assert world.record("crm").revision == 1
    assert set(world.access_keys("crm").values()) == {"Inactive"}
    write(world, "crm", revision=number, status={"S": "pending"})
    assert declared.run("retry", "crm").code == 0
    write(world, "crm", revision=number)
    declared.declare(an_entry("wiki"))
    assert declared.reconcile(world).code == 0
    assert world.row("crm") is None


def test_the_write_is_conditional_on_the_revision_as_it_was_read(world: World) -> None:
    """I11"""
    world.put_row("crm", status="active", allowed_from_addresses=["crm@example.com"])
    write(world, "crm", revision=LONG)
    record = world.record("crm")
    write(world, "crm", revision={"N": "8" * 38})
    with pytest.raises(Conflict):
        world.store.revoke(record, "leaked", a_request("mine"))
    assert world.record("crm").revoked is None


@pytest.mark.parametrize("name", ["", "a b", "x" * 1000, "cat\n", "\x1b[31m", "../etc"])
def test_a_record_of_any_name_is_shown_and_stops_nobody(world: World, declared: Checkout, name: str) -> None:
    write(world, name, status={"S": "active"}, revision=HUGE)
    for words in (("plan",), ("status",), ("drift",)):
        outcome = declared.run(*words)
        assert outcome.code in (0, 2)
        assert all(character.isprintable() or character == "\n" for character in outcome.out + outcome.err)
    assert declared.reconcile(world).code == 0

"""I8, I16, I17: what a record contains affects its own user only, and a revocation applies whatever else it says."""

from __future__ import annotations

import io
from typing import Any

import pytest

from reconciler.core.ownership import iam_user_name
from support.deployed import Refusal, lines
from support.sweeping import run, settled
from support.world import ENV, TABLE, World, a_user

STATE = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "SWEEP#state"}}


def edit(world: World, name: str, **attributes: Any) -> None:
    """None removes an attribute."""
    row = {**(world.row(name) or {}), **attributes}
    world.put_row(name, **{attribute: value for attribute, value in row.items() if value is not None})


@pytest.mark.parametrize("key_id", ["AKIA1", "no key id", "x" * 200, "AKIA-0000-0000-0000", "schlüssel-000000"])
@pytest.mark.parametrize("attribute", ["smtp_username", "previous_key"])
def test_a_key_id_that_iam_would_refuse_is_no_key(manager: World, attribute: str, key_id: str) -> None:
    settled(manager, "crm", "wiki")
    manager.pass_time(hours=1)
    edit(manager, "crm", **{attribute: key_id})
    summary = run()
    assert (summary["errors"], summary["finished"]) == (0, True)
    record = manager.record("crm")
    assert manager.access_keys("crm") == {record.smtp_username: "Active"}
    manager.revoke("crm")
    assert manager.converge("crm").result == "disabled"
    assert set(manager.access_keys("crm").values()) == {"Inactive"}


@pytest.mark.parametrize("name", ["", "a b", "Ümlaut", "x" * 1000, "cat\n"])
def test_a_failed_record_whose_name_iam_would_refuse_is_no_error_of_the_sweep(manager: World, name: str) -> None:
    settled(manager, "wiki")
    manager.pass_time(hours=1)
    manager.put_row(name, status="failed", allowed_from_addresses=["x@example.com"])
    with manager.calls() as calls:
        summary = run()
    assert (summary["errors"], summary["finished"]) == (0, True)
    assert calls.count("ListAttachedUserPolicies") == 0


@pytest.mark.parametrize(
    "state",
    [
        {"version": {"N": "1E+60"}},
        {"version": {"M": {}}},
        {"position": {"S": "x" * 2000}},
        {"position": {"L": []}},
        {"orphans": {"M": {"wiki": {"N": "1E+60"}, "old": {"S": "9" * 50}}}},
        {"orphans": {"S": "none"}},
    ],
    ids=str,
)
def test_no_content_of_its_own_item_stops_the_sweep(manager: World, state: dict[str, Any]) -> None:
    settled(manager, "crm", "wiki")
    manager.pass_time(hours=1)
    manager.dynamodb.put_item(TableName=TABLE, Item={**STATE, **state})
    for _ in range(2):
        summary = run()
        assert (summary["checked"], summary["errors"], summary["finished"]) == (2, 0, True)


def test_the_reasons_of_a_failure_fit_into_its_record(manager: World) -> None:
    """Also where every one of very many addresses is invalid."""
    addresses = [f"sender-{n:04}@elsewhere.example" for n in range(900)]
    manager.put_row("crm", status="pending", allowed_from_addresses=addresses)
    assert manager.converge("crm").result == "failed"
    failure = manager.record("crm").failure
    assert failure
    assert failure.code == "InvalidRecord"
    assert len(failure.message) == 2000


def test_a_log_line_is_plain_ascii(manager: World, log: io.StringIO) -> None:
    manager.put_row("a\x7fb\u2028c\u202e", status="pending")
    manager.pass_time(hours=1)
    run()
    assert log.getvalue().isascii()
    assert [line["smtp_user"] for line in lines(log) if "smtp_user" in line] == ["a\x7fb\u2028c\u202e"]


STATUSES = ["pending", "active", "disabled", "failed", "paused", "", None]
FORMS = [{"reason": "leaked"}, {}, "leaked", "", True, False, 7, []]


@pytest.mark.parametrize("status", STATUSES)
def test_a_sweep_carries_out_a_revocation_under_every_status(manager: World, status: str | None) -> None:
    """I16"""
    for number, _ in enumerate(FORMS):
        settled(manager, f"user-{number}")
    manager.pass_time(hours=1)
    for number, form in enumerate(FORMS):
        edit(manager, f"user-{number}", status=status, revoked=form, requested_at=None)
    assert run()["errors"] == 0
    for number, _ in enumerate(FORMS):
        assert set(manager.access_keys(f"user-{number}").values()) == {"Inactive"}
        assert manager.record(f"user-{number}").status == "disabled"


@pytest.mark.parametrize("status", STATUSES)
def test_an_event_carries_out_a_revocation_under_every_status(world: World, status: str | None) -> None:
    """I16: also of a record that is invalid besides."""
    for name in ("valid", "invalid"):
        world.ask(a_user(name))
        world.converge(name)
        edit(world, name, status=status, revoked=True, enabled=True if name == "valid" else "perhaps")
        world.converge(name)
        assert set(world.access_keys(name).values()) == {"Inactive"}
    assert (world.record("valid").status, world.record("invalid").status) == ("disabled", "failed")
    before = world.row("invalid")
    assert world.converge("invalid").result == "unchanged"
    assert world.row("invalid") == before, "or its own result would trigger it again"


def test_a_revocation_that_is_refused_is_stored_once_and_tried_in_every_sweep(manager: World, log: io.StringIO) -> None:
    settled(manager, "crm")
    manager.pass_time(hours=1)
    edit(manager, "crm", revoked=True)
    refusal = Refusal("iam.UpdateAccessKey", "AccessDenied")
    assert run()["errors"] == 0
    before = manager.row("crm")
    assert run()["errors"] == 0
    assert manager.row("crm") == before, "or its own result would trigger it again"
    assert [line["code"] for line in lines(log) if line["message"] == "smtp user failed"] == ["AccessDenied"] * 2
    assert manager.record("crm").status == "failed"
    assert set(manager.access_keys("crm").values()) == {"Active"}
    refusal.end()
    run()
    assert manager.record("crm").status == "disabled"
    assert set(manager.access_keys("crm").values()) == {"Inactive"}


def test_a_revoked_user_whose_deletion_failed_is_deleted_by_the_next_sweep(manager: World) -> None:
    settled(manager, "crm")
    manager.pass_time(hours=1)
    failure = {"code": "Throttling", "message": "x", "at": "", "attempts": 8, "during": "deleting"}
    edit(manager, "crm", status="failed", failure=failure, revoked=True)
    run()
    assert manager.row("crm") is None
    assert not manager.has_user(iam_user_name(ENV, "crm"))


def test_a_revocation_written_while_a_key_is_being_made_is_not_overlooked(world: World) -> None:
    """I16: the result is conditional on the revocation as it was read."""
    world.ask(a_user())
    create = world.identities.create_key

    def meanwhile(name: str) -> Any:
        edit(world, name, revoked=True)
        return create(name)

    world.identities.create_key = meanwhile  # type: ignore[method-assign]
    assert world.converge().result == "disabled"
    assert "Active" not in world.access_keys().values()

"""Managed IAM users without a record: they are noted and deleted after the grace time."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest

from reconciler.aws.iam_reader import IamReader
from reconciler.manager.handlers import sweep
from reconciler.ports import Listing
from support.attachments import quarantine
from support.deployed import CONTEXT, MAX_ORPHANS, Refusal, lines
from support.world import TABLE, World, a_user

STATE = {"PK": "SMTP_USER", "SK": "SWEEP#state"}


def run() -> dict[str, Any]:
    return sweep.handler({}, CONTEXT)


def orphaned(world: World, *names: str) -> None:
    """Create a user and delete its record without an event. Other users keep their records."""
    world.put_row("another", status="asks for nothing")
    for name in names:
        world.ask(a_user(name))
        world.converge(name)
        world.remove_row(name)


def remembered() -> dict[str, Any]:
    return boto3.resource("dynamodb").Table(TABLE).get_item(Key=STATE)["Item"]["orphans"]  # type: ignore[no-any-return]


def told(summary: dict[str, Any]) -> tuple[int, int, int]:
    return summary["orphans"], summary["orphans_removed"], summary["orphans_held"]


def test_an_orphan_is_remembered_and_torn_down_after_a_day(manager: World, log: io.StringIO) -> None:
    """I4."""
    manager.ask(a_user("wiki"))
    manager.converge("wiki")
    orphaned(manager, "crm")
    assert told(run()) == (1, 0, 0)
    assert remembered() == {"crm": "2026-06-01T12:00:00Z"}
    manager.pass_time(hours=23)
    assert told(run()) == (1, 0, 0)
    assert remembered() == {"crm": "2026-06-01T12:00:00Z"}
    manager.pass_time(hours=1)
    assert told(run()) == (0, 1, 0)
    assert manager.users() == ["smtp-test-wiki"]
    assert remembered() == {}
    (line,) = [line for line in lines(log) if line.get("smtp_user") == "crm"]
    assert (line["result"], line["steps"]) == ("removed", ["DeleteKey", "DeleteUser"])
    assert told(run()) == (0, 0, 0)


def test_an_orphan_whose_record_comes_back_is_forgotten(manager: World) -> None:
    """A table restored from a backup: the grace time starts again if the record disappears again."""
    orphaned(manager, "crm")
    run()
    manager.pass_time(hours=20)
    manager.ask(a_user("crm"))
    manager.converge("crm")
    assert told(run()) == (0, 0, 0)
    assert remembered() == {}
    manager.remove_row("crm")
    manager.pass_time(hours=10)
    assert told(run()) == (1, 0, 0)
    assert manager.users() == ["smtp-test-crm"]


def test_an_orphan_that_someone_else_removed_is_forgotten(manager: World) -> None:
    orphaned(manager, "crm")
    run()
    manager.converge("crm")
    assert told(run()) == (0, 0, 0)
    assert remembered() == {}


@pytest.mark.parametrize("status", ["pending", "failed", "deleting", "paused"])
def test_who_has_a_record_of_any_kind_is_no_orphan(manager: World, status: str) -> None:
    orphaned(manager, "crm")
    manager.put_row("crm", status=status, requested_at="2026-06-01T12:00:00Z")
    assert told(run()) == (0, 0, 0)


def test_unmanaged_users_under_our_path_are_never_touched(manager: World) -> None:
    """I7: without the tag, or with a name of another environment."""
    for name, tags in (
        ("smtp-test-crm", []),
        ("smtp-test-shop", [{"Key": "managed-by", "Value": "somebody"}]),
        ("smtp-prod-crm", [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]),
        ("smtp-test-", [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]),
        ("backup", [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]),
    ):
        manager.iam.create_user(UserName=name, Path="/smtp/test/", Tags=tags)
    before = manager.users()
    for _ in range(3):
        assert told(run()) == (0, 0, 0)
        manager.pass_time(hours=25)
    assert manager.users() == before


def test_users_of_ours_under_another_path_are_not_looked_for(manager: World) -> None:
    tags = [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]
    manager.iam.create_user(UserName="smtp-test-crm", Path="/people/", Tags=tags)
    manager.pass_time(hours=25)
    assert told(run()) == (0, 0, 0)


def test_more_orphans_than_can_be_true_are_held(manager: World) -> None:
    """The loss of a table must not delete every IAM user."""
    names = [f"user-{n}" for n in range(MAX_ORPHANS + 1)]
    orphaned(manager, *names)
    assert told(run()) == (MAX_ORPHANS + 1, 0, 0)
    manager.pass_time(days=2)
    assert told(run()) == (MAX_ORPHANS + 1, 0, MAX_ORPHANS + 1)
    assert len(manager.users()) == MAX_ORPHANS + 1
    manager.ask(a_user(names[0]))
    manager.converge(names[0])
    assert told(run()) == (0, MAX_ORPHANS, 0)
    assert manager.users() == [f"smtp-test-{names[0]}"]


def test_young_orphans_do_not_count_against_the_old_ones(manager: World) -> None:
    orphaned(manager, "crm")
    run()
    manager.pass_time(hours=24)
    orphaned(manager, *(f"user-{n}" for n in range(MAX_ORPHANS + 1)))
    assert told(run()) == (MAX_ORPHANS + 1, 1, 0)


def test_an_orphan_that_cannot_be_torn_down_is_tried_again(manager: World) -> None:
    orphaned(manager, "crm", "wiki")
    run()
    manager.pass_time(hours=24)
    refusal = Refusal("iam.DeleteUser", "AccessDenied", user="crm")
    summary = run()
    assert (told(summary), summary["errors"]) == ((1, 1, 0), 1)
    assert list(remembered()) == ["crm"]
    refusal.end()
    assert told(run()) == (0, 1, 0)
    assert manager.users() == []


def test_where_iam_cannot_be_listed_the_records_are_checked_all_the_same(manager: World) -> None:
    """I8: and the noted orphans are kept."""
    orphaned(manager, "crm")
    manager.ask(a_user("wiki"))
    run()
    refusals = [Refusal(f"iam.{call}", "AccessDenied") for call in ("GetAccountAuthorizationDetails", "ListUsers")]
    manager.pass_time(hours=25)
    summary = run()
    assert (told(summary), summary["errors"], summary["finished"]) == ((1, 0, 0), 1, True)
    assert manager.record("wiki").status == "active"
    for refusal in refusals:
        refusal.end()
    assert told(run()) == (0, 1, 0)


def test_a_user_that_is_just_being_made_is_no_orphan(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record existed first, therefore IAM is listed before the records."""
    read = IamReader.read

    def create_and_read(reader: IamReader) -> Listing:
        manager.ask(a_user("crm"))
        manager.converge("crm")
        return read(reader)

    monkeypatch.setattr(IamReader, "read", create_and_read)
    assert told(run()) == (0, 0, 0)


def test_a_record_that_comes_back_at_the_last_moment_saves_its_user(
    manager: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I7: the record is read again before a teardown, and no removal is reported."""
    orphaned(manager, "crm")
    run()
    manager.pass_time(hours=24)
    rows: Any = sweep.sweep().records
    records = rows.records

    def list_and_come_back() -> Any:
        found = list(records())
        monkeypatch.setattr(rows, "records", records)
        manager.ask(a_user("crm"))
        return found

    monkeypatch.setattr(rows, "records", list_and_come_back)
    assert told(run())[1] == 0
    assert manager.users() == ["smtp-test-crm"]


def test_what_is_removed_is_only_said_of_what_is_gone(manager: World) -> None:
    """The ownership tag on a name that no SMTP user can have: it is neither created nor removed by this system."""
    tags = [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]
    manager.iam.create_user(UserName="smtp-test-No.Name", Path="/smtp/test/", Tags=tags)
    run()
    manager.pass_time(hours=25)
    removed = told(run())[1]
    assert removed == 1 - len(manager.users())


@pytest.mark.parametrize("seen", ["yesterday", "", 5, None, "9999-12-31T23:59:59Z", ["x"]])
def test_a_time_that_someone_has_garbled_keeps_no_orphan_forever(manager: World, seen: Any) -> None:
    """I4: it is treated as first seen now."""
    orphaned(manager, "crm")
    boto3.resource("dynamodb").Table(TABLE).put_item(Item={**STATE, "orphans": {"crm": seen}})
    assert told(run()) == (1, 0, 0), "and it does not shorten the grace time"
    manager.pass_time(hours=25)
    run()
    assert manager.users() == []


def test_a_lost_table_is_reported_without_a_look_at_every_user(manager: World) -> None:
    """Hundreds of users without a record: only their names are listed, and none is changed."""
    tags = [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]
    for n in range(201):
        manager.iam.create_user(UserName=f"smtp-test-user-{n}", Path="/smtp/test/", Tags=tags)
    with manager.calls() as calls:
        assert told(run()) == (201, 0, 201)
    assert "GetUser" not in calls
    manager.pass_time(hours=25)
    assert told(run()) == (201, 0, 201)
    assert len(manager.users()) == 201


def test_the_last_records_may_be_lost_records(manager: World) -> None:
    """An empty table counts as lost: no user is deleted, even if there are few."""
    manager.ask(a_user("crm"))
    manager.converge("crm")
    manager.remove_row("crm")
    run()
    manager.pass_time(hours=25)
    assert told(run()) == (1, 0, 1)
    assert manager.users() == ["smtp-test-crm"]


@pytest.mark.parametrize(("percent", "held"), [("33", 1), ("34", 0)])
def test_a_share_of_all_users_is_too_many_as_well(
    manager: World, monkeypatch: pytest.MonkeyPatch, percent: str, held: int
) -> None:
    monkeypatch.setenv("MAX_ORPHAN_PERCENT", percent)
    sweep.sweep.cache_clear()
    manager.put_row("one-more", status="asks for nothing")
    orphaned(manager, "crm")
    run()
    manager.pass_time(hours=25)
    assert told(run()) == (held, 1 - held, held)


def test_an_orphan_whose_key_leaked_is_reported(manager: World, log: io.StringIO) -> None:
    orphaned(manager, "crm")
    quarantine(manager, "smtp-test-crm")
    assert run()["quarantined"] == 1
    assert "manual action required" in log.getvalue()

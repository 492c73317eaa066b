"""What a run of the sweep processes at once: revocations and overdue records, wherever the round is."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest

from reconciler.manager.handlers import sweep
from support.deployed import USERS_PER_RUN, Refusal, lines
from support.sweeping import run, settled
from support.world import TABLE, World, a_user

STATE = {"PK": "SMTP_USER", "SK": "SWEEP#state"}


def continue_after(name: str) -> None:
    """The round continues behind this user."""
    boto3.resource("dynamodb").Table(TABLE).update_item(
        Key=STATE, UpdateExpression="SET #p = :p", ExpressionAttributeNames={"#p": "position"},
        ExpressionAttributeValues={":p": name},
    )  # fmt: skip


@pytest.fixture
def order(manager: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users that are observed completely, in order: one after the other, where IAM is not read at once."""
    found: list[str] = []
    monkeypatch.setenv("WIDE_READS", "false")
    identities: Any = sweep.sweep().checks.converger.identities
    audit = identities.audit

    def note(name: str) -> Any:
        found.append(name)
        return audit(name)

    monkeypatch.setattr(identities, "audit", note)
    return found


def states(world: World, name: str) -> list[str]:
    return list(world.access_keys(name).values())


def test_a_young_revocation_is_carried_out_by_the_next_run(manager: World) -> None:
    """A stream that delivers nothing must not delay it."""
    settled(manager, "crm")
    manager.revoke("crm")
    summary = run()
    assert states(manager, "crm") == ["Inactive"]
    assert (summary["checked"], summary["missed"], summary["names"]) == (1, 0, {}), "the stream may still deliver it"
    manager.pass_time(minutes=1)
    assert run()["checked"] == 1


def test_an_old_revocation_was_missed_by_the_stream(manager: World) -> None:
    settled(manager, "crm")
    manager.revoke("crm")
    manager.pass_time(minutes=16)
    summary = run()
    assert (summary["checked"], summary["missed"], summary["names"]) == (1, 1, {"missed": ["crm"]})
    manager.pass_time(minutes=1)
    assert run()["missed"] == 0


@pytest.mark.parametrize("revoked", [True, 7, {}, {"note": "leaked"}, ["leaked"]])
def test_a_manual_revocation_that_passes_no_filter_is_carried_out_at_once(manager: World, revoked: Any) -> None:
    """Also of a user that was settled a moment ago."""
    manager.ask(a_user("crm"))
    manager.converge("crm")
    manager.put_row("crm", **{**(manager.row("crm") or {}), "revoked": revoked})
    assert run()["checked"] == 1
    assert states(manager, "crm") == ["Inactive"]
    assert manager.record("crm").status == "disabled"


def test_revoked_and_overdue_records_come_before_the_position_and_before_orphans(
    manager: World, order: list[str]
) -> None:
    for name in ("orphan", "aaa", "bbb", "ccc", "zzz"):
        settled(manager, name)
    manager.remove_row("orphan")
    run()
    manager.pass_time(hours=24)
    manager.ask(a_user("aaa", "other@example.com"))
    manager.revoke("bbb")
    manager.pass_time(minutes=16)
    continue_after("ccc")
    order.clear()
    summary = run()
    assert order == ["bbb", "aaa", "orphan", "zzz"]
    assert (summary["checked"], summary["missed"], summary["orphans_removed"]) == (3, 2, 1)
    assert states(manager, "bbb") == ["Inactive"]
    assert manager.record("aaa").status == "active"


def test_no_user_is_processed_twice_in_a_run(manager: World, order: list[str]) -> None:
    settled(manager, "aaa", "bbb")
    manager.revoke("bbb")
    run()
    assert order == ["bbb", "aaa"]


def test_a_young_record_waits_for_the_stream_and_is_not_missed(manager: World) -> None:
    manager.ask(a_user("crm"))
    manager.pass_time(minutes=14)
    summary = run()
    assert (summary["checked"], summary["missed"]) == (0, 0)


def test_a_revoked_user_that_failed_is_processed_again_and_was_not_missed(manager: World) -> None:
    """Its status says that a function has processed it."""
    settled(manager, "crm")
    manager.put_row("crm", **{**(manager.row("crm") or {}), "status": "failed", "revoked": True})
    summary = run()
    assert (summary["checked"], summary["missed"]) == (1, 0)
    assert states(manager, "crm") == ["Inactive"]


def test_a_settled_revocation_is_not_missed_when_the_settings_change(
    manager: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(manager, "crm")
    manager.revoke("crm")
    manager.converge("crm")
    manager.pass_time(minutes=1)
    monkeypatch.setenv("CONFIGURATION_SET", "another")
    sweep.sweep.cache_clear()
    assert run()["missed"] == 0


def test_one_revocation_that_fails_does_not_stop_the_others(manager: World, log: io.StringIO) -> None:
    """I8."""
    settled(manager, "aaa", "bbb", "ccc")
    for name in ("aaa", "bbb", "ccc"):
        manager.revoke(name)
    Refusal("iam.UpdateAccessKey", "ServiceFailure", user="bbb", status=500)
    summary = run()
    assert (summary["errors"], summary["finished"]) == (1, True)
    assert [states(manager, name) for name in ("aaa", "bbb", "ccc")] == [["Inactive"], ["Active"], ["Inactive"]]
    assert [line["smtp_user"] for line in lines(log) if line["message"].startswith("transient")] == ["bbb"]


def test_the_limit_of_users_holds_and_the_next_run_continues(manager: World) -> None:
    names = [f"user-{n:02}" for n in range(USERS_PER_RUN + 5)]
    for name in names:
        manager.put_row(name, status="pending", allowed_from_addresses=["x@example.com"])
    summary = run()
    assert (summary["checked"], summary["missed"], summary["finished"]) == (USERS_PER_RUN, len(names), False)
    assert summary["names"]["missed"] == names[:20], "the log names some of them"
    summary = run()
    assert (summary["missed"], summary["finished"]) == (5, True)
    assert len(manager.users()) == len(names)


def test_a_run_that_is_out_of_time_ends_and_reports_the_state(manager: World) -> None:
    settled(manager, "aaa", "bbb")
    manager.revoke("aaa")
    manager.revoke("bbb")
    manager.pass_time(minutes=16)
    summary = run(get_remaining_time_in_millis=lambda: 1000)
    assert (summary["checked"], summary["stopped"], summary["missed"]) == (1, "out of time", 2)
    assert [states(manager, name) for name in ("aaa", "bbb")] == [["Inactive"], ["Active"]]


def test_throttling_ends_the_run_before_the_round(manager: World, order: list[str]) -> None:
    settled(manager, "aaa", "bbb", "ccc", "ddd", "zzz")
    for name in ("aaa", "bbb", "ccc", "ddd"):
        manager.revoke(name)
    Refusal("iam.GetUser", "Throttling")
    summary = run()
    assert (summary["errors"], summary["stopped"]) == (3, "IAM is throttled or cannot be reached")
    assert order == ["aaa", "bbb", "ccc"]

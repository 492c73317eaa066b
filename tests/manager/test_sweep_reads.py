"""How the sweep reads IAM: all users at once where that is permitted, and only those that differ completely."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any
from zlib import crc32

import boto3
import pytest

from reconciler.aws.iam_reader import IamReader
from reconciler.manager.handlers import sweep
from reconciler.manager.user_checks import FULL_CHECK
from reconciler.ports import Listing
from support.attachments import quarantine
from support.deployed import Refusal, hooks, lines
from support.sweeping import edit_policy, is_whole, run, settled
from support.world import TABLE, World, a_user

DETAILS = "GetAccountAuthorizationDetails"


def counted_run() -> tuple[dict[str, Any], Counter[str]]:
    """The first run of an execution environment, and its IAM calls."""
    calls: list[str] = []
    hook = ("provide-client-params.iam", lambda model, **_: calls.append(model.name))
    hooks.append(hook)
    try:
        return run(), Counter(calls)
    finally:
        hooks.remove(hook)


def set_rounds(rounds: int) -> None:
    key = {"PK": "SMTP_USER", "SK": "SWEEP#state"}
    boto3.resource("dynamodb").Table(TABLE).put_item(Item={**key, "rounds": rounds})


def slot(name: str) -> int:
    """The round in which everything of a user is read."""
    return crc32(name.encode()) % FULL_CHECK


@pytest.mark.parametrize("count", [50, 200])
def test_settled_users_cost_one_call_and_a_tenth_in_one_run(
    manager: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setenv("SWEEP_USERS_PER_RUN", "5000")
    names = [f"user-{n:03}" for n in range(count)]
    settled(manager, *names)
    set_rounds(7)
    summary, calls = counted_run()
    assert (summary["checked"], summary["finished"], summary["steps"]) == (count, True, {})
    completely = sum(slot(name) == 7 for name in names)
    assert (calls[DETAILS], calls["ListAccessKeys"], calls.total()) == (1, count, 1 + count + 5 * completely)


def test_the_complete_checks_of_all_rounds_are_a_tenth_of_a_call_per_user() -> None:
    names = [f"user-{n}" for n in range(5000)]
    per_round = Counter(map(slot, names))
    assert len(per_round) == FULL_CHECK
    assert 5 * max(per_round.values()) <= 0.15 * len(names)
    assert 5 * per_round.total() / FULL_CHECK == 0.1 * len(names)


def test_a_password_is_found_within_the_rounds_of_a_complete_check(manager: World) -> None:
    """A permissions boundary leaves it without any permission."""
    settled(manager, "crm")
    manager.iam.create_login_profile(UserName="smtp-test-crm", Password="Str0ng-and-long!")
    set_rounds(slot("crm") + 1)
    assert [run()["repaired"] for _ in range(FULL_CHECK)] == [0] * (FULL_CHECK - 1) + [1]


@pytest.mark.parametrize("reason", ["setting", "AccessDenied", "InvalidAction"])
def test_without_wide_reads_every_user_is_read_completely(
    manager: World, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "setting":
        monkeypatch.setenv("WIDE_READS", "false")
    else:
        Refusal(f"iam.{DETAILS}", reason)
    settled(manager, "aaa", "crm", "wiki")
    manager.iam.create_login_profile(UserName="smtp-test-crm", Password="Str0ng-and-long!")
    edit_policy(manager, "wiki")
    set_rounds(slot("crm") + 1)
    summary, calls = counted_run()
    assert (summary["repaired"], summary["errors"], summary["finished"]) == (2, 0, True)
    assert is_whole(manager, "wiki")
    assert calls["ListUsers"] == 1
    assert calls["GetLoginProfile"] == 3 + 2, "those that differ are observed again"
    assert reason != "setting" or DETAILS not in calls


def test_iam_as_it_was_before_a_change_is_no_drift(
    manager: World, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """The records are newer than what was read at the beginning of the run."""
    settled(manager, "changed", "disabled", "gone", "rotated")
    read = IamReader.read

    def read_before(reader: IamReader) -> Listing:
        listing = read(reader)
        manager.ask(a_user("changed", "other@example.com"))
        manager.ask(a_user("disabled", enabled=False))
        manager.ask(a_user("rotated", credential=2))
        manager.ask_delete("gone")
        for name in ("changed", "disabled", "gone", "rotated"):
            manager.converge(name)
        settled(manager, "new")
        manager.pass_time(minutes=10)
        return listing

    monkeypatch.setattr(IamReader, "read", read_before)
    summary = run()
    assert (summary["checked"], summary["repaired"], summary["steps"], summary["errors"]) == (4, 0, {}, 0)
    assert not [line for line in lines(log) if "differences" in line]


def test_a_failed_user_costs_no_call_unless_it_is_quarantined(manager: World) -> None:
    settled(manager, "crm", "wiki")
    for name in ("crm", "wiki"):
        manager.put_row(name, **{**(manager.row(name) or {}), "status": "failed"})
    quarantine(manager, "smtp-test-wiki")
    summary, calls = counted_run()
    assert (summary["quarantined"], summary["checked"]) == (1, 0)
    assert calls == {DETAILS: 1, "ListAttachedUserPolicies": 1}


def test_where_reading_all_users_is_throttled_each_is_read(manager: World) -> None:
    settled(manager, "crm")
    Refusal(f"iam.{DETAILS}", "Throttling")
    edit_policy(manager, "crm")
    summary = run()
    assert (summary["errors"], summary["repaired"], summary["finished"]) == (1, 1, True)
    assert sweep.sweep().states.load().rounds == 1

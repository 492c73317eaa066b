"""A round of the sweep may take several runs: where a run stops, and where the next one continues."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from reconciler.manager.handlers import sweep
from support.deployed import USERS_PER_RUN, Refusal, metrics
from support.sweeping import edit_policy, is_whole, run, settled
from support.world import TABLE, World

STATE = {"PK": "SMTP_USER", "SK": "SWEEP#state"}


MANY = [f"user-{n:02}" for n in range(USERS_PER_RUN + 5)]


def test_a_run_that_used_up_its_budget_goes_on_where_it_stopped(manager: World) -> None:
    for name in MANY:
        manager.put_row(name, status="pending", allowed_from_addresses=["x@example.com"])
    first = run()
    assert (first["checked"], first["finished"]) == (USERS_PER_RUN, False)
    assert first["stopped"] == "limit of users per run"
    assert len(manager.users()) == USERS_PER_RUN
    second = run()
    assert (second["checked"], second["finished"], second["stopped"]) == (5, True, "")
    assert len(manager.users()) == len(MANY)
    manager.pass_time(minutes=1)
    assert run()["checked"] == USERS_PER_RUN, "the next round begins at the first again"


def test_a_run_that_is_out_of_time_goes_on_where_it_stopped(manager: World) -> None:
    settled(manager, "aaa", "crm", "wiki")
    manager.pass_time(hours=1)
    left = iter([200_000, 179_000, 500_000, 500_000])
    summary = run(get_remaining_time_in_millis=lambda: next(left))
    assert (summary["checked"], summary["stopped"], summary["finished"]) == (2, "out of time", False)
    edit_policy(manager, "aaa")
    edit_policy(manager, "wiki")
    assert run()["checked"] == 1
    assert (is_whole(manager, "aaa"), is_whole(manager, "wiki")) == (False, True)
    run()
    assert is_whole(manager, "aaa")


def test_a_run_looks_at_one_user_at_least(manager: World) -> None:
    """Even in a short run: otherwise a round might never end."""
    settled(manager, "aaa", "crm")
    assert [run(get_remaining_time_in_millis=lambda: 1000)["checked"] for _ in range(2)] == [1, 1]
    assert run(get_remaining_time_in_millis=lambda: 1000)["checked"] == 0


def test_throttling_ends_a_run_before_it_makes_things_worse(manager: World) -> None:
    settled(manager, *MANY[:6])
    refusal = Refusal("iam.ListAccessKeys", "Throttling")
    summary = run()
    assert (summary["checked"], summary["errors"], summary["stopped"]) == (
        3,
        3,
        "IAM is throttled or cannot be reached",
    )
    refusal.end()
    assert run()["checked"] == 3


def test_other_errors_in_a_record_are_no_throttling(manager: World) -> None:
    settled(manager, *MANY[:5])
    Refusal("iam.ListAccessKeys", "ServiceFailure", status=500)
    assert (run()["errors"], run()["finished"]) == (5, True)


def test_a_second_sweep_meanwhile_stops(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(manager, "crm")
    states: Any = sweep.sweep().states
    load = states.load

    def load_late() -> Any:
        mine = load()
        monkeypatch.setattr(states, "load", load)
        assert [run()["finished"] for _ in range(2)] == [True, True]
        return mine

    monkeypatch.setattr(states, "load", load_late)
    summary = run()
    assert (summary["finished"], summary["stopped"]) == (False, "another sweep is running")


def test_the_position_is_saved_as_the_run_goes(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash during a long run, the next run does not start at the first user again."""
    for n in range(120):
        manager.put_row(f"user-{n:03}", status="failed")
    states: Any = sweep.sweep().states
    save, saved = states.save, []

    def note(state: Any) -> Any:
        saved.append(state.position)
        return save(state)

    monkeypatch.setattr(states, "save", note)
    assert run()["finished"] is True
    assert saved == ["user-049", "user-099", ""]


def table() -> Any:
    return boto3.resource("dynamodb").Table(TABLE)


@pytest.mark.parametrize(
    "state",
    [
        {"position": 5, "orphans": "none", "version": "seven"},
        {"position": None, "orphans": None, "version": None},
        {"position": ["crm"], "orphans": ["crm"], "version": True},
        {"orphans": {"crm": 5, "wiki": {"a": "b"}}, "version": {1, 2}},
        {"position": "", "orphans": {}, "version": b"x"},
        {},
    ],
    ids=str,
)
def test_a_state_that_someone_has_garbled_is_none(manager: World, state: dict[str, Any]) -> None:
    settled(manager, "crm")
    table().put_item(Item={**STATE, **state})
    for _ in range(2):
        summary = run()
        assert (summary["checked"], summary["finished"]) == (1, True), summary["stopped"]


@pytest.mark.parametrize("position", ["crm", "zzz", "crm-that-is-gone", "\u2028", "x" * 1000])
def test_a_position_of_a_record_that_is_gone_is_one_like_any_other(manager: World, position: str) -> None:
    settled(manager, "aaa", "wiki")
    table().put_item(Item={**STATE, "position": position})
    assert run()["finished"] is True
    assert run()["checked"] == 2


def test_the_state_is_not_a_user(manager: World) -> None:
    settled(manager, "crm")
    run()
    assert table().get_item(Key=STATE)["Item"]["position"] == ""
    assert [record.name for record in manager.store.records()] == ["crm"]
    assert manager.store.record_names() == {"crm"}


def test_a_round_that_is_not_finished_does_not_count_as_one(manager: World, capsys: pytest.CaptureFixture[str]) -> None:
    settled(manager, "aaa", "crm")
    run(get_remaining_time_in_millis=lambda: 1000)
    assert metrics(capsys.readouterr().out)["SweepRounds"] == 0

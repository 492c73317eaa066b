"""The Lambda handler of the sweep: it checks every user once per round, and IAM users without a record."""

from __future__ import annotations

import io
from typing import Any

import pytest

from reconciler.manager.handlers import sweep
from support.attachments import quarantine
from support.deployed import Refusal, lines, metrics
from support.sweeping import edit_policy, is_whole, run, settled
from support.world import World, a_user


def test_a_round_at_which_nothing_is_to_do_changes_nothing(manager: World) -> None:
    settled(manager, "crm", "wiki")
    before = [manager.row(name) for name in ("crm", "wiki")]
    assert run() == {
        "checked": 2,
        "repaired": 0,
        "quarantined": 0,
        "orphans": 0,
        "orphans_removed": 0,
        "orphans_held": 0,
        "errors": 0,
        "failed": 0,
        "missed": 0,
        "unmanaged": 0,
        "trigger_broken": 0,
        "ses_sandbox": 0,
        "ses_paused": 0,
        "ses_review": 0,
        "finished": True,
        "stopped": "",
        "steps": {},
        "trigger_fault": "",
        "names": {},
    }
    assert [manager.row(name) for name in ("crm", "wiki")] == before


def test_a_table_without_users_is_a_round_too(manager: World) -> None:
    assert run()["finished"] is True


def test_records_that_the_stream_has_lost_are_processed(manager: World) -> None:
    """A dead letter was lost or the mapping is disabled: the declaration is still in the record."""
    settled(manager, "leaving")
    manager.ask_delete("leaving")
    manager.ask(a_user("pending"))
    manager.put_row("by-hand", status="pending", allowed_from_addresses=["x@example.com"])
    manager.pass_time(minutes=16)
    assert run()["checked"] == 3
    assert manager.row("leaving") is None
    assert manager.users() == ["smtp-test-by-hand", "smtp-test-pending"]
    assert [manager.record(name).status for name in ("by-hand", "pending")] == ["active", "active"]


def test_young_records_are_left_to_the_stream(manager: World) -> None:
    manager.ask(a_user("crm"))
    manager.pass_time(minutes=14)
    assert run()["checked"] == 0
    assert manager.users() == []


def test_failed_records_are_left_to_a_person(manager: World) -> None:
    manager.put_row("crm", status="failed", allowed_from_addresses=["crm@example.com"])
    manager.pass_time(days=30)
    assert run()["checked"] == 0
    assert manager.record("crm").status == "failed"


def test_drift_is_repaired_and_reported(manager: World, log: io.StringIO) -> None:
    settled(manager, "crm", "wiki")
    manager.pass_time(hours=1)
    edit_policy(manager, "crm")
    summary = run()
    assert (summary["repaired"], summary["steps"]) == (1, {"PutPolicy": 1})
    assert is_whole(manager, "crm")
    (told,) = [line for line in lines(log) if line.get("smtp_user") == "crm"]
    assert told["differences"] == ["its policy was changed"]
    assert told["correlation_id"] == manager.record("crm").correlation_id
    assert not [line for line in lines(log) if line.get("smtp_user") == "wiki"], "nothing to report"
    assert run()["repaired"] == 0


def test_what_time_asks_for_is_done_and_is_no_repair(manager: World) -> None:
    """An expired user, and a rotation that is due."""
    settled(manager, "crm", expires="2026-06-10")
    settled(manager, "wiki", rotation={"every_days": 30})
    manager.pass_time(days=30)
    summary = run()
    assert summary["repaired"] == 0
    assert manager.record("crm").status == "disabled"
    assert list(manager.access_keys("crm").values()) == ["Inactive"]
    assert len(manager.access_keys("wiki")) == 2


def test_one_user_that_fails_does_not_stop_the_round(manager: World, log: io.StringIO) -> None:
    """I8."""
    settled(manager, "aaa", "crm", "wiki")
    manager.pass_time(hours=1)
    for name in ("aaa", "crm", "wiki"):
        edit_policy(manager, name)
    Refusal("iam.PutUserPolicy", "AccessDenied", user="crm")
    summary = run()
    assert (summary["checked"], summary["errors"], summary["finished"]) == (3, 1, True)
    assert [is_whole(manager, name) for name in ("aaa", "crm", "wiki")] == [True, False, True]
    assert manager.record("crm").status == "active"
    (told,) = [line for line in lines(log) if line.get("smtp_user") == "crm"]
    assert (told["level"], told["code"]) == ("WARNING", "AccessDenied")
    assert told["correlation_id"] == manager.record("crm").correlation_id


def test_an_overdue_record_that_aws_refuses_fails_with_the_reason(manager: World, log: io.StringIO) -> None:
    """The caller expects a result."""
    manager.ask(a_user("crm"))
    manager.pass_time(minutes=16)
    Refusal("iam.CreateUser", "AccessDenied")
    assert run()["errors"] == 0
    failure = manager.record("crm").failure
    assert failure
    assert (manager.record("crm").status, failure.code) == ("failed", "AccessDenied")
    (told,) = [line for line in lines(log) if line.get("smtp_user") == "crm"]
    assert (told["message"], told["level"]) == ("smtp user failed", "ERROR")


def test_a_user_whose_key_was_seen_in_public_is_reported_each_time(
    manager: World, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until an operator handles it."""
    settled(manager, "crm", "wiki")
    quarantine(manager, "smtp-test-crm")
    for _ in range(2):
        summary = run()
        assert (summary["quarantined"], summary["repaired"], summary["steps"]) == (1, 0, {})
    assert metrics(capsys.readouterr().out)["SweepQuarantined"] == 2
    told = [line for line in lines(log) if line["message"] == "manual action required"]
    assert [(line["smtp_user"], line["level"]) for line in told] == [("crm", "ERROR")] * 2
    assert "AWSCompromisedKeyQuarantineV3" in told[0]["warnings"][0]


def test_a_defect_of_ours_does_not_stop_the_round(
    manager: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6, I8."""
    settled(manager, "crm", "wiki")
    manager.pass_time(hours=1)
    identities: Any = sweep.sweep().checks.converger.identities
    audit = identities.audit

    def broken(name: str) -> Any:
        if name == "crm":
            raise TypeError("hunter2")
        return audit(name)

    monkeypatch.setattr(identities, "audit", broken)
    for name in ("crm", "wiki"):
        edit_policy(manager, name)
    summary = run()
    assert (summary["errors"], summary["repaired"], summary["finished"]) == (1, 1, True)
    assert "TypeError" in log.getvalue()
    assert "hunter2" not in log.getvalue()


def test_a_table_that_cannot_be_read_is_an_error_of_the_function(manager: World) -> None:
    """Its alarm reports it: a sweep cannot fix it."""
    settled(manager, "crm")
    Refusal("dynamodb.Query", "AccessDeniedException")
    with pytest.raises(Exception, match="dynamodb:Query"):
        run()


def test_telemetry_that_breaks_stops_no_sweep(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """I12."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("telemetry is down")

    for target, method in (
        (sweep.telemetry.logger, "info"),
        (sweep.telemetry.logger, "error"),
        (sweep.telemetry.logger, "append_keys"),
        (sweep.telemetry.metrics, "add_metric"),
        (sweep.telemetry.metrics, "flush_metrics"),
    ):
        monkeypatch.setattr(target, method, broken)
    settled(manager, "crm")
    manager.pass_time(hours=1)
    edit_policy(manager, "crm")
    assert run()["finished"] is True
    assert is_whole(manager, "crm")


def test_a_sweep_of_an_audit_that_is_refused_tells_each_user(manager: World) -> None:
    settled(manager, "crm", "wiki")
    Refusal("iam.ListAccessKeys", "AccessDenied")
    summary = run()
    assert (summary["errors"], summary["finished"]) == (2, True)
    assert [manager.record(name).status for name in ("crm", "wiki")] == ["active", "active"]


def test_a_failed_user_whose_key_leaked_is_reported(manager: World, log: io.StringIO) -> None:
    """Its state in IAM from before the failure keeps working."""
    settled(manager, "crm")
    quarantine(manager, "smtp-test-crm")
    manager.ask(a_user("crm", *(f"sender-{n}@example.com" for n in range(90))))
    manager.converge("crm")
    summary = run()
    assert manager.record("crm").status == "failed"
    assert (summary["checked"], summary["quarantined"]) == (0, 1)
    assert "manual action required" in log.getvalue()


def test_who_has_settled_seconds_ago_is_left_to_the_next_round(manager: World) -> None:
    """IAM may still return the old state: this is no drift."""
    manager.ask(a_user("crm"))
    manager.converge("crm")
    assert run()["checked"] == 0
    manager.pass_time(seconds=20)
    assert run()["checked"] == 1


def test_every_user_is_reported_as_it_was_checked(
    manager: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that is stopped has reported its work so far."""
    settled(manager, "aaa", "crm")
    for name in ("aaa", "crm"):
        edit_policy(manager, name)
    identities: Any = sweep.sweep().checks.converger.identities
    look = identities.audit

    def die_at_the_second(name: str) -> Any:
        if name == "crm":
            raise SystemExit
        return look(name)

    monkeypatch.setattr(identities, "audit", die_at_the_second)
    with pytest.raises(SystemExit):
        run()
    assert "its policy was changed" in log.getvalue()

"""The current state that every run of the sweep reports: trigger, SES account, failed and unmanaged users."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import deployed
from support.deployed import Refusal, lines, metrics
from support.ses import HEALTHY
from support.sweeping import run, settled
from support.world import ENV, MARK, TABLE, World, a_user, make_table

TAGS = [{"Key": "managed-by", "Value": "ses-smtp-reconciler"}]


def create_table_again(world: World, view: str = "NEW_AND_OLD_IMAGES") -> str:
    world.dynamodb.delete_table(TableName=TABLE)
    return make_table(world.dynamodb, view)


def test_every_number_is_counted_zeros_too(
    manager: World, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm on a missing metric never fires."""
    settled(manager, "crm")
    summary = run()
    expected = {
        "SweepChecked": 1,
        "SweepRepaired": 0,
        "SweepQuarantined": 0,
        "SweepOrphans": 0,
        "SweepOrphansRemoved": 0,
        "SweepOrphansHeld": 0,
        "SweepErrors": 0,
        "SweepFailed": 0,
        "SweepMissed": 0,
        "SweepUnmanaged": 0,
        "SweepTriggerBroken": 0,
        "SweepSesSandbox": 0,
        "SweepSesPaused": 0,
        "SweepSesReview": 0,
        "SweepRounds": 1,
    }
    assert metrics(capsys.readouterr().out) == expected
    (told,) = [line for line in lines(log) if line["message"] == "sweep finished"]
    assert {name: told[name] for name in summary} == summary


def test_a_disabled_mapping_is_reported(manager: World, log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    manager.gaps.mappings[0]["State"] = "Disabled"
    summary = run()
    assert (summary["trigger_broken"], summary["trigger_fault"]) == (1, "the event source mapping is disabled")
    assert (summary["errors"], summary["finished"]) == (0, True)
    assert metrics(capsys.readouterr().out)["SweepTriggerBroken"] == 1
    (told,) = [line for line in lines(log) if line["level"] == "ERROR"]
    assert told["message"] == "the stream does not trigger the credential manager"
    assert told["reason"] == "the event source mapping is disabled"


def test_a_missing_mapping_is_reported(manager: World) -> None:
    manager.gaps.mappings.clear()
    assert run()["trigger_fault"] == "no event source mapping invokes the credential manager for this table"


def test_a_replaced_stream_is_reported(manager: World) -> None:
    create_table_again(manager)
    assert run()["trigger_fault"].startswith("the stream of the table was replaced")


def test_a_keys_only_stream_is_reported(manager: World) -> None:
    manager.gaps.mappings[0]["EventSourceArn"] = create_table_again(manager, "KEYS_ONLY")
    summary = run()
    assert summary["trigger_broken"] == 1
    assert summary["trigger_fault"] == "the stream of the table contains KEYS_ONLY; it must contain NEW_AND_OLD_IMAGES"


def test_a_stream_that_is_off_is_reported(manager: World) -> None:
    create_table_again(manager, "")
    assert run()["trigger_fault"] == "the stream of the table is off"


def test_the_mappings_of_the_configured_function_are_read(manager: World) -> None:
    asked: list[dict[str, str]] = []
    deployed.hooks.append(
        ("before-call.lambda.ListEventSourceMappings", lambda params, **_: asked.append(params["query_string"]))
    )
    run()
    assert asked == [{"FunctionName": deployed.MANAGER_FUNCTION}]


@pytest.mark.parametrize(
    ("call", "check"),
    [
        ("dynamodb.DescribeTable", "trigger"),
        ("lambda.ListEventSourceMappings", "trigger"),
        ("sesv2.GetAccount", "SES in eu-central-1"),
    ],
)
def test_a_refused_check_is_an_error_and_fails_no_run(manager: World, log: io.StringIO, call: str, check: str) -> None:
    settled(manager, "crm")
    Refusal(call, "AccessDeniedException")
    summary = run()
    assert (summary["errors"], summary["trigger_broken"], summary["checked"]) == (1, 0, 1)
    assert summary["finished"] is True
    (told,) = [line for line in lines(log) if line["message"] == "check failed"]
    assert (told["level"], told["check"]) == ("WARNING", check)
    assert "AccessDeniedException" in told["reason"]


def test_an_unexpected_error_of_a_check_fails_no_run_and_its_text_is_not_logged(
    manager: World, log: io.StringIO
) -> None:
    manager.ses.account = {"ProductionAccessEnabled": True, "SendingEnabled": Broken("hunter2")}
    summary = run()
    assert (summary["errors"], summary["finished"]) == (1, True)
    (told,) = [line for line in lines(log) if line["message"] == "check failed"]
    assert told["reason"] == "TypeError"
    assert "hunter2" not in log.getvalue()


class Broken(str):
    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError(str(self))


@pytest.mark.parametrize(
    ("account", "counted"),
    [
        ({"ProductionAccessEnabled": False}, "ses_sandbox"),
        ({"SendingEnabled": False}, "ses_paused"),
        ({"EnforcementStatus": "SHUTDOWN"}, "ses_paused"),
        ({"EnforcementStatus": "PROBATION"}, "ses_review"),
    ],
)
def test_the_ses_account_of_each_region_is_reported(
    manager: World, monkeypatch: pytest.MonkeyPatch, account: dict[str, Any], counted: str
) -> None:
    monkeypatch.setenv("SMTP_REGIONS", "eu-central-1,eu-west-1")
    asked: list[str] = []
    deployed.hooks.append(("before-call.sesv2.GetAccount", lambda params, **_: asked.append(params["url"])))
    manager.ses.account = HEALTHY | account
    summary = run()
    numbers = {name: summary[name] for name in ("ses_sandbox", "ses_paused", "ses_review")}
    assert numbers == {"ses_sandbox": 0, "ses_paused": 0, "ses_review": 0, counted: 2}
    assert summary["names"] == {counted: ["eu-central-1", "eu-west-1"]}
    assert ["eu-central-1" in url for url in asked] == [True, False], "one call per region"


def test_one_region_that_cannot_be_read_hides_no_other(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_REGIONS", "eu-central-1,eu-west-1")
    manager.ses.account = HEALTHY | {"ProductionAccessEnabled": False}

    def refuse(params: dict[str, Any], model: Any, **_: Any) -> None:
        if "eu-central-1" in params["url"]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, model.name)

    deployed.hooks.append(("before-call.sesv2.GetAccount", refuse))
    summary = run()
    assert (summary["errors"], summary["names"]) == (1, {"ses_sandbox": ["eu-west-1"]})


def test_failed_records_are_counted_wherever_the_round_is(manager: World) -> None:
    manager.put_row("aaa", status="failed", allowed_from_addresses=["a@example.com"], managed_by=MARK)
    manager.put_row("bbb", status="active", allowed_from_addresses=["x@example.org"])
    manager.put_row("ccc", status="deleting", requested_at="2026-06-01T12:00:00Z")
    settled(manager, "wiki")
    for _ in range(2):
        run(get_remaining_time_in_millis=lambda: 1000)
    summary = run(get_remaining_time_in_millis=lambda: 1000)
    assert summary["failed"] == 2
    assert summary["names"] == {"failed": ["aaa", "bbb"]}


def test_what_fails_and_what_recovers_in_the_run_is_counted_as_it_is_afterwards(manager: World) -> None:
    settled(manager, "crm", "wiki")
    manager.revoke("wiki")
    manager.put_row("wiki", **{**(manager.row("wiki") or {}), "status": "failed"})
    manager.ask(a_user("crm", *(f"sender-{n}@example.com" for n in range(90))))  # no policy has room for them
    manager.pass_time(minutes=16)
    summary = run()
    assert [manager.record(name).status for name in ("crm", "wiki")] == ["failed", "disabled"]
    assert (summary["failed"], summary["names"]["failed"]) == (1, ["crm"])


def test_unmanaged_records_that_grant_something_are_counted(manager: World) -> None:
    granting = {"allowed_from_addresses": ["x@example.com"]}
    settled(manager, "managed")
    settled(manager, "unmanaged", "other-tool")
    for name, mark in (("unmanaged", ""), ("other-tool", "somebody")):
        manager.put_row(name, **{**(manager.row(name) or {}), "managed_by": mark})
    manager.put_row("asks-for-nothing", status="paused", **granting)
    manager.put_row("leaving", status="deleting", **granting)
    manager.put_row("disabled", status="disabled", enabled=False, **granting)
    manager.put_row("expired", status="disabled", expires="2026-05-01", **granting)
    manager.put_row("revoked", status="disabled", revoked=True, **granting)
    summary = run()
    assert (summary["unmanaged"], summary["names"]["unmanaged"]) == (2, ["other-tool", "unmanaged"])


def test_iam_users_under_our_path_without_our_tag_are_counted(manager: World) -> None:
    """One without a record is observed; one whose name belongs to no SMTP user cannot be managed."""
    settled(manager, "crm")
    for name, tags in (("smtp-test-shop", []), ("backup", TAGS), ("smtp-test-orphan", TAGS)):
        manager.iam.create_user(UserName=name, Path=f"/smtp/{ENV}/", Tags=tags)
    manager.iam.create_user(UserName="smtp-test-elsewhere", Path="/people/")
    summary = run()
    assert (summary["unmanaged"], summary["orphans"]) == (2, 1)
    assert summary["names"] == {"unmanaged": ["backup", "smtp-test-shop"]}
    assert manager.has_user("smtp-test-shop")


def test_the_records_are_queried_once_besides_the_round(manager: World) -> None:
    settled(manager, "crm")
    calls: list[str] = []
    deployed.hooks.append(("before-call.dynamodb.*", lambda model, **_: calls.append(model.name)))
    run()
    assert calls.count("Query") == 2

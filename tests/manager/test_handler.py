"""The Lambda handler of the credential manager: batches, partial failures, telemetry that may fail."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest

import aws_rules
from reconciler.core.smtp import smtp_password
from reconciler.manager.handlers import stream, telemetry
from support.deployed import CONTEXT, Refusal, lines
from support.events import event, handle
from support.letters import Letters
from support.world import ACCOUNT, ENV, REGION, World, a_user


def test_a_batch_is_processed_and_nothing_comes_back(manager: World) -> None:
    for name in ("crm", "wiki"):
        manager.ask(a_user(name))
    assert handle("crm", "wiki", "crm") == {"batchItemFailures": []}
    assert manager.users() == ["smtp-test-crm", "smtp-test-wiki"]


def test_a_terminal_error_ends_as_failed_with_a_reason_and_does_not_come_back(manager: World) -> None:
    """I8."""
    for name in ("crm", "wiki"):
        manager.ask(a_user(name))
    handle("crm", "wiki")
    manager.ask(a_user("crm", "crm@example.com"))
    manager.pass_time(minutes=5)
    Refusal("iam.PutUserPolicy", "AccessDenied", user="crm")
    assert handle("crm", "wiki") == {"batchItemFailures": []}
    row = manager.row("crm")
    assert row
    assert row["status"] == "failed"
    assert row["failure"]["code"] == "AccessDenied"
    assert "iam:PutUserPolicy" in row["failure"]["message"]
    assert row["failure"]["attempts"] == 1
    assert handle("crm") == {"batchItemFailures": []}


def test_a_key_whose_credential_cannot_be_encrypted_is_deleted_again(
    manager: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.ask(a_user("crm"))
    manager.kms.disable_key(KeyId=manager.kms.list_keys()["Keys"][0]["KeyId"])
    monkeypatch.setenv("KMS_KEY_ARN", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000")
    stream.user_events.cache_clear()
    handle("crm")
    row = manager.row("crm")
    assert row
    assert row["status"] == "failed"
    assert row["failure"]["code"] == "NotFoundException"
    assert manager.access_keys("crm") == {}


def test_only_the_key_of_an_event_counts(manager: World) -> None:
    """A late event contains an old image; the current record decides."""
    manager.ask(a_user("crm"))
    manager.ask(a_user("crm", enabled=False))
    old = {"NewImage": {"status": {"S": "pending"}, "enabled": {"BOOL": True}}}
    handle("crm", images=old)
    assert manager.access_keys("crm") == {}
    row = manager.row("crm")
    assert row
    assert row["status"] == "disabled"


def test_an_image_that_cannot_be_read_is_nobodys_trouble(manager: World) -> None:
    """I12: the value is used only in logs."""
    manager.ask(a_user("crm"))
    images = {"NewImage": {"correlation_id": {"unheard-of": "x"}}}
    assert handle("crm", images=images) == {"batchItemFailures": []}


def test_a_remove_event_tears_down(manager: World) -> None:
    manager.ask(a_user("crm"))
    handle("crm")
    manager.remove_row("crm")
    assert handle("crm", kind="REMOVE") == {"batchItemFailures": []}
    assert manager.users() == []


def test_a_remove_event_of_a_record_that_is_back_again_tears_nothing_down(manager: World) -> None:
    """I5: reordered or late."""
    manager.ask(a_user("crm"))
    handle("crm")
    handle("crm", kind="REMOVE")
    assert manager.users() == ["smtp-test-crm"]


@pytest.mark.parametrize(
    "keys",
    [
        {"PK": {"S": "ORDER"}, "SK": {"S": "USER#crm"}},
        {"PK": {"S": "SMTP_USER"}, "SK": {"S": "META"}},
        {"PK": {"S": "SMTP_USER"}, "SK": {"N": "5"}},
        {"id": {"S": "x"}},
        {},
    ],
)
def test_what_is_not_a_user_is_passed_over(manager: World, keys: dict[str, Any]) -> None:
    odd = event("crm")
    odd["Records"][0]["dynamodb"]["Keys"] = keys
    assert stream.handler(odd, CONTEXT) == {"batchItemFailures": []}


def test_telemetry_that_breaks_breaks_nothing_else(manager: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """I12."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("telemetry is down")

    for target, method in (
        (stream.telemetry.logger, "info"),
        (stream.telemetry.logger, "error"),
        (stream.telemetry.logger, "append_keys"),
        (stream.telemetry.metrics, "add_metric"),
        (stream.telemetry.metrics, "flush_metrics"),
        (telemetry.xray_recorder, "begin_subsegment"),
        (telemetry.xray_recorder, "put_annotation"),
        (telemetry.xray_recorder, "end_subsegment"),
    ):
        monkeypatch.setattr(target, method, broken)
    manager.ask(a_user("crm"))
    manager.put_row("bad", status="pending")
    assert handle("crm", "bad") == {"batchItemFailures": []}
    row = manager.row("crm")
    assert row
    assert row["status"] == "active"


def test_a_log_level_that_is_none_stops_nothing() -> None:
    """I12: the function still starts."""
    program = "import reconciler.manager.handlers.stream as s; print(s.telemetry.logger.log_level)"
    environ = {**os.environ, "POWERTOOLS_LOG_LEVEL": "verbose"}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "20"


def test_every_log_line_of_a_user_carries_its_correlation_id(
    manager: World, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.ask(a_user("crm"))
    handle("crm")
    manager.put_row("bad", status="pending", correlation_id="by-hand-1")
    handle("bad")
    told = {line["smtp_user"]: line for line in map(json.loads, log.getvalue().splitlines())}
    assert told["crm"]["correlation_id"] == "c0ffee-1"
    assert told["crm"]["steps"] == ["CreateUser", "PutPolicy", "IssueKey"]
    assert told["crm"]["function_request_id"] == CONTEXT.aws_request_id
    assert told["bad"]["correlation_id"] == "by-hand-1"
    assert told["bad"]["level"] == "ERROR"
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert counted[0]["UserActive"] == [1.0]
    assert counted[0]["environment"] == ENV


def test_no_secret_is_in_any_log_even_at_debug(
    manager: World, log: io.StringIO, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """I6."""
    with caplog.at_level(logging.DEBUG):
        for number, user in enumerate((a_user("crm"), a_user("crm", credential=2), a_user("crm", enabled=False))):
            manager.ask(user)
            handle("crm")
            assert len(aws_rules.secrets_seen) > number
        manager.ask_delete("crm")
        handle("crm")
    written = "".join(capsys.readouterr()) + caplog.text + log.getvalue()
    assert "smtp user converged" in written
    for secret in aws_rules.secrets_seen.values():
        assert secret not in written
        assert smtp_password(secret, REGION) not in written


def test_a_retry_and_a_removal_carry_the_correlation_id_too(letters: Letters, log: io.StringIO) -> None:
    manager = letters.world
    manager.ask(a_user("wiki"))
    handle("wiki")
    manager.remove_row("wiki")
    handle("wiki", kind="REMOVE", images={"OldImage": {"correlation_id": {"S": "c0ffee-1"}}})
    manager.ask(a_user("crm"))
    Refusal("iam.CreateUser", "Throttling", user="crm")
    handle("crm")
    assert [(line["smtp_user"], line["level"], line["correlation_id"]) for line in lines(log)] == [
        ("wiki", "INFO", "c0ffee-1"),
        ("wiki", "INFO", "c0ffee-1"),
        ("crm", "WARNING", "c0ffee-2"),
    ]

"""Dead letters: one user per message, retried with exponential backoff, and finally parked for an operator."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import aws_rules
from reconciler.core.smtp import smtp_password
from reconciler.manager.handlers.dead_letter import dead_letters, telemetry
from support.deployed import TRIES, Refusal, lines, metrics
from support.letters import Letters
from support.world import REGION, a_user

CRM = {"user": "crm"}
LAST = {"user": "crm", "tries": TRIES - 1}
FAILING = "ServiceFailure"


def status(letters: Letters, name: str) -> str:
    return letters.world.record(name).status


def test_a_user_is_reprocessed(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    letters.put(CRM)
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"
    assert letters.parked() == []


def test_a_letter_that_comes_late_or_twice_changes_nothing(letters: Letters) -> None:
    """I5."""
    letters.world.ask(a_user("crm"))
    letters.put(CRM, CRM)
    letters.invoke()
    keys = letters.world.access_keys("crm")
    letters.put(CRM)
    assert letters.invoke() == []
    assert letters.world.access_keys("crm") == keys


def test_a_letter_of_a_record_that_is_gone_tears_down(letters: Letters) -> None:
    """I4."""
    letters.world.ask(a_user("crm"))
    letters.world.converge("crm")
    letters.world.remove_row("crm")
    letters.put(CRM)
    assert letters.invoke() == []
    assert letters.world.users() == []


def tries_of(letters: Letters) -> list[int]:
    """The tries that the waiting messages count."""
    return [json.loads(body).get("tries", 0) for body in letters.waiting()]


def test_after_the_last_try_the_record_says_so_and_the_letter_is_parked(
    letters: Letters, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(CRM)
    for _ in range(TRIES - 1):
        assert letters.invoke() == []
        assert status(letters, "crm") == "pending"
    assert letters.invoke() == []
    assert letters.waiting() == []
    failure = letters.world.record("crm").failure
    assert failure
    assert status(letters, "crm") == "failed"
    assert (failure.code, failure.message) == (FAILING, "iam:CreateUser: Rate exceeded")
    assert (failure.at, failure.attempts, failure.during) == ("2026-06-01T12:00:00Z", TRIES, "pending")
    (body,) = letters.parked()
    assert json.loads(body) == {
        "user": "crm",
        "attempts": TRIES,
        "at": "2026-06-01T12:00:00Z",
        "code": FAILING,
        "reason": "iam:CreateUser: Rate exceeded",
        "correlation_id": "c0ffee-1",
    }
    assert metrics(capsys.readouterr().out)["DeadLetterParked"] == 1
    (told,) = [line for line in lines(log) if line["message"] == "dead letter parked"]
    assert (told["level"], told["smtp_user"], told["correlation_id"]) == ("ERROR", "crm", "c0ffee-1")
    assert told["attempts"] == TRIES


def test_what_was_parked_works_when_it_is_moved_back(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    refusal = Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(LAST)
    letters.invoke()
    (parked,) = letters.parked()
    refusal.end()
    letters.put(parked)
    assert letters.invoke() == []
    assert status(letters, "crm") == "failed", "it stays failed until an operator retries it"
    letters.world.retry("crm")
    letters.put(parked)
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"


def test_a_record_that_was_asked_for_anew_is_not_failed_for_an_old_letter(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The declaration changes during the last attempt."""
    letters.world.ask(a_user("crm"))
    refusal = Refusal("iam.CreateUser", FAILING, status=500)
    letters.put(LAST)
    parking: Any = dead_letters().parking
    park = parking.send

    def park_late(messages: Any) -> None:
        park(messages)
        letters.world.ask(a_user("crm", "new@example.com"))

    monkeypatch.setattr(parking, "send", park_late)
    assert letters.invoke() == []
    assert status(letters, "crm") == "pending"
    refusal.end()


def test_a_settled_record_stays_as_it_is_when_its_letter_is_parked(letters: Letters) -> None:
    """A user that works is not reported as failed."""
    letters.world.ask(a_user("crm", expires="2026-06-02"))
    letters.world.converge("crm")
    letters.world.pass_time(days=2)
    Refusal("iam.UpdateAccessKey", "AccessDenied")
    letters.put(LAST)
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"
    (parked,) = letters.parked()
    assert json.loads(parked)["code"] == "AccessDenied"


def test_a_teardown_without_a_record_that_cannot_be_done_is_parked(letters: Letters) -> None:
    """Nothing else would report it for a day."""
    letters.world.ask(a_user("crm"))
    letters.world.converge("crm")
    letters.world.remove_row("crm")
    Refusal("iam.DeleteUser", "AccessDenied")
    letters.put(CRM)
    for tries in range(1, TRIES):
        assert letters.invoke() == []
        assert tries_of(letters) == [tries]
    assert letters.invoke() == []
    (parked,) = letters.parked()
    assert (json.loads(parked)["user"], json.loads(parked)["code"]) == ("crm", "AccessDenied")


def test_a_defect_of_ours_is_parked_by_its_kind_alone(
    letters: Letters, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6, I8."""

    def broken(*_: Any, **__: Any) -> None:
        raise TypeError("hunter2")

    letters.world.ask(a_user("crm"))
    monkeypatch.setattr(type(dead_letters().converger), "converge", broken)
    letters.put(CRM)
    for tries in range(1, TRIES):
        assert letters.invoke() == []
        assert tries_of(letters) == [tries]
    assert letters.invoke() == []
    failure = letters.world.record("crm").failure
    assert failure
    assert (failure.code, failure.message) == ("InternalError", "TypeError")
    (parked,) = letters.parked()
    assert "TypeError" in parked
    assert "TypeError" in log.getvalue()
    assert "hunter2" not in parked + log.getvalue()


@pytest.mark.parametrize("code", ["RequestThrottled", "AccessDenied"])
def test_a_letter_that_cannot_be_parked_comes_back(letters: Letters, code: str) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    refusal = Refusal("sqs.SendMessageBatch", code)
    letters.put(LAST)
    assert letters.invoke() == [json.dumps(LAST)]
    assert status(letters, "crm") == "pending", "the record is failed only after the message is parked"
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert status(letters, "crm") == "failed"
    assert len(letters.parked()) == 1


def test_a_record_that_cannot_be_failed_keeps_its_letter(letters: Letters) -> None:
    letters.world.ask(a_user("crm"))
    Refusal("iam.CreateUser", FAILING, status=500)
    refusal = Refusal("dynamodb.UpdateItem", "ThrottlingException")
    letters.put(LAST)
    assert letters.invoke() == [json.dumps(LAST)]
    refusal.end()
    letters.show()
    assert letters.invoke() == []
    assert status(letters, "crm") == "failed"


def test_one_letter_that_fails_holds_up_no_other(letters: Letters) -> None:
    """I8."""
    for name in ("crm", "wiki", "shop"):
        letters.world.ask(a_user(name))
    Refusal("iam.CreateUser", FAILING, user="wiki", status=500)
    letters.put(CRM, {"user": "wiki"}, "no JSON", {"user": "shop"})
    assert letters.invoke() == []
    assert letters.users_waiting() == ["wiki"]
    assert [status(letters, name) for name in ("crm", "wiki", "shop")] == ["active", "pending", "active"]
    assert letters.parked() == ["no JSON"]


def test_every_line_of_a_letter_carries_the_correlation_id_and_no_secret(letters: Letters, log: io.StringIO) -> None:
    """I6."""
    letters.world.ask(a_user("crm"))
    refusal = Refusal("dynamodb.UpdateItem", "ThrottlingException")
    letters.put(CRM)
    letters.invoke()
    refusal.end()
    letters.invoke()
    told = [line for line in lines(log) if line.get("smtp_user") == "crm"]
    assert [line["message"] for line in told] == ["transient failure, will be retried", "smtp user converged"]
    assert {line["correlation_id"] for line in told} == {"c0ffee-1"}
    assert aws_rules.secrets_seen
    for secret in aws_rules.secrets_seen.values():
        assert secret not in log.getvalue()
        assert smtp_password(secret, REGION) not in log.getvalue()


def test_telemetry_that_breaks_loses_no_letter(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    """I12."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("telemetry is down")

    for target, method in (
        (telemetry.logger, "info"),
        (telemetry.logger, "error"),
        (telemetry.logger, "warning"),
        (telemetry.logger, "append_keys"),
        (telemetry.metrics, "add_metric"),
        (telemetry.metrics, "flush_metrics"),
    ):
        monkeypatch.setattr(target, method, broken)
    letters.world.ask(a_user("crm"))
    letters.put(CRM, "no JSON")
    assert letters.invoke() == []
    assert status(letters, "crm") == "active"
    assert letters.parked() == ["no JSON"]

"""What a trace contains of each record."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from aws_xray_sdk.core import xray_recorder

from reconciler.errors import AwsError
from reconciler.manager.handlers.telemetry import Telemetry


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Mock:
    recorder = Mock()
    for name in ("begin_subsegment", "put_annotation", "end_subsegment"):
        monkeypatch.setattr(xray_recorder, name, getattr(recorder, name))
    return recorder


def test_each_record_has_a_subsegment_with_its_environment(recorder: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "test")
    telemetry = Telemetry()
    with telemetry.traced():
        telemetry.retry("billing-mailer", AwsError("iam:CreateUser", "Throttling", "Rate exceeded"))
    assert [(name, *arguments) for name, arguments, _ in recorder.mock_calls] == [
        ("begin_subsegment", "converge"),
        ("put_annotation", "environment", "test"),
        ("put_annotation", "smtp_user", "billing-mailer"),
        ("put_annotation", "result", "retried"),
        ("end_subsegment",),
    ]


def test_a_trace_that_fails_stops_nothing(recorder: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """I12."""
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    recorder.end_subsegment.side_effect = RuntimeError
    done = []
    with Telemetry().traced():
        done.append("billing-mailer")
    assert done == ["billing-mailer"]

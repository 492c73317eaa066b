"""INIT of the functions: the clients are created with the module, and a failure is left to the first event."""

from __future__ import annotations

import importlib.util
import io
import json
from types import ModuleType

import pytest

from support import deployed
from support.deployed import CONTEXT, MANAGER_FUNCTION, lines
from support.events import event
from support.world import World, a_user

FUNCTIONS = {"stream": 5, "dead_letter": 6, "sweep": 6}


@pytest.fixture
def in_lambda(manager: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", MANAGER_FUNCTION)
    return manager


def load(function: str) -> ModuleType:
    """What Lambda does during INIT."""
    spec = importlib.util.find_spec(f"reconciler.manager.handlers.{function}")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(module: ModuleType, function: str) -> None:
    message = {
        "messageId": "1", "receiptHandle": "1", "body": json.dumps({"user": "crm"}), "attributes": {},
        "messageAttributes": {}, "eventSource": "aws:sqs",
    }  # fmt: skip
    events = {"stream": event("crm"), "dead_letter": {"Records": [message]}, "sweep": {}}
    module.handler(events[function], CONTEXT)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_first_event_creates_no_client(in_lambda: World, function: str) -> None:
    in_lambda.ask(a_user("crm"))
    in_lambda.pass_time(hours=1)
    module = load(function)
    created = len(deployed.clients)
    assert created == FUNCTIONS[function]
    run(module, function)
    assert len(deployed.clients) == created
    assert in_lambda.record("crm").status == "active"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_module_that_is_imported_elsewhere_creates_none(manager: World, function: str) -> None:
    load(function)
    assert deployed.clients == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_failure_during_init_names_its_reason_and_ends_with_its_cause(
    in_lambda: World, function: str, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    with monkeypatch.context() as broken:
        broken.delenv("KMS_KEY_ARN")
        module = load(function)
    (line,) = lines(log)
    assert (line["level"], line["reason"]) == ("ERROR", "environment variable 'KMS_KEY_ARN' is missing")
    run(module, function)
    assert len(deployed.clients) == FUNCTIONS[function]

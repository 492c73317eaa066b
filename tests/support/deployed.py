"""The functions as they are deployed: settings from their environment, their own clients."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import boto3
import boto3.session
import pytest
from botocore.exceptions import ClientError

from reconciler.core.ownership import iam_user_name
from reconciler.manager.handlers import adapters, dead_letter, stream, sweep
from reconciler.manager.settings import DeadLetterSettings, ManagerSettings, Settings, SweepSettings
from support.world import ACCOUNT, ENV, IAM_USER_TAGS, REGION, RULES, TABLE, World

TRIES = 3
BATCH_SIZE = 10
USERS_PER_RUN = 20
MAX_ORPHANS = 2

MANAGER_FUNCTION = "smtp-credential-manager-test"

CONTEXT: Any = SimpleNamespace(
    function_name=MANAGER_FUNCTION,
    memory_limit_in_mb=256,
    invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{MANAGER_FUNCTION}",
    aws_request_id="11111111-2222-3333-4444-555555555555",
    get_remaining_time_in_millis=lambda: 600_000,
)


def environ(world: World) -> dict[str, str]:
    common = Settings(
        environment=ENV,
        account_id=ACCOUNT,
        table=TABLE,
        key=world.kms.list_keys()["Keys"][0]["KeyArn"],
        boundary_arn=f"arn:aws:iam::{ACCOUNT}:policy/smtp-boundary-test",
        configuration_set="smtp-test",
        smtp_regions=(REGION,),
        allowed_domains=RULES.allowed_domains,
        allow_wildcards=True,
        iam_user_tags=IAM_USER_TAGS,
    )
    queues = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
    own = ManagerSettings(queue_url=f"{queues}/dead-letters")
    dead_letters = DeadLetterSettings(
        queue_url=own.queue_url,
        parking_url=f"{queues}/parked",
        tries=TRIES,
        table_arn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}",
        batch_size=BATCH_SIZE,
    )
    swept = SweepSettings(
        manager_function=MANAGER_FUNCTION,
        max_orphans=MAX_ORPHANS,
        max_orphan_percent=100,
        users_per_run=USERS_PER_RUN,
        wide_reads=True,
    )
    return common.to_environ() | own.to_environ() | dead_letters.to_environ() | swept.to_environ()


def forget() -> None:
    """The state that the functions keep between invocations."""
    for kept in (stream.user_events, dead_letter.dead_letters, sweep.sweep):
        kept.cache_clear()


def start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new execution environment of each function, with the world's clock."""
    for name, value in environ(world).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(adapters, "clock", lambda: world.now)
    session = Session()
    monkeypatch.setattr(boto3.session, "Session", lambda: session)
    forget()
    hooks.clear()
    clients.clear()


hooks: list[tuple[str, Any]] = []
clients: list[Any] = []


class Session(boto3.session.Session):
    """The boto3 session of the functions. Equal clients are one, and obey `Refusal`, whenever they are created."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def client(self, *arguments: Any, **options: Any) -> Any:  # type: ignore[override]
        config = options.get("config")
        key = repr((arguments, {**options, "config": config and config.__dict__}))
        if key not in self._made:
            made = self._made[key] = super().client(*arguments, **options)
            for event, hook in hooks:
                made.meta.events.register_first(event, hook)
            clients.append(made)
        return self._made[key]


class Refusal:
    """AWS returns an error for an operation, for one IAM user or for any request, until `end`."""

    def __init__(self, call: str, code: str, user: str = "", status: int = 400) -> None:
        """`call`: `iam.CreateUser`."""
        self._event, self._code, self._user, self._status = f"before-call.{call}", code, user, status
        hooks.append((self._event, self._refuse))
        for client in clients:
            client.meta.events.register_first(self._event, self._refuse)

    def _refuse(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._user and params["body"]["UserName"] != iam_user_name(ENV, self._user):
            return
        error: Any = {"Error": {"Code": self._code, "Message": "Rate exceeded"}}
        raise ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": self._status}}, model.name)

    def end(self) -> None:
        hooks.remove((self._event, self._refuse))
        for client in clients:
            client.meta.events.unregister(self._event, self._refuse)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def metrics(out: str) -> dict[str, float]:
    """The metrics, added up over all flushes."""
    found: dict[str, float] = {}
    for line in filter(lambda line: line.startswith('{"_aws"'), out.splitlines()):
        told = json.loads(line)
        for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            found[metric["Name"]] = found.get(metric["Name"], 0) + sum(told[metric["Name"]])
    return found

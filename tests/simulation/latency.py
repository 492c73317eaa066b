"""Rounds of the sweep and `reconcile drift` with many users and slow answers of IAM. Prints JSON.

python -m simulation.latency REPOSITORY USERS SECONDS

The code is real and uses its own threads. Clients answer from the models; each call takes its time on a simulated
clock, so that 5,000 users take seconds. What the code computes takes no time on that clock.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import boto3.session

from simulation.virtual_time import VirtualTime

TIME = VirtualTime()
time.sleep, time.monotonic = TIME.sleep, TIME.monotonic  # before the code is imported, which may keep them

from reconciler.pipeline.definition import load_pipeline  # noqa: E402
from reconciler.sandbox.function_variables import Resources, function_variables  # noqa: E402
from scripts.bench.dataset import commit  # noqa: E402
from scripts.bench.server import make_fleet  # noqa: E402
from simulation.kms import Kms  # noqa: E402
from simulation.trigger import Trigger  # noqa: E402
from simulation.world import KEY  # noqa: E402

OTHER_SECONDS = 0.01  # of a call to another service
MOST_RUNS = 20


class Session:
    """Replaces a boto3 session."""

    fleet: Any = None
    region_name = "eu-central-1"
    profile_name = "default"

    def __init__(self, **_: Any) -> None:
        pass

    def client(self, service: str, **_: Any) -> Any:
        client = self.fleet.client(service)
        client.meta = MagicMock()  # handlers of retries are registered there; no call is retried here
        return client

    def get_credentials(self) -> Any:
        frozen = SimpleNamespace(access_key="simulated", secret_key="simulated", token="")
        return SimpleNamespace(get_frozen_credentials=lambda: frozen)


class Sts:
    def __init__(self, account: str) -> None:
        self._account = account

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self._account, "Arn": f"arn:aws:iam::{self._account}:user/simulated"}


def use(fleet: Any, seconds: float) -> None:
    """From now on, boto3 reaches this account. `seconds`: of an IAM call."""
    account = fleet.environment.account_id
    trigger = SimpleNamespace(list_event_source_mappings=lambda **_: _mapping(fleet))
    fleet.models |= {"sts": Sts(account), "kms": Kms(KEY), "lambda": trigger}
    fleet.wire.before = lambda service, _: TIME.sleep(seconds if service == "iam" else OTHER_SECONDS)
    Session.fleet = fleet
    boto3.session.Session = Session  # type: ignore[assignment, misc]


def _mapping(fleet: Any) -> Any:
    return {"EventSourceMappings": [{"EventSourceArn": Trigger(fleet.table).source, "State": "Enabled"}]}


def sweep(fleet: Any) -> dict[str, Any]:
    """Runs until a round is complete, as the schedule invokes them."""
    name = fleet.environment.name
    pipeline = load_pipeline(name)
    used = Resources(KEY, fleet.boundary, "https://sqs.test/dead", "https://sqs.test/parked", fleet.table.arn)
    os.environ |= function_variables(fleet.environment, pipeline, used)["sweep"]
    from reconciler.manager.handlers.sweep import handler

    seconds, runs = 0.0, []
    while not runs or not (runs[-1]["finished"] or len(runs) == MOST_RUNS):
        began = TIME.monotonic()
        end = began + pipeline.functions["sweep"].timeout_seconds
        context: Any = SimpleNamespace(
            get_remaining_time_in_millis=lambda end=end: (end - TIME.monotonic()) * 1000,
            aws_request_id="5150", function_name="sweep", memory_limit_in_mb=256, invoked_function_arn="arn:simulated",
        )  # fmt: skip
        runs.append(handler({}, context))
        seconds += TIME.monotonic() - began
    stopped, errors = [run["stopped"] for run in runs], sum(run["errors"] for run in runs)
    return {"runs": len(runs), "stopped": stopped, "errors": errors, "seconds": seconds}


def drift(repository: Path) -> dict[str, Any]:
    from reconciler.cli.main import run

    began = TIME.monotonic()
    os.chdir(repository)
    code = run(["drift", "--env", "test", "--format", "json"])
    return {"code": code, "seconds": TIME.monotonic() - began}


def main(repository: str, users: str, seconds: str) -> None:
    folder, results = Path(repository), {}
    fleet = make_fleet(folder, int(users), commit(folder))
    use(fleet, float(seconds))
    for name, action in (("sweep", lambda: sweep(fleet)), ("drift", lambda: drift(folder))):
        fleet.wire.counts.clear()
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            result = action()
        calls = sum(count for call, count in fleet.wire.counts.items() if call.startswith("iam:"))
        results[name] = {**result, "iam_calls": calls, "calls": dict(fleet.wire.counts)}
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])

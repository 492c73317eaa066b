"""The scheduled sweep: see `reconciler.manager.sweep`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.aws.client import PATIENT
from reconciler.aws.sweep_state import DynamoSweepStates
from reconciler.manager.handlers.adapters import adapters
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.settings import SweepSettings
from reconciler.manager.sweep import Budget, Sweep, SweepResult

telemetry = Telemetry()


@cache
def sweep() -> Sweep:
    """One per execution environment."""
    made, own = adapters(PATIENT), SweepSettings.from_environ(os.environ)
    return Sweep(
        converger=made.converger(),
        records=made.records,
        identities=made.identities,
        states=DynamoSweepStates(boto3.session.Session().client("dynamodb", config=PATIENT), made.settings.table),
        budget=Budget(own.max_orphans, own.max_orphan_percent, own.users_per_run),
        now=made.now,
    )


def _report(result: SweepResult) -> dict[str, Any]:
    numbers = {
        "checked": result.checked,
        "repaired": result.repaired,
        "quarantined": result.quarantined,
        "orphans": result.orphans,
        "orphans_removed": result.orphans_removed,
        "orphans_held": result.orphans_held,
        "errors": result.errors,
    }
    fields: dict[str, Any] = {
        **numbers,
        "finished": result.finished,
        "stopped": result.stopped,
        "steps": dict(result.steps),
    }
    telemetry.log("sweep finished", **fields)
    telemetry.count(
        SweepRounds=result.finished,
        **{f"Sweep{''.join(word.capitalize() for word in name.split('_'))}": n for name, n in numbers.items()},
    )
    return fields


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point; the event is ignored. Returns what the log line of the run contains."""
    telemetry.begin(context)
    try:
        return _report(sweep().run(lambda: context.get_remaining_time_in_millis() / 1000, telemetry))
    finally:
        telemetry.flush()

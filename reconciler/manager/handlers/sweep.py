"""The sweep, on a schedule: see `reconciler.manager.sweep`."""

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
from reconciler.manager.sweep import Budget, Sweep, SweepResult

telemetry = Telemetry()


@cache
def sweep() -> Sweep:
    """One per execution environment."""
    made = adapters(PATIENT)
    return Sweep(
        converger=made.converger(),
        records=made.records,
        identities=made.identities,
        states=DynamoSweepStates(boto3.session.Session().client("dynamodb", config=PATIENT), made.settings.table),
        budget=Budget(
            orphans=int(os.environ["MAX_ORPHANS"]),
            orphan_percent=int(os.environ["MAX_ORPHAN_PERCENT"]),
            users=int(os.environ["SWEEP_USERS_PER_RUN"]),
        ),
        now=made.now,
    )


def _tell(summary: SweepResult) -> dict[str, Any]:
    numbers = {
        "checked": summary.checked,
        "repaired": summary.repaired,
        "quarantined": summary.quarantined,
        "orphans": summary.orphans,
        "orphans_removed": summary.orphans_removed,
        "orphans_held": summary.orphans_held,
        "errors": summary.errors,
    }
    told: dict[str, Any] = {
        **numbers,
        "finished": summary.finished,
        "stopped": summary.stopped,
        "steps": dict(summary.steps),
    }
    telemetry.say("sweep", **told)
    telemetry.count(
        SweepRounds=summary.finished,
        **{f"Sweep{''.join(word.capitalize() for word in name.split('_'))}": n for name, n in numbers.items()},
    )
    return told


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point; nothing in the event matters. Answers with what the summary line says."""
    telemetry.begin(context)
    try:
        return _tell(sweep().run(lambda: context.get_remaining_time_in_millis() / 1000, telemetry))
    finally:
        telemetry.flush()

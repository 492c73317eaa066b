"""The scheduled sweep: see `reconciler.manager.sweep`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from reconciler.aws.client import PATIENT, RETRIED
from reconciler.aws.iam_reader import IamReader
from reconciler.aws.ses import read_account
from reconciler.aws.sweep_state import DynamoSweepStates
from reconciler.aws.trigger import StreamTrigger
from reconciler.core.text import clip
from reconciler.manager.handlers.adapters import adapters, create_during_init
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.health import Health
from reconciler.manager.settings import SweepSettings
from reconciler.manager.sweep import Budget, Sweep
from reconciler.manager.sweep_result import SweepResult
from reconciler.manager.user_checks import UserChecks

MOST_NAMES = 20  # of each kind, in the log
LONGEST_NAME = 100  # characters; a record that was created manually may have any name

telemetry = Telemetry()


@cache
def sweep() -> Sweep:
    """One per execution environment."""
    made, own = adapters(PATIENT), SweepSettings.from_environ(os.environ)
    session, table = boto3.session.Session(), made.settings.table
    dynamodb = session.client("dynamodb", config=PATIENT)
    trigger = StreamTrigger(dynamodb, session.client("lambda", config=PATIENT), table, own.manager_function)
    accounts = {
        region: partial(read_account, session.client("sesv2", region_name=region, config=RETRIED), region)
        for region in made.settings.smtp_regions
    }
    return Sweep(
        checks=UserChecks(made.converger(), IamReader(made.identities, own.wide_reads), made.now),
        records=made.records,
        identities=made.identities,
        states=DynamoSweepStates(dynamodb, table),
        health=Health(trigger, accounts),
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
        "failed": len(result.failed),
        "missed": len(result.missed),
        "unmanaged": len(result.unmanaged),
        "trigger_broken": int(bool(result.trigger_fault)),
        "ses_sandbox": len(result.ses_sandbox),
        "ses_paused": len(result.ses_paused),
        "ses_review": len(result.ses_review),
    }
    names = {
        "failed": sorted(result.failed),
        "missed": result.missed,
        "unmanaged": result.unmanaged,
        "ses_sandbox": result.ses_sandbox,
        "ses_paused": result.ses_paused,
        "ses_review": result.ses_review,
    }
    fields: dict[str, Any] = {
        **numbers,
        "finished": result.finished,
        "stopped": result.stopped,
        "steps": dict(result.steps),
        "trigger_fault": result.trigger_fault,
        "names": {kind: _first(found) for kind, found in names.items() if found},
    }
    telemetry.log("sweep finished", **fields)
    telemetry.count(
        SweepRounds=result.finished,
        **{f"Sweep{''.join(word.capitalize() for word in name.split('_'))}": n for name, n in numbers.items()},
    )
    return fields


def _first(names: Iterable[str]) -> list[str]:
    return [clip(name, LONGEST_NAME) for name, _ in zip(names, range(MOST_NAMES), strict=False)]


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point; the event is ignored. Returns what the log line of the run contains."""
    telemetry.begin(context)
    try:
        return _report(sweep().run(lambda: context.get_remaining_time_in_millis() / 1000, telemetry))
    finally:
        telemetry.flush()


create_during_init(sweep, telemetry)

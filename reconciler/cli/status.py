"""Every user as it stands: text for people, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.core.record import Record
from reconciler.core.user import spec_fields
from reconciler.engine.session import connect_checked
from reconciler.errors import ReconcileError
from reconciler.manifests.environments import Environment
from reconciler.output.status import show_status
from reconciler.output.terminal import say


def status(environment: Environment, name: str, form: str, sandbox_folder: Path) -> None:
    store = connect_checked(environment, sandbox_folder).store()
    records = list(store.fetch([name]).values()) if name else list(store.records())
    if name and not records:
        raise ReconcileError(f"no SMTP user '{name}' in {environment.name}", "reconcile status lists them")
    if form == "json":
        say(json.dumps([_to_dict(record) for record in records], indent=2))
    elif not records:
        say(f"no SMTP users in {environment.name}")
    else:
        show_status(records, datetime.now(UTC))


def _to_dict(record: Record) -> dict[str, Any]:
    failure = record.failure
    return {
        "name": record.name,
        "status": record.status,
        **(spec_fields(record.user) if record.user else {"problems": list(record.problems)}),
        "managed_by": record.managed_by,
        "manifest": record.manifest,
        "revision": record.revision,
        "observed_revision": record.observed_revision,
        "commit": record.commit,
        "actor": record.actor,
        "correlation_id": record.correlation_id,
        "requested_at": record.requested_at,
        "settled_at": record.settled_at,
        "iam_user_arn": record.iam_user_arn,
        "smtp_username": record.smtp_username,
        "key_created_at": record.key_created_at,
        "previous_key": record.previous_key,
        "previous_key_retires_at": record.previous_key_retires_at,
        "previous_key_deletes_at": record.previous_key_deletes_at,
        "revoked": asdict(record.revoked) if record.revoked else None,
        "failure": asdict(failure) if failure else None,
    }

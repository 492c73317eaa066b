"""`reconcile status`: users with status, addresses and key age."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from reconciler.cli.lookup import find_record
from reconciler.cli.options import Target, format_option, optional_name_argument, target_options
from reconciler.core.record import Record, Status
from reconciler.core.user import spec_fields
from reconciler.engine.dns_report import read_accounts
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_OK
from reconciler.output.neutral import for_json
from reconciler.output.status import describe_origin, show_status
from reconciler.output.terminal import say, say_document, show, show_warnings
from reconciler.planning.selection import matching
from reconciler.planning.ses_account import account_warnings


@click.command()
@optional_name_argument
@target_options
@format_option("text", "json")
@click.option("--wide", is_flag=True, help="Also show owner, expiry and source networks.")
@click.option("--owner", metavar="ADDRESS", help="Only users of this owner.")
@click.option("--status", "state", type=click.Choice([*Status]), help="Only users in this status.")
@click.option("--address", metavar="ADDRESS", help="Only users that may send as this address.")
def status(
    target: Target, name: str, form: str, wide: bool, owner: str | None, state: str | None, address: str | None
) -> int:
    """List all users, or the one named: status, addresses, key age, reason of a failure."""
    environment = target.environment()
    connection = connect_checked(environment, target.sandbox)
    store = connection.store()
    records = [find_record(store, name, environment.name)] if name else list(store.records())
    selected = matching(records, owner, state, address)
    for account in read_accounts(connection):
        show_warnings(account_warnings(account))
    if form == "json":
        say_document(for_json([_to_dict(record) for record in selected]))
    elif not selected:
        say(f"no SMTP users in {environment.name}" + (" match" if records else ""))
    else:
        show_status(selected, datetime.now(UTC), wide)
        if name:
            show(describe_origin(selected[0]))
    return EXIT_OK


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
        "pull_request": record.pull_request,
        "approver": record.approver,
        "run": record.run,
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

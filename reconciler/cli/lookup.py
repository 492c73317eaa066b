"""Find the record of a user by name."""

from __future__ import annotations

from difflib import get_close_matches

from reconciler.aws.records import DynamoRecordWriter
from reconciler.core.record import Record
from reconciler.errors import ReconcileError


def find_record(store: DynamoRecordWriter, name: str, environment: str) -> Record:
    """Raises ReconcileError with the closest existing name."""
    if record := store.fetch([name]).get(name):
        return record
    near = get_close_matches(name, store.record_names(), 1, 0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"list all users: reconcile status --env {environment}"
    raise ReconcileError(f"no SMTP user '{name}' in {environment}", hint)

"""Which changes of a plan widen a permission: each with an attempt to send that only the new grant allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.core.record import Record, Status
from reconciler.core.user import User, spec_hash
from reconciler.planning.diff import Adopt, Change, Create, Delete
from reconciler.planning.permission_change import compare


def find_examples(changes: Iterable[Change], now: datetime) -> dict[str, str]:
    """The example by name, for users whose permission widens."""
    compared = {
        change.name: compare(_granted(change), change.declaration.user, now)
        for change in changes
        if not isinstance(change, Delete)
    }
    return {name: change.example for name, change in compared.items() if change.widens}


def _granted(change: Change) -> User | None:
    """What was granted through manifests, or by the tool that created the record; not what was written manually."""
    if isinstance(change, Create):
        return None
    record: Record = change.record
    if isinstance(change, Adopt):
        return record.user if record.status in (Status.ACTIVE, Status.DISABLED) else None
    written = record.user is not None and record.spec_hash != spec_hash(record.user)
    return None if record.is_being_deleted or written else record.user

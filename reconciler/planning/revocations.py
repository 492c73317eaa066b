"""A revocation outlives the record: neither a rename nor a new entry of the same name lifts it without `resume`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.record import Record, Revocation
from reconciler.core.user import User
from reconciler.planning.diff import Adopt, Create, Delete, Diff, Update
from reconciler.planning.evaluation import like
from reconciler.planning.limits import Refusal


def check_revoked(changes: Diff, remembered: Mapping[str, Revocation]) -> list[Refusal]:
    """Refuse to grant again what a revocation ended. `remembered`: revoked users that were deleted, by name."""
    added = [change for change in changes.changes if isinstance(change, Create | Adopt)]
    ended = [change.record for change in changes.changes if isinstance(change, Delete) and change.record.revoked]
    refusals = [_refuse_name(change.name, remembered[change.name]) for change in added if change.name in remembered]
    for record in ended:
        heirs = [change.name for change in added if _may_share_address(record.user, change.declaration.user)]
        refusals += [_refuse_heirs(record, heirs)] if heirs else []
    return refusals


def remembered_after(changes: Diff, remembered: Mapping[str, Revocation]) -> dict[str, Revocation]:
    """What to remember when these changes are applied: written before the first of them.

    A managed record that exists knows better: if it is not revoked, it was resumed.
    """
    revoked = {record.name for record in changes.revoked}
    kept = {name: told for name, told in remembered.items() if name in revoked or name not in _managed(changes)}
    return {**kept, **{record.name: record.revoked for record in _deleted(changes) if record.revoked}}


def resume_remembered(name: str, remembered: Mapping[str, Revocation]) -> dict[str, Revocation]:
    """What is remembered once an operator has resumed a name."""
    return {other: told for other, told in remembered.items() if other != name}


def _managed(changes: Diff) -> set[str]:
    updated = (change.name for change in changes.changes if isinstance(change, Update | Delete))
    return {*updated, *changes.unchanged, *changes.deleting}


def _deleted(changes: Diff) -> Iterator[Record]:
    """Also those whose deletion is in progress: their records are about to be removed."""
    yield from (change.record for change in changes.changes if isinstance(change, Delete))
    yield from (record for record in changes.revoked if record.name in changes.deleting)


def _may_share_address(old: User | None, new: User) -> bool:
    """An invalid record may have granted anything."""
    return old is None or any(
        like(one, other) or like(other, one)
        for one in old.allowed_from_addresses
        for other in new.allowed_from_addresses
    )


def _refuse_heirs(record: Record, heirs: Iterable[str]) -> Refusal:
    names = ", ".join(sorted(heirs))
    reason = f"{record.name} is revoked and would be deleted, but {names} may send as the same address"
    return reason, f"first run reconcile resume {record.name}, or do not add {names}"


def _refuse_name(name: str, revocation: Revocation) -> Refusal:
    by, why = revocation.actor or "an unknown actor", revocation.reason or "no reason given"
    return f"{name} was revoked by {by} ({why}) and then deleted; it stays revoked", f"reconcile resume {name}"

"""A revocation outlives the record: neither a rename nor a new entry of the same name lifts it without `resume`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.applied_state import RevokedUser
from reconciler.core.record import Record, Revocation
from reconciler.core.text import clip
from reconciler.core.user import User
from reconciler.planning.diff import Adopt, Create, Delete, Diff, Update
from reconciler.planning.evaluation import like
from reconciler.planning.limits import Refusal

LONGEST_REASON = 100  # characters that are remembered


def check_revoked(changes: Diff, remembered: Mapping[str, RevokedUser]) -> list[Refusal]:
    """Refuse to grant again what a revocation ended. `remembered`: revoked users that were deleted, by name.

    A user that is deleted in the same run has no heir at all. Otherwise only the same owner with the same addresses
    looks like a rename: many users may share an address.
    """
    added = [change for change in changes.changes if isinstance(change, Create | Adopt)]
    ended = [change.record for change in changes.changes if isinstance(change, Delete) and change.record.revoked]
    refusals = [_refuse_name(change.name, remembered[change.name]) for change in added if change.name in remembered]
    for record in ended:
        heirs = [change.name for change in added if _may_share_address(record.user, change.declaration.user)]
        refusals += [_refuse_heirs(record, heirs)] if heirs else []
    gone = {record.name for record in ended}
    others = {**remembered, **_remember(record for record in changes.revoked if record.name not in gone)}
    for name, revoked in others.items():
        same = [c.name for c in added if c.name != name and _is_same(revoked, c.declaration.user)]
        refusals += [_refuse_same(name, same)] if same else []
    return refusals


def remembered_after(changes: Diff, remembered: Mapping[str, RevokedUser]) -> dict[str, RevokedUser]:
    """What to remember when these changes are applied: written before the first of them.

    A managed record that exists knows better: if it is not revoked, it was resumed.
    """
    revoked = {record.name for record in changes.revoked}
    kept = {name: told for name, told in remembered.items() if name in revoked or name not in _managed(changes)}
    return {**kept, **_remember(_deleted(changes))}


def resume_remembered(name: str, remembered: Mapping[str, RevokedUser]) -> dict[str, RevokedUser]:
    """What is remembered once an operator has resumed a name."""
    return {other: told for other, told in remembered.items() if other != name}


def _remember(records: Iterable[Record]) -> dict[str, RevokedUser]:
    return {record.name: _revoked_user(record.revoked, record.user) for record in records if record.revoked}


def _revoked_user(by: Revocation, user: User | None) -> RevokedUser:
    told = clip(by.actor, 2 * LONGEST_REASON), clip(by.reason, LONGEST_REASON), clip(by.at)
    return RevokedUser(*told, user.owner, user.allowed_from_addresses) if user else RevokedUser(*told)


def _is_same(revoked: RevokedUser, user: User) -> bool:
    return bool(revoked.addresses) and (revoked.owner, revoked.addresses) == (user.owner, user.allowed_from_addresses)


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


def _refuse_same(name: str, same: Iterable[str]) -> Refusal:
    names = ", ".join(sorted(same))
    reason = f"{name} is revoked, but {names} would be the same user: the same owner with the same addresses"
    return reason, f"first run reconcile resume {name}, or do not add {names}"


def _refuse_name(name: str, revocation: RevokedUser) -> Refusal:
    by, why = revocation.actor or "an unknown actor", revocation.reason or "no reason given"
    return f"{name} was revoked by {by} ({why}) and then deleted; it stays revoked", f"reconcile resume {name}"

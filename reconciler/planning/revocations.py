"""A revocation outlives the record: neither a rename nor a new entry of the same name lifts it without `resume`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.applied_state import RevokedUser
from reconciler.core.record import Record, Revocation
from reconciler.core.text import clip
from reconciler.core.user import User
from reconciler.planning.diff import Adopt, Create, Delete, Diff, Update
from reconciler.planning.evaluation import like
from reconciler.planning.limits import Refusal

LONGEST_REASON = 100  # characters that are remembered


def check_revoked(changes: Diff, remembered: Mapping[str, RevokedUser]) -> list[Refusal]:
    """Refuse to grant again what a revocation ended. `remembered`: who was revoked at the last apply.

    A user that is deleted in the same run has no heir at all. Otherwise only the same owner with the same addresses
    looks like a rename: many users may share an address.
    """
    remembered = _still_revoked(changes, remembered)
    added = [change for change in changes.changes if isinstance(change, Create | Adopt)]
    ended = [change.record for change in changes.changes if isinstance(change, Delete) and change.record.revoked]
    refusals = [_refuse_name(change.name, remembered[change.name]) for change in added if change.name in remembered]
    for record in ended:
        heirs = [change.name for change in added if _may_share_address(record.user, change.declaration.user)]
        refusals += [_refuse_heirs(record, heirs)] if heirs else []
    others = {**remembered, **_remember(changes.revoked)}
    for name in sorted(others.keys() - {record.name for record in ended}):
        same = [c.name for c in added if c.name != name and _is_same(others[name], c.declaration.user)]
        refusals += [_refuse_same(name, same)] if same else []
    return refusals


def remembered_after(changes: Diff, remembered: Mapping[str, RevokedUser]) -> dict[str, RevokedUser]:
    """What to remember when these changes are applied: written before the first of them.

    Also users whose records exist: a record that is deleted manually says nothing any more.
    """
    unmanaged = {record.name for record in changes.unmanaged}
    found = _remember(record for record in changes.revoked if record.name not in unmanaged)
    return {**_still_revoked(changes, remembered), **found}


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


def _still_revoked(changes: Diff, remembered: Mapping[str, RevokedUser]) -> dict[str, RevokedUser]:
    """A managed record that exists knows better: if it is not revoked, it was resumed."""
    revoked, managed = {record.name for record in changes.revoked}, _managed(changes)
    return {name: told for name, told in remembered.items() if name in revoked or name not in managed}


def _managed(changes: Diff) -> set[str]:
    updated = (change.name for change in changes.changes if isinstance(change, Update | Delete))
    return {*updated, *changes.unchanged, *changes.deleting}


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

"""Renames: a user is deleted, and one that may send as the same addresses is created under another name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.planning.diff import Change, Create, Delete


@dataclass(frozen=True, slots=True)
class Rename:
    """There is no rename in IAM: the new user gets a new password, and the old one ends."""

    old: str
    new: str


def find_renames(changes: Iterable[Change]) -> tuple[Rename, ...]:
    """Sorted by the old name. Where more than one user of a plan could be meant, none is named."""
    deleted: dict[tuple[str, ...], list[str]] = defaultdict(list)
    created: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for change in changes:
        match change:
            case Delete(record, reasons) if record.user and not reasons:
                deleted[record.user.allowed_from_addresses].append(change.name)
            case Create(declaration):
                created[declaration.user.allowed_from_addresses].append(change.name)
    pairs = ((deleted[addresses], created[addresses]) for addresses in deleted.keys() & created.keys())
    return tuple(sorted((Rename(*old, *new) for old, new in pairs if len(old) == len(new) == 1), key=lambda r: r.old))

"""Renames: a user is deleted, and one that may send as the same addresses is created under another name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.user import User
from reconciler.planning.diff import Change, Create, Delete

MOST_COMPARED = 100  # of the users whose addresses differ: each is compared with each


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


def pair_renamed(deleted: Iterable[User], created: Iterable[User]) -> dict[str, str]:
    """The old name of each created user that replaces a deleted one. Where more than one could be meant: none.

    They have the same owner, and the same addresses, or all addresses of one are addresses of the other. With another
    owner, someone else gets a password: that is a new user, and a widening.
    """
    gone, new = [*deleted], [*created]
    pairs = _unique_pairs(_same_addresses(gone, new))
    gone = [user for user in gone if user.name not in pairs.values()]
    new = [user for user in new if user.name not in pairs]
    if max(len(gone), len(new)) > MOST_COMPARED:
        return pairs
    return pairs | _unique_pairs((old.name, user.name) for old in gone for user in new if _is_extended(old, user))


def _same_addresses(gone: Iterable[User], new: Iterable[User]) -> Iterator[tuple[str, str]]:
    known: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for old in gone:
        known[old.owner, old.allowed_from_addresses].append(old.name)
    for user in new:
        # Two are enough to see that the pair is not unique.
        yield from ((name, user.name) for name in known[user.owner, user.allowed_from_addresses][:2])


def _is_extended(old: User, new: User) -> bool:
    one, other = set(old.allowed_from_addresses), set(new.allowed_from_addresses)
    return bool(old.owner) and old.owner == new.owner and (one <= other or other <= one)


def _unique_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found = [*pairs]
    old, new = (Counter(pair[side] for pair in found) for side in (0, 1))
    return {pair[1]: pair[0] for pair in found if old[pair[0]] == new[pair[1]] == 1}

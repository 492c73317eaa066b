"""Reserved addresses: which users may be granted an address, or any address of a pattern. All others are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.core.user import User
from reconciler.planning.address_sets import intersect


@dataclass(frozen=True, slots=True)
class Reservation:
    """`address`: also a pattern such as `ceo*@example.com`. `users`: without any, no user may be granted it."""

    address: str
    users: frozenset[str]

    @property
    def holders(self) -> str:
        return ", ".join(sorted(self.users)) or "no user"


def find_reserved(user: User, reservations: Sequence[Reservation]) -> tuple[str, ...]:
    """The addresses reserved for others of which the user may send as a part."""
    found = (find_reservation(address, user.name, reservations) for address in user.allowed_from_addresses)
    return tuple(dict.fromkeys(one.address for one in found if one))


def find_reservation(address: str, name: str, reservations: Iterable[Reservation]) -> Reservation | None:
    """The first reservation for others of which the granted address has a part.

    Capital and small letters are the same here, unlike in IAM: a recipient takes CEO@example.com for ceo@example.com.
    """
    wanted = address.lower()
    overlapping = (one for one in reservations if intersect(one.address.lower(), wanted))
    return next((one for one in overlapping if name not in one.users), None)

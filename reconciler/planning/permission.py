"""What a user may do: send as some addresses, from some networks, until some moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.user import User


@dataclass(frozen=True, slots=True)
class Permission:
    """A set of attempts to send: addresses × networks × time from now on. Without addresses it is empty.

    `addresses`: patterns of `StringLike`. `networks`: none means from anywhere. `until`: the first moment at which
    sending ends, or None.
    """

    addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.addresses)

    @property
    def last_day(self) -> str:
        """The last day on which sending is possible, UTC; empty where it does not end."""
        return str((self.until - timedelta(days=1)).date()) if self.until else ""


NOTHING = Permission()


def permission_of(user: User | None, now: datetime) -> Permission:
    """Empty for a user that does not exist, is disabled or has expired. A revocation is not part of a declaration."""
    if user is None or not user.may_send(now):
        return NOTHING
    return Permission(user.allowed_from_addresses, user.allowed_source_ips, user.expires_at())

"""Select records by owner, status or the address that they may send as."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.address import normalize_address
from reconciler.core.record import Record
from reconciler.planning.evaluation import like


def matching(records: Iterable[Record], owner: str | None, status: str | None, address: str | None) -> list[Record]:
    """The records that meet every condition given. Upper and lower case make no difference in an owner.

    `address` selects the users whose policy allows it, including those with a wildcard that covers it.
    """
    return [
        record
        for record in records
        if (owner is None or _owner(record).lower() == owner.lower())
        and (status is None or record.status == status)
        and (address is None or _may_send_as(record, normalize_address(address)))
    ]


def _owner(record: Record) -> str:
    return record.user.owner if record.user else ""


def _may_send_as(record: Record, address: str) -> bool:
    return record.user is not None and any(like(pattern, address) for pattern in record.user.allowed_from_addresses)

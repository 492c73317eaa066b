"""An SMTP user as it is declared: what it may send as, from where and until when; and the limits of a declaration."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from sys import intern
from typing import Any

from reconciler.core.address import (
    MAX_ADDRESS,
    Fault,
    Rules,
    check_address,
    check_mailbox,
    check_network,
    check_networks,
    normalize_address,
    normalize_network,
)
from reconciler.core.text import quote

NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
NAME_HINT = "2 to 40 of a-z, 0-9 and '-', starting with a letter, for example billing-mailer"
MAX_DESCRIPTION = 200
DESCRIPTION = re.compile(r"[^\r\n]{1,200}")
DESCRIPTION_HINT = "one line of up to 200 characters"
OWNER = re.compile(r"[^@\s]+@[^@\s.]+\.[^@\s]+")  # what the schema can say; `check_owner` has the rules
MAX_OWNER = MAX_ADDRESS
OWNER_HINT = "an address of up to 254 characters"
DEFAULT_OVERLAP_DAYS = 7


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

Where = tuple[str | int, ...]  # a field, or a field and an index


@dataclass(frozen=True, slots=True)
class Limits:
    least: int
    most: int


CREDENTIAL = Limits(1, 1_000_000)
EVERY_DAYS = Limits(2, 3650)
OVERLAP_DAYS = Limits(1, 90)


@dataclass(frozen=True, slots=True)
class Rotation:
    every_days: int
    overlap_days: int = DEFAULT_OVERLAP_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One grant. Addresses and networks are normalized, sorted and unique."""

    name: str
    allowed_from_addresses: tuple[str, ...]
    description: str = ""
    owner: str = ""
    enabled: bool = True
    expires: date | None = None
    allowed_source_ips: tuple[str, ...] = ()
    credential: int = 1
    rotation: Rotation | None = None

    def expires_at(self) -> datetime | None:
        """The first moment at which sending ends: midnight UTC after the last valid day."""
        if self.expires is None:
            return None
        return datetime.combine(self.expires + timedelta(days=1), time(), UTC)

    def may_send(self, now: datetime) -> bool:
        end = self.expires_at()
        return self.enabled and (end is None or now < end)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A user, and where it is declared."""

    user: User
    manifest: str
    line: int


def make_user(fields: Mapping[str, Any]) -> User:
    """Normalize declared fields (types already checked) into a User."""
    rotation = fields.get("rotation")
    expires = fields.get("expires")
    return User(
        name=fields["name"],
        allowed_from_addresses=_tidy(map(normalize_address, fields["allowed_from_addresses"])),
        description=fields.get("description", ""),
        owner=intern(fields.get("owner", "")),  # many users have the same
        enabled=fields.get("enabled", True),
        expires=date.fromisoformat(expires) if expires else None,
        allowed_source_ips=_tidy(map(normalize_network, fields.get("allowed_source_ips", ()))),
        credential=int(fields.get("credential", 1)),
        rotation=Rotation(int(rotation["every_days"]), int(rotation.get("overlap_days", DEFAULT_OVERLAP_DAYS)))
        if rotation
        else None,
    )


def _tidy(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def spec_fields(user: User) -> dict[str, Any]:
    """The declaration as plain data, without optional fields that are not set. `make_user` reads it back."""
    fields: dict[str, Any] = {
        "description": user.description,
        "owner": user.owner,
        "allowed_from_addresses": list(user.allowed_from_addresses),
        "enabled": user.enabled,
        "credential": user.credential,
    }
    if user.expires:
        fields["expires"] = user.expires.isoformat()
    if user.allowed_source_ips:
        fields["allowed_source_ips"] = list(user.allowed_source_ips)
    if user.rotation:
        fields["rotation"] = {
            "every_days": user.rotation.every_days,
            "overlap_days": user.rotation.overlap_days,
        }
    return fields


@lru_cache(maxsize=64)
def spec_hash(user: User) -> str:
    """16 hex digits over the whole declaration: equal hashes mean equal declarations. Asked for repeatedly."""
    return hashlib.sha256(_CANONICAL.encode(spec_fields(user)).encode()).hexdigest()[:16]


def check_owner(text: str) -> Fault | None:
    if len(text) > MAX_OWNER:
        return Fault(f"'{quote(text)}' has {len(text)} characters", OWNER_HINT)
    return check_mailbox(text)


def check_lists(addresses: Sequence[object], networks: Sequence[object], rules: Rules) -> list[tuple[Where, Fault]]:
    """Every fault of the two lists with its position: (field, index), or the field. What is no text is left out."""
    found: list[tuple[Where, Fault]] = []
    seen: dict[str, int] = {}
    for index, address in enumerate(addresses):
        if not isinstance(address, str):
            continue
        fault = check_address(address, rules)
        if not fault and seen.setdefault(normalize_address(address), index) != index:
            fault = Fault(f"'{quote(address)}' is listed twice", "list each address once")
        if fault:
            found.append((("allowed_from_addresses", index), fault))
    valid = []
    for index, network in enumerate(networks):
        if not isinstance(network, str):
            continue
        if fault := check_network(network):
            found.append((("allowed_source_ips", index), fault))
        else:
            valid.append(network)
    if fault := check_networks(valid):
        found.append((("allowed_source_ips",), fault))
    return found


def check_rotation(every_days: int, overlap_days: int) -> Fault | None:
    """An IAM user can have two keys only, so an overlap must end before the next rotation."""
    if overlap_days >= every_days:
        return Fault(f"overlap_days ({overlap_days}) is not shorter than every_days ({every_days})", "shorten it")
    return None


def check_date(text: str) -> Fault | None:
    """A calendar day written YYYY-MM-DD; `date.fromisoformat` alone accepts more."""
    try:
        valid = len(text) == 10 and date.fromisoformat(text).isoformat() == text and "2000" <= text < "9999"
    except ValueError:
        valid = False
    return None if valid else Fault(f"'{quote(text)}' is not a date", "write YYYY-MM-DD, e.g. 2027-06-30")

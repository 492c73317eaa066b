"""Users of manifests that are invalid, or no longer valid: what a comparison begins from.

Such manifests were never applied. Whatever is invalid counts as not granted, so a permission is never larger than the
one that was written; a comparison then shows too many widenings and never too few.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from reconciler.core.address import Rules, check_address, check_network, check_networks
from reconciler.core.policy import QUOTA, Sending, build, measure
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, NAME, Declaration, User, check_date, make_user
from reconciler.manifests.files import Files
from reconciler.manifests.folder import list_manifests
from reconciler.manifests.yaml_source import read_source
from reconciler.planning.reserved import Reservation, find_reservation


def load_settings(path: Path, files: Files) -> dict[str, dict[str, Any]]:
    """The environments of a `reconcile.yaml` that may be invalid, as far as they can be read."""
    source = read_source(path, str(path), files)
    if source.problems or not isinstance(source.data, dict):
        return {}
    found = source.data.get("environments")
    return {name: fields for name, fields in _mapping(found).items() if isinstance(fields, dict)}


def load_leniently(users: Path, name: str, settings: dict[str, dict[str, Any]], files: Files) -> dict[str, Declaration]:
    paths, _ = list_manifests(users, name, settings.keys(), files)
    fields = settings.get(name, {})
    rules, reservations, sending = _rules(fields), _reservations(fields), _sending(fields)
    found = []
    for path in paths:
        source = read_source(path, path.as_posix(), files)
        entries = _list(_mapping(source.data).get("users")) if not source.problems else []
        for index, entry in enumerate(entries):
            user = _salvage(_mapping(entry), rules, reservations)
            if user and measure(build(user, sending)) <= QUOTA:
                found.append(Declaration(user, source.path, source.line(("users", index))))
    times = Counter(declaration.user.name for declaration in found)
    return {declaration.user.name: declaration for declaration in found if times[declaration.user.name] == 1}


def _rules(fields: dict[str, Any]) -> Rules:
    domains = frozenset(domain for domain in _list(fields.get("allowed_domains")) if isinstance(domain, str))
    return Rules(domains, fields.get("allow_wildcards") is True)


def _reservations(fields: dict[str, Any]) -> list[Reservation]:
    found = map(_mapping, _list(fields.get("reserved_addresses")))
    return [
        Reservation(_text(one.get("address")), frozenset(user for user in _list(one.get("users")) if _text(user)))
        for one in found
    ]


def _sending(fields: dict[str, Any]) -> Sending:
    regions = [region for region in _list(fields.get("smtp_regions")) if _text(region)]
    own = (_text(fields.get("region")),)
    return Sending(_text(fields.get("account_id")), (*regions,) or own, _text(fields.get("configuration_set")))


def _salvage(entry: dict[str, Any], rules: Rules, reservations: list[Reservation]) -> User | None:
    """The part of an entry that is valid; None where the permission cannot be known."""
    own = _text(entry.get("name"))
    given = [one for one in map(_text, _list(entry.get("allowed_from_addresses"))) if not check_address(one, rules)]
    fields = {
        "name": own,
        "allowed_from_addresses": [one for one in given if not find_reservation(one, own, reservations)],
        "allowed_source_ips": _networks(entry),
        "enabled": entry.get("enabled", True),
        "expires": entry.get("expires", ""),
        "credential": _whole(entry.get("credential"), 1),
        "rotation": _rotation(_mapping(entry.get("rotation"))),
        "description": _text(entry.get("description")),
        "owner": _text(entry.get("owner")),
    }
    expires = entry.get("expires")
    known = NAME.fullmatch(own) and fields["allowed_from_addresses"]
    known = known and fields["allowed_source_ips"] is not None and isinstance(fields["enabled"], bool)
    known = known and ("expires" not in entry or (isinstance(expires, str) and not check_date(expires)))
    return make_user(fields) if known else None


def _networks(entry: dict[str, Any]) -> list[str] | None:
    """Without any valid network, or with all of them, the entry would not be restricted at all: None."""
    if "allowed_source_ips" not in entry:
        return []
    valid = [one for one in _list(entry["allowed_source_ips"]) if isinstance(one, str) and not check_network(one)]
    return valid if valid and not check_networks(valid) else None


def _rotation(given: dict[str, Any]) -> dict[str, int] | None:
    every, overlap = _whole(given.get("every_days"), 0), _whole(given.get("overlap_days"), DEFAULT_OVERLAP_DAYS)
    return {"every_days": every, "overlap_days": overlap} if every > overlap else None


def _whole(value: Any, default: int) -> int:
    return value if type(value) is int else default


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""Manifests: all users that the YAML files of an environment declare, or all problems of those files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.core import policy
from reconciler.core.address import normalize_address
from reconciler.core.policy import Sending
from reconciler.core.text import clip, quote
from reconciler.core.user import (
    DEFAULT_OVERLAP_DAYS,
    MAX_OWNER,
    OWNER,
    Declaration,
    User,
    check_date,
    check_lists,
    check_owner,
    check_rotation,
    make_user,
)
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import Environment
from reconciler.manifests.files import DISK, Files
from reconciler.manifests.folder import list_manifests
from reconciler.manifests.schema import check_schema
from reconciler.manifests.yaml_source import Place, Source, read_source
from reconciler.planning.reserved import find_reservation

Names = dict[str, tuple[str, str, int]]  # where each was declared first, by the name in lower case: name, file, line


def load_manifests(users: Path, environment: Environment, files: Files = DISK) -> dict[str, Declaration]:
    """Read all of `<users>/<environment>/*.yaml`. Raises InvalidInput with all problems of files and folders.

    One file after the other: nothing of a file is kept but its users.
    """
    paths, problems = list_manifests(users, environment.name, environment.known, files)
    sending = environment.sending
    names: Names = {}
    declarations = {}
    for path in paths:
        source = read_source(path, path.as_posix(), files)
        problems += source.problems or check_schema(source, "users")
        for place, entry in _entries(source):
            faults = _check_entry(source, place, entry, environment)
            problems += [*_check_name(source, place, entry, names), *faults]
            if faults or (problems and not _is_measurable(entry)):
                continue
            user = make_user(_grant(entry) if problems else entry)
            problems += _check_size(source, place, user, sending)
            if not problems:
                declarations[user.name] = Declaration(user, source.path, source.line(place))
    if problems:
        raise InvalidInput(problems)
    return declarations


def _entries(source: Source) -> list[tuple[Place, dict[str, Any]]]:
    """The entries of a file that are mappings; the schema reports the others."""
    users = source.data.get("users") if isinstance(source.data, dict) and not source.problems else None
    if not isinstance(users, list):
        return []
    return [(("users", n), entry) for n, entry in enumerate(users) if isinstance(entry, dict)]


def _check_name(source: Source, place: Place, entry: dict[str, Any], names: Names) -> list[Problem]:
    """Names are unique in an environment, regardless of case, as in IAM."""
    if not isinstance(name := entry.get("name"), str):
        return []
    place = (*place, "name")
    own = (name, source.path, source.line(place))
    first_name, path, line = first = names.setdefault(name.lower(), own)
    if first is own:
        return []
    same = "is already declared" if name == first_name else f"differs only by case from '{clip(first_name)}'"
    message = f"the name '{clip(name)}' {same} (at {path}:{line})"
    return [source.problem(place, message, "names are unique in an environment")]


def _check_entry(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    """Rules that a schema cannot express. Values of a wrong type are reported by the schema."""
    addresses, networks = _list(entry, "allowed_from_addresses"), _list(entry, "allowed_source_ips")
    problems = [
        source.problem((*place, *where), fault.message, fault.hint)
        for where, fault in check_lists(addresses, networks, environment.rules)
    ]
    problems = problems or _check_reserved(source, place, entry, environment)
    owner, expires = entry.get("owner"), entry.get("expires")
    if isinstance(owner, str) and _fits_schema(owner) and (fault := check_owner(owner)):
        problems.append(source.problem((*place, "owner"), fault.message, fault.hint))
    if isinstance(expires, str) and (fault := check_date(expires)):
        problems.append(source.problem((*place, "expires"), fault.message, fault.hint))
    return [*problems, *_check_rotation(source, place, entry)]


def _check_reserved(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    """Of an entry with valid addresses. Also of a disabled user: it needs no other change to be enabled."""
    problems = []
    for index, address in enumerate(_list(entry, "allowed_from_addresses")):
        name = entry.get("name")
        if not isinstance(address, str) or not isinstance(name, str):
            continue
        if reservation := find_reservation(normalize_address(address), name, environment.reserved):
            message = f"'{quote(address)}' overlaps the reserved address '{quote(reservation.address)}'"
            hint = f"reserved_addresses in {environment.config}: for {clip(reservation.holders)} only"
            problems.append(source.problem((*place, "allowed_from_addresses", index), message, hint))
    return problems


def _check_rotation(source: Source, place: Place, entry: dict[str, Any]) -> list[Problem]:
    rotation = entry.get("rotation")
    if not isinstance(rotation, dict):
        return []
    every, overlap = rotation.get("every_days"), rotation.get("overlap_days", DEFAULT_OVERLAP_DAYS)
    if type(every) is not int or type(overlap) is not int or not (fault := check_rotation(every, overlap)):
        return []
    field = "overlap_days" if "overlap_days" in rotation else "every_days"
    return [source.problem((*place, "rotation", field), fault.message, fault.hint)]


def _list(entry: dict[str, Any], field: str) -> list[Any]:
    value = entry.get(field)
    return value if isinstance(value, list) else []


def _fits_schema(owner: str) -> bool:
    """Otherwise the schema has reported it."""
    return len(owner) <= MAX_OWNER and OWNER.fullmatch(owner) is not None


def _is_measurable(entry: dict[str, Any]) -> bool:
    """Are the fields that make the policy of their types?"""
    lists = [entry.get("allowed_from_addresses"), entry.get("allowed_source_ips", [])]
    texts = all(isinstance(values, list) and all(isinstance(value, str) for value in values) for values in lists)
    return texts and bool(lists[0]) and isinstance(entry.get("name"), str)


def _grant(entry: dict[str, Any]) -> dict[str, Any]:
    """The fields that make the policy, of an entry whose other fields may be missing or wrong."""
    expires = entry.get("expires")
    return {
        "name": entry["name"],
        "allowed_from_addresses": entry["allowed_from_addresses"],
        "allowed_source_ips": entry.get("allowed_source_ips", []),
        "expires": expires if isinstance(expires, str) else None,
    }


def _check_size(source: Source, place: Place, user: User, sending: Sending) -> list[Problem]:
    size = policy.measure(policy.build(user, sending))
    if size <= policy.QUOTA:
        return []
    message = f"the policy of '{clip(user.name)}' would have {size} characters; IAM allows {policy.QUOTA}"
    advice = policy.advise_split(user, sending)
    return [source.problem((*place, "allowed_from_addresses"), message, advice)]

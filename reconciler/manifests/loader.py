"""Manifests: all users that the YAML files of an environment declare, or all problems of those files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from reconciler.core import policy
from reconciler.core.text import clip
from reconciler.core.user import (
    DEFAULT_OVERLAP_DAYS,
    MAX_OWNER,
    OWNER,
    Declaration,
    check_date,
    check_lists,
    check_owner,
    check_rotation,
    make_user,
)
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import Environment
from reconciler.manifests.folder import list_manifests
from reconciler.manifests.schema import check_schema
from reconciler.manifests.yaml_source import Place, Source, read_source


def load_manifests(users: Path, environment: Environment) -> dict[str, Declaration]:
    """Read all of `<users>/<environment>/*.yaml`. Raises InvalidInput with all problems of files and folders."""
    files, problems = list_manifests(users, environment.name, environment.known)
    sources = [read_source(path, path.as_posix()) for path in files]
    declared: list[tuple[Source, Place, dict[str, Any]]] = []
    for source in sources:
        problems += source.problems or check_schema(source, "users")
        declared += [(source, place, entry) for place, entry in _entries(source)]
    problems += _check_names(declared)
    declarations = {}
    for source, place, entry in declared:
        found = _check_entry(source, place, entry, environment)
        problems += found
        if not found and not problems:
            user = make_user(entry)
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


def _check_names(declared: list[tuple[Source, Place, dict[str, Any]]]) -> list[Problem]:
    """Names are unique in an environment, regardless of case, as in IAM."""
    by_name: dict[str, list[tuple[Source, Place, str]]] = defaultdict(list)
    for source, place, entry in declared:
        if isinstance(name := entry.get("name"), str):
            by_name[name.lower()].append((source, (*place, "name"), name))
    problems = []
    for uses in by_name.values():
        first_source, first_place, first_name = uses[0]
        first = f"{first_source.path}:{first_source.line(first_place)}"
        for source, place, name in uses[1:]:
            same = "is already declared" if name == first_name else f"differs only by case from '{clip(first_name)}'"
            problems.append(
                source.problem(
                    place, f"the name '{clip(name)}' {same} (at {first})", "names are unique in an environment"
                )
            )
    return problems


def _check_entry(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    """Rules that a schema cannot express. Values of a wrong type are reported by the schema."""
    addresses, networks = _list(entry, "allowed_from_addresses"), _list(entry, "allowed_source_ips")
    problems = [
        source.problem((*place, *where), fault.message, fault.hint)
        for where, fault in check_lists(addresses, networks, environment.rules)
    ]
    owner, expires = entry.get("owner"), entry.get("expires")
    if isinstance(owner, str) and _fits_schema(owner) and (fault := check_owner(owner)):
        problems.append(source.problem((*place, "owner"), fault.message, fault.hint))
    if isinstance(expires, str) and (fault := check_date(expires)):
        problems.append(source.problem((*place, "expires"), fault.message, fault.hint))
    problems += _check_rotation(source, place, entry)
    if not problems and _is_measurable(entry):
        problems += _check_size(source, place, entry, environment)
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


def _check_size(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    expires = entry.get("expires")
    user = make_user(
        {
            "name": entry["name"],
            "allowed_from_addresses": entry["allowed_from_addresses"],
            "allowed_source_ips": entry.get("allowed_source_ips", []),
            "expires": expires if isinstance(expires, str) else None,
        }
    )
    size = policy.measure(policy.build(user, environment.sending))
    if size <= policy.QUOTA:
        return []
    message = f"the policy of '{clip(user.name)}' would have {size} characters; IAM allows {policy.QUOTA}"
    advice = policy.advise_split(user, environment.sending)
    return [source.problem((*place, "allowed_from_addresses"), message, advice)]

"""Manifests: all users that the YAML files of an environment declare, or all problems of those files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reconciler.core import policy
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, Declaration, check_date, check_lists, check_rotation, make_user
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import Environment
from reconciler.manifests.schema import check_schema
from reconciler.manifests.yaml_source import Place, Source, read_source

SUFFIXES = (".yaml", ".yml")


def load_manifests(users: Path, environment: Environment) -> dict[str, Declaration]:
    """Read all of `<users>/<environment>/*.yaml`. Raises InvalidInput with all problems of all files."""
    folder = users / environment.name
    problems: list[Problem] = []
    sources = [read_source(path, path.as_posix()) for path in _files(folder, problems)]
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


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    """The manifests of a folder. A file that looks like a manifest but would not be read is a problem."""
    shown = folder.as_posix()
    if not folder.is_dir():
        problems.append(Problem(shown, 0, 0, "the folder does not exist", f"create {shown}/ with a manifest"))
        return []
    files = []
    for path in sorted(folder.rglob("*")):
        if not _is_manifest(path, folder):
            continue
        if path.parent != folder:
            hint = f"move it to {shown}/{path.name}"
            problems.append(Problem(path.as_posix(), 0, 0, "manifests in subfolders are not read", hint))
        elif not path.is_file():
            problems.append(Problem(path.as_posix(), 0, 0, "not a regular file"))
        else:
            files.append(path)
    if not files and not problems:
        hint = "create <team>.yaml with a list of users"
        problems.append(Problem(shown, 0, 0, "the folder contains no manifest", hint))
    return files


def strays(users: Path, environments: Collection[str]) -> list[Problem]:
    """Manifests that belong to no environment: they would never be read."""
    hint = f"move it to {users.as_posix()}/<environment>/, one of: {', '.join(sorted(environments))}"
    return [
        Problem(path.as_posix(), 0, 0, "belongs to no environment", hint)
        for path in sorted(users.rglob("*"))
        if _is_manifest(path, users) and path.relative_to(users).parts[0] not in environments
    ]


def _is_manifest(path: Path, below: Path) -> bool:
    """By its suffix; files and folders that begin with a dot belong to other tools."""
    hidden = any(part.startswith(".") for part in path.relative_to(below).parts)
    return path.suffix.lower() in SUFFIXES and not hidden


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
            same = "is already declared" if name == first_name else f"differs only by case from '{first_name}'"
            problems.append(
                source.problem(place, f"the name '{name}' {same} (at {first})", "names are unique in an environment")
            )
    return problems


def _check_entry(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    """Rules that a schema cannot express. Values of a wrong type are reported by the schema."""
    addresses, networks = _texts(entry, "allowed_from_addresses"), _texts(entry, "allowed_source_ips")
    problems = [
        source.problem((*place, field, index), fault.message, fault.hint)
        for (field, index), fault in check_lists(addresses, networks, environment.rules)
    ]
    expires = entry.get("expires")
    if isinstance(expires, str) and (fault := check_date(expires)):
        problems.append(source.problem((*place, "expires"), fault.message, fault.hint))
    problems += _check_rotation(source, place, entry)
    if not problems and addresses and isinstance(entry.get("name"), str):
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


def _texts(entry: dict[str, Any], field: str) -> list[str]:
    values = entry.get(field)
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return values
    return []


def _check_size(source: Source, place: Place, entry: dict[str, Any], environment: Environment) -> list[Problem]:
    expires = entry.get("expires")
    user = make_user(
        {
            "name": entry["name"],
            "allowed_from_addresses": entry["allowed_from_addresses"],
            "allowed_source_ips": _texts(entry, "allowed_source_ips"),
            "expires": expires if isinstance(expires, str) else None,
        }
    )
    size = policy.measure(policy.build(user, environment.sending))
    if size <= policy.QUOTA:
        return []
    message = f"the policy of '{user.name}' would have {size} characters; IAM allows {policy.QUOTA}"
    advice = policy.advise_split(user, environment.sending)
    return [source.problem((*place, "allowed_from_addresses"), message, advice)]

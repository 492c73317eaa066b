"""What is in `users/`. Only `ENV/*.yaml` is read; links are never followed; everything else is reported.

A file that looks like a manifest but is not read would delete its users, and a link would show or apply a file from
elsewhere. Nothing is opened here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

from reconciler.core.text import hidden_character
from reconciler.errors import Problem
from reconciler.manifests.files import DISK, Files

SUFFIXES = (".yaml", ".yml")
GIT_FILES = frozenset({".gitattributes", ".gitmodules"})  # Git reads them in any folder
_KINDS: dict[int | None, str] = {
    stat.S_IFLNK: "a link; links are not followed",
    stat.S_IFIFO: "a pipe, not a regular file",
    stat.S_IFSOCK: "a socket, not a regular file",
    stat.S_IFCHR: "a device, not a regular file",
    stat.S_IFBLK: "a device, not a regular file",
}


def list_manifests(
    users: Path, name: str, environments: Collection[str], files: Files = DISK
) -> tuple[list[Path], list[Problem]]:
    """The manifests of an environment; and what is wrong with its folder and with what is directly in `users/`."""
    folder = users / name
    problems = _check_users(users, {*environments, name}, files)
    if files.kind(users) not in (None, stat.S_IFDIR) or files.kind(folder) not in (None, stat.S_IFDIR):
        return [], problems  # a link or a file in place of the folder is among them
    shown = folder.as_posix()
    if files.kind(folder) is None:
        problems.append(Problem(shown, 0, 0, "the folder does not exist", f"create {shown}/ with a manifest"))
        return [], problems
    manifests = []
    for path, kind in _entries(folder, problems, files):
        if fault := _check_file(path, kind):
            problems.append(_problem(path, *fault))
        else:
            manifests.append(path)
    if not manifests and not problems:
        hint = "create <team>.yaml with a list of users"
        problems.append(Problem(shown, 0, 0, "the folder contains no manifest", hint))
    return manifests, problems


def _check_users(users: Path, environments: Collection[str], files: Files) -> list[Problem]:
    """What is directly in `users/` and is not the folder of an environment."""
    problems: list[Problem] = []
    own_kind = files.kind(users)
    if own_kind not in (None, stat.S_IFDIR):
        return [_problem(users, f"is {_KINDS.get(own_kind, 'a file')}", "it must be a folder")]
    known = ", ".join(sorted(environments))
    for path, kind in _entries(users, problems, files) if own_kind else ():
        if path.name in environments:
            if kind != stat.S_IFDIR:
                problems.append(_problem(path, f"is {_KINDS.get(kind, 'a file')}", "it must be a folder"))
        elif kind in _KINDS:
            problems.append(_problem(path, f"is {_KINDS[kind]}", "remove it"))
        elif kind == stat.S_IFDIR:
            near = get_close_matches(path.name.lower(), environments, 1, 0.5)
            hint = f"did you mean {near[0]}/? " if near else ""
            problems.append(_problem(path, "belongs to no environment", f"{hint}environments: {known}"))
        elif _is_manifest(path):
            hint = f"move it to {users.as_posix()}/<environment>/, one of: {known}"
            problems.append(_problem(path, "belongs to no environment", hint))
        else:
            problems.append(
                _problem(path, "is not a manifest and is not read", "only README and dot-files may be here")
            )
    return problems


def _check_file(path: Path, kind: int) -> tuple[str, str] | None:
    """Why an entry in the folder of an environment is not read, and what to do; None for a manifest."""
    if kind == stat.S_IFDIR:
        return "sub-folders are not read", f"move its manifests to {path.parent.as_posix()}/"
    if kind in _KINDS:
        return f"is {_KINDS[kind]}", "replace it with a regular file"
    if _is_manifest(path):
        return None
    return "is not read: the name of a manifest ends in .yaml or .yml", _suggest(path)


def _suggest(path: Path) -> str:
    """`team.ymal`, `team.yaml.disabled` and `team.json` were probably meant as `team.yaml`."""
    name = path.name.lower()
    for suffix in SUFFIXES:
        if suffix in name and (stem := path.name[: name.index(suffix)]):
            return f"did you mean {stem}{suffix}?"
    if get_close_matches(path.suffix.lower(), (*SUFFIXES, ".json"), 1, 0.5) and path.stem:
        return f"did you mean {path.stem}.yaml?"
    return "rename it to <team>.yaml, or remove it"


def _entries(folder: Path, problems: list[Problem], files: Files) -> Iterator[tuple[Path, int]]:
    """Each entry with its type; not README, dot-files and names that cannot be shown, which become problems."""
    try:
        entries = files.entries(folder)
    except OSError as error:
        problems.append(_problem(folder, f"the folder cannot be read: {(error.strerror or 'unknown reason').lower()}"))
        return
    for name, kind in entries:
        path = folder / name
        if fault := _check_name(name):
            problems.append(_problem(path, fault, "rename it"))
        elif name in GIT_FILES:
            problems.append(_problem(path, "configures Git; nothing here is used as configuration", "remove it"))
        elif not name.startswith(".") and not (name.startswith("README") and _is_text(path, kind)):
            yield path, kind


def _is_text(path: Path, kind: int) -> bool:
    return kind != stat.S_IFDIR and not _is_manifest(path)


def _check_name(name: str) -> str:
    """A name is printed, and stored in records."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    hidden = hidden_character(name)
    return f"the name contains the character U+{ord(hidden):04X}" if hidden else ""


def _is_manifest(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _problem(path: Path, message: str, hint: str = "") -> Problem:
    """Bytes that are not UTF-8 are spelled out."""
    return Problem(os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace"), 0, 0, message, hint)

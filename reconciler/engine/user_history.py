"""The history of a user's entry in Git, followed backwards through renames and moves."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from reconciler.engine.git import GitError, find_checkout, find_commit, is_shallow
from reconciler.engine.git_log import Commit, Objects, list_files, merged_authors, read_log
from reconciler.errors import ReconcileError
from reconciler.manifests.entry_text import Entry, find_unchanged, read_entries
from reconciler.manifests.files import DISK
from reconciler.manifests.folder import SUFFIXES
from reconciler.planning.user_history import (
    HistoryEntry,
    Origin,
    UserHistory,
    Version,
    describe_step,
    find_pull_request,
)

_SHALLOW = "this is a shallow clone; for the older history, set fetch-depth: 0 or run git fetch --unshallow"


@dataclass(frozen=True, slots=True)
class Located:
    """An entry, the path of its file in the checkout, and the lines of that file."""

    path: str
    lines: list[str]
    entry: Entry

    @property
    def version(self) -> Version:
        return Version(self.entry.name, self.entry.user, self.path, self.entry.first + 1)


def read_history(config: Path, users: Path, environment: str, name: str) -> UserHistory:
    """Without entries if no commit and no file has such a user. Raises ReconcileError if Git cannot tell."""
    checkout = find_checkout(config)
    if checkout is None:
        raise ReconcileError("reconcile.yaml is not in a Git checkout", "run it in a clone of the repository")
    folder = Path(os.path.relpath((users / environment).absolute(), checkout.absolute())).as_posix()
    if folder.startswith("../"):
        raise ReconcileError(f"{users} is not in the checkout {checkout}", "run it in the clone that contains both")
    try:
        entries = tuple(filter(None, _Walk(checkout, folder, name).steps()))
        return UserHistory(environment, name, entries, _SHALLOW if is_shallow(checkout) else "")
    except GitError as error:
        raise ReconcileError(error.cause, error.fix) from None


class _Walk:
    def __init__(self, checkout: Path, folder: str, name: str) -> None:
        self.checkout = checkout
        self.folder = folder
        self.name = name
        self.objects = Objects(checkout)
        self.commits: list[Commit] = []

    def steps(self) -> Iterator[HistoryEntry | None]:
        """From the newest to the oldest. `found`: the entry as it was after the commit that is looked at."""
        current = self._in_working_tree()
        found = None
        if find_commit(self.checkout, "HEAD"):
            self.commits = read_log(self.checkout, self.folder)
            committed = list_files(self.checkout, self.folder)
            found = self._search(committed, self.name) or (
                current and self._renamed(current, committed, self._names_on_disk)
            )
        yield describe_step(_version(found), _version(current), datetime.now(UTC), Origin())
        for position, commit in enumerate(self.commits):
            older = self._before(position, found)
            if older is not found:
                step = describe_step(_version(older), _version(found), datetime.fromtimestamp(commit.at, UTC), Origin())
                yield step and replace(step, origin=self._origin(commit, step))
            found = older

    def _before(self, position: int, found: Located | None) -> Located | None:
        """The entry before a commit; `found` itself if the commit did not touch it."""
        changes = self.commits[position].changes
        before = {path: objects[0] for path, objects in changes.items() if objects[0]}
        if found is None:
            return self._search(before, self.name, self._all_before(position))
        if found.path not in changes:
            return found
        if found.path in before:
            raw = self.objects.get(before.pop(found.path), self._versions(found.path, position))
            lines = _lines(raw)
            if same := find_unchanged(found.entry, found.lines, lines):
                return Located(found.path, lines, same)
            entries = read_entries(raw)
            if entries is None:
                return found  # not valid YAML: nothing was applied
            if found.entry.name in entries:
                return Located(found.path, lines, entries[found.entry.name])
        if moved := self._search(before, found.entry.name):
            return moved
        before = {path: objects[0] for path, objects in changes.items() if objects[0]}
        after = {path: objects[1] for path, objects in changes.items() if objects[1]}
        return self._renamed(found, before, lambda: self._names(after))

    def _renamed(self, found: Located, before: dict[str, str], after: Callable[[], set[str]]) -> Located | None:
        """The one user that the same change removed and that could send as the same addresses.

        `after`: the names that the changed files have after it.
        """
        if (user := found.entry.user) is None:
            return None
        addresses = user.allowed_from_addresses
        local_parts = [address.partition("@")[0].encode() for address in addresses]
        candidates = [
            Located(path, _lines(raw), entry)
            for path, raw in self._contents(before)
            if all(part in raw for part in local_parts)
            for entry in (read_entries(raw) or {}).values()
            if entry.user and entry.user.allowed_from_addresses == addresses
        ]
        removed = [one for one in candidates if one.entry.name not in after()]
        return removed[0] if len(removed) == 1 else None

    def _names(self, files: dict[str, str]) -> set[str]:
        return {name for _, raw in self._contents(files) for name in read_entries(raw) or {}}

    def _search(self, files: dict[str, str], name: str, upcoming: Iterable[str] = ()) -> Located | None:
        mentioned = _Mention(name)
        for path, raw in self._contents(files, upcoming):
            if mentioned.is_in(raw) and (entry := (read_entries(raw) or {}).get(name)):
                return Located(path, _lines(raw), entry)
        return None

    def _contents(self, files: dict[str, str], upcoming: Iterable[str] = ()) -> Iterator[tuple[str, bytes]]:
        """Of the manifests among these files."""
        for path, name in files.items():
            if path.lower().endswith(SUFFIXES):
                yield path, self.objects.get(name, chain(files.values(), upcoming))

    def _versions(self, path: str, position: int) -> Iterator[str]:
        return (one.changes[path][0] for one in self.commits[position:] if path in one.changes)

    def _all_before(self, position: int) -> Iterator[str]:
        return (before for one in self.commits[position:] for before, _ in one.changes.values())

    def _origin(self, commit: Commit, step: HistoryEntry) -> Origin:
        authors: tuple[str, ...] = ()
        if len(commit.parents) > 1 and step.version:
            authors = merged_authors(self.checkout, commit, step.version.manifest)
        author = ", ".join(authors or (commit.author,))
        return Origin(commit.id, author, commit.committer, find_pull_request(commit.message))

    def _in_working_tree(self) -> Located | None:
        mentioned = _Mention(self.name)
        for path, raw in self._on_disk():
            if mentioned.is_in(raw) and (entry := (read_entries(raw) or {}).get(self.name)):
                return Located(path, _lines(raw), entry)
        return None

    def _names_on_disk(self) -> set[str]:
        return {name for _, raw in self._on_disk() for name in read_entries(raw) or {}}

    def _on_disk(self) -> Iterator[tuple[str, bytes]]:
        folder = self.checkout / self.folder
        if DISK.kind(folder) != stat.S_IFDIR:
            return
        for name, kind in DISK.entries(folder):
            if kind == stat.S_IFREG and name.lower().endswith(SUFFIXES):
                yield f"{self.folder}/{name}", DISK.read(folder / name)[0]


def _version(found: Located | None) -> Version | None:
    return found.version if found else None


def _lines(raw: bytes) -> list[str]:
    return raw.decode(errors="replace").split("\n")


class _Mention:
    """Does a text mention a name? Only then it is parsed. With an escape in a quoted text, it may."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._word = re.compile(rb"(?<![\w-])" + re.escape(self._name) + rb"(?![\w-])")

    def is_in(self, raw: bytes) -> bool:
        return b"\\" in raw or (self._name in raw and self._word.search(raw) is not None)

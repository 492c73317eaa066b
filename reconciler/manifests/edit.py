"""Drafts of manifests: a file with one entry added, changed or removed, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reconciler.core.text import hidden_character, quote
from reconciler.core.user import Declaration
from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.manifests import splice
from reconciler.manifests.entry_lines import entry_lines
from reconciler.manifests.environments import Environment
from reconciler.manifests.files import WithDraft
from reconciler.manifests.folder import SUFFIXES
from reconciler.manifests.loader import load_manifests

SCHEMA = Path("schema") / "users.schema.json"  # next to the folder of the manifests
_TEAM = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Draft:
    """`old`: the present content, or None for a new file. `line`: where the entry is, or was."""

    path: Path
    old: bytes | None
    new: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Manifests:
    """The valid manifests of an environment."""

    users: Path
    environment: Environment
    declared: Mapping[str, Declaration]

    @property
    def folder(self) -> Path:
        return self.users / self.environment.name

    def find(self, name: str) -> Declaration:
        if name in self.declared:
            return self.declared[name]
        near = get_close_matches(name, self.declared, 1, 0.6)
        hint = f"did you mean '{near[0]}'?" if near else f"look in {self.folder.as_posix()}/"
        raise ReconcileError(f"no user '{quote(name)}' is declared for {self.environment.name}", hint)

    def add(self, fields: dict[str, Any], file: str = "") -> Draft:
        """`fields`: as in a manifest. `file`: the name of the manifest; otherwise that of the owner's other users."""
        name = fields["name"]
        if found := self.declared.get(name.lower()):
            hint = f"see {found.manifest}:{found.line}, or choose another name"
            raise ReconcileError(f"'{found.user.name}' is already declared", hint)
        path = self._path(file) if file else self._file_of(fields["owner"])
        if path.exists():
            old = path.read_bytes()
            edited = splice.add(path.as_posix(), old, fields)
            draft = Draft(path, old, edited.content, edited.line)
        else:
            draft = self._start(path, fields)
        try:
            return self._check(draft)
        except InvalidInput as error:
            raise InvalidInput([_in_entry(problem, draft, len(fields)) for problem in error.problems]) from None

    def set(self, name: str, field: str, value: int | bool) -> Draft:
        path, old, index = _locate(self.find(name))
        edited = splice.set_field(path.as_posix(), old, index, field, value)
        return self._check(Draft(path, old, edited.content, edited.line))

    def remove(self, name: str) -> Draft:
        path, old, index = _locate(self.find(name))
        edited = splice.remove(path.as_posix(), old, index)
        return self._check(Draft(path, old, edited.content, edited.line))

    def _check(self, draft: Draft) -> Draft:
        """Raises InvalidInput as `reconcile validate` would after the change."""
        load_manifests(self.users, self.environment, WithDraft(draft.path, draft.new))
        return draft

    def _start(self, path: Path, fields: Mapping[str, Any]) -> Draft:
        lines = [*self._modeline(), "users:", *(f"  {line}" for line in entry_lines(fields, 2)), ""]
        return Draft(path, None, "\n".join(lines).encode(), len(lines) - len(fields))

    def _path(self, file: str) -> Path:
        path = Path(file)
        is_read = path.suffix in SUFFIXES and not path.name.startswith(".") and not hidden_character(file)
        if not is_read or path.parent not in (Path(), self.folder):
            message = f"'{quote(file)}' is not a manifest of {self.environment.name}"
            raise ReconcileError(message, f"pass the name of a file in {self.folder.as_posix()}/, such as team.yaml")
        return self.folder / path.name

    def _file_of(self, owner: str) -> Path:
        """The file with the owner's users; if there is none, the one that is named like the owner's mailbox."""
        files = sorted({each.manifest for each in self.declared.values() if each.user.owner.lower() == owner.lower()})
        if len(files) == 1:
            return Path(files[0])
        if files:
            message = f"the users of {quote(owner)} are in {len(files)} manifests"
            raise ReconcileError(message, f"choose one with --file: {', '.join(files)}")
        team = owner.lower().partition("@")[0]
        if not _TEAM.fullmatch(team):
            raise ReconcileError(f"no file can be named after '{quote(owner)}'", "name it: --file team.yaml")
        named = [self.folder / f"{team}{suffix}" for suffix in SUFFIXES]
        return next(filter(Path.exists, named), named[0])

    def _modeline(self) -> list[str]:
        exists = (self.users.absolute().parent / SCHEMA).is_file()
        return [f"# yaml-language-server: $schema=../../{SCHEMA.as_posix()}"] if exists else []


def open_manifests(users: Path, environment: Environment) -> Manifests:
    """Raises InvalidInput if they are invalid already. An environment may have no manifest yet."""
    folder = users / environment.name
    exist = any(path.suffix in SUFFIXES for path in folder.glob("*.y*"))
    return Manifests(users, environment, load_manifests(users, environment) if exist else {})


def _locate(declaration: Declaration) -> tuple[Path, bytes, int]:
    """Path and content of the manifest, and the index of the entry."""
    path = Path(declaration.manifest)
    content = path.read_bytes()
    users = splice.parse(declaration.manifest, content).data["users"]
    return path, content, next(n for n, entry in enumerate(users) if entry["name"] == declaration.user.name)


def _in_entry(problem: Problem, draft: Draft, lines: int) -> Problem:
    """The position in a text that is not written leads nowhere."""
    own = problem.path == draft.path.as_posix() and draft.line <= problem.line < draft.line + lines
    return replace(problem, path="the new entry", line=0, column=0) if own else problem

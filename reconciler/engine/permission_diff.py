"""Read two states of the manifests and compare their permissions. Reads only files and Git."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.core.text import count
from reconciler.engine.git import CONVERSIONS, find_checkout
from reconciler.engine.revision import Revision, find_unreadable, has_moved_on, read_commit, resolve_range
from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.manifests.environments import Environment, load_environments
from reconciler.manifests.files import DISK, Files
from reconciler.manifests.lenient import load_leniently, load_settings
from reconciler.manifests.loader import load_manifests
from reconciler.planning.permission_diff import Declarations, PermissionDiff, Side, compare_sides

Warnings = list[tuple[str, str]]
_ATTRIBUTES = f"remove {', '.join(CONVERSIONS)} for it from .gitattributes"
_MERGE = "merge it and compare again: a merge may restore a permission that was removed there"
_COUNTS_AS = "what is invalid there counts as not granted"


@dataclass(frozen=True, slots=True)
class Folder:
    """`env`: the only environment to compare, or '' for all."""

    config: Path
    users: Path
    env: str = ""

    def at(self, checkout: Path, revision: Revision) -> Files:
        return read_commit(checkout, revision.commit, self.config, self.users) if revision.commit else DISK

    def selected(self, names: Collection[str]) -> list[str]:
        return [name for name in names if self.env in ("", name)]


def diff_permissions(folder: Folder, revisions: str, now: datetime) -> PermissionDiff:
    """Raises InvalidInput if the newer state is invalid, and ReconcileError if one of them cannot be read."""
    checkout = find_checkout(folder.config)
    if checkout is None:
        raise ReconcileError(f"{folder.config} is not in a Git checkout", "run it in a clone of the repository")
    base, head = resolve_range(checkout, revisions)
    if reason := find_unreadable(checkout, head, folder.config, folder.users):
        raise ReconcileError(f"{reason}: what is reviewed would not be applied", _ATTRIBUTES)
    new = _read_head(folder, folder.at(checkout, head))
    if reason := find_unreadable(checkout, base, folder.config, folder.users):
        old, warnings = Side({}, {}), [(reason, "every environment counts as new")]
    else:
        old, warnings = _read_base(folder, base, folder.at(checkout, base))
    names = folder.selected([*new.settings, *(name for name in old.settings if name not in new.settings)])
    if folder.env and not names:
        known = ", ".join(new.settings)
        raise ReconcileError(f"no environment '{folder.env}' in {folder.config}", f"known environments: {known}")
    if has_moved_on(checkout, base, folder.config, folder.users):
        warnings.append((f"{base.branch} has newer changes of manifests or settings", _MERGE))
    environments = compare_sides(old, new, names, now)
    return PermissionDiff(base.label, base.commit, head.label, head.commit, environments, tuple(warnings))


def _read_head(folder: Folder, files: Files) -> Side:
    environments = load_environments(folder.config, files)
    users: dict[str, Declarations] = {}
    problems: set[Problem] = set()
    for name in folder.selected(environments):
        try:
            users[name] = load_manifests(folder.users, environments[name], files)
        except InvalidInput as error:
            problems.update(error.problems)
    if problems:
        raise InvalidInput([*problems])
    return Side(load_settings(folder.config, files), users)


def _read_base(folder: Folder, base: Revision, files: Files) -> tuple[Side, Warnings]:
    """The older state, also where it is invalid, or no longer valid under the rules of now."""
    if files.kind(folder.config) is None:
        return Side({}, {}), [(f"{folder.config} does not exist at {base}", "every environment counts as new")]
    warnings: Warnings = []
    environments: dict[str, Environment] = {}
    try:
        environments = load_environments(folder.config, files)
    except InvalidInput as error:
        warnings.append(_warn(f"{folder.config} is invalid at {base}", error))
    settings = load_settings(folder.config, files)
    users: dict[str, Declarations] = {}
    for name in folder.selected(settings):
        try:
            if name in environments:
                users[name] = load_manifests(folder.users, environments[name], files)
                continue
        except InvalidInput as error:
            warnings.append(_warn(f"the manifests of {name} are invalid at {base}", error))
        users[name] = load_leniently(folder.users, name, settings, files)
    return Side(settings, users), warnings


def _warn(what: str, error: InvalidInput) -> tuple[str, str]:
    return f"{what}: {count(len(error.problems), 'problem')}; the first: {error.problems[0]}", _COUNTS_AS

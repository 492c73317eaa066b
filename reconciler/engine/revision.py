"""Manifests at a commit: which commits a range means, and the files of a commit as `manifests` reads them.

Nothing is checked out: Git lists the tree and prints the files, which works in any clone that has the commit.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.text import quote
from reconciler.engine.git import (
    GitError,
    ask_bytes,
    find_commit,
    find_converted,
    find_refs,
    is_shallow,
    merge_base,
)
from reconciler.errors import ReconcileError
from reconciler.manifests.files import MAX_BYTES

# The branch that pull requests are merged into; the first one that exists counts. In full: Git prefers tags to
# branches, and anyone who may push can push a tag `main` or `origin/main`.
MAIN_BRANCHES = {
    "origin/HEAD": "refs/remotes/origin/HEAD",
    "origin/main": "refs/remotes/origin/main",
    "origin/master": "refs/remotes/origin/master",
    "main": "refs/heads/main",
    "master": "refs/heads/master",
}
MAX_TOTAL_BYTES = 100_000_000  # of all files that are read at a commit
_KINDS = {"040": stat.S_IFDIR, "100": stat.S_IFREG, "120": stat.S_IFLNK, "160": stat.S_IFDIR}  # 160: a submodule
MISSING = -1  # the size of an object that Git cannot read
_SHALLOW = "set fetch-depth: 0 in the workflow, or run git fetch --unshallow"


@dataclass(frozen=True, slots=True)
class Revision:
    """`label`: as the caller named it. Without a commit it is the working tree.

    `branch` and `tip`: of a merge base, the branch that has gone on since, and its newest commit.
    """

    label: str
    commit: str = ""
    branch: str = ""
    tip: str = ""

    def __str__(self) -> str:
        return f"{self.label} ({self.commit[:12]})" if self.commit else self.label


WORKING_TREE = Revision("the working tree")


def resolve_range(checkout: Path, text: str) -> tuple[Revision, Revision]:
    """`BASE` (to the working tree), `BASE..HEAD`, `BASE...HEAD` (from their merge base), or '' for the default.

    The default is what a pull request changes: from the merge base with the main branch to the working tree.
    Raises ReconcileError where this clone cannot say.
    """
    try:
        if not text:
            return _merge_base(checkout, _main_branch(checkout), _find(checkout, "HEAD")), WORKING_TREE
        if "..." in text:
            base, head = (_find(checkout, side or "HEAD") for side in text.split("...", 1))
            return _merge_base(checkout, base, head), head
        if ".." in text:
            base, head = (_find(checkout, side or "HEAD") for side in text.split("..", 1))
            return base, head
        return _find(checkout, text), WORKING_TREE
    except GitError as error:
        raise ReconcileError(error.cause, error.fix) from None


def _find(checkout: Path, name: str) -> Revision:
    if len(refs := find_refs(checkout, name)) > 1:
        raise ReconcileError(f"'{quote(name)}' is more than one of this clone", f"choose one: {', '.join(refs)}")
    if commit := find_commit(checkout, name):
        return Revision(name, commit)
    hint = _SHALLOW if is_shallow(checkout) else "fetch it, or name another commit or branch"
    raise ReconcileError(f"'{quote(name)}' is not a commit of this clone", hint)


def _main_branch(checkout: Path) -> Revision:
    for name, ref in MAIN_BRANCHES.items():
        if commit := find_commit(checkout, ref):
            return Revision(name, commit)
    hint = f"{_SHALLOW}; or name the base: reconcile diff BASE"
    raise ReconcileError(f"this clone has no main branch ({', '.join(MAIN_BRANCHES)})", hint)


def _merge_base(checkout: Path, one: Revision, other: Revision) -> Revision:
    if commit := merge_base(checkout, one.commit, other.commit):
        if commit == one.commit:
            return one
        return Revision(f"merge base with {one.label}", commit, one.label, one.commit)
    hint = _SHALLOW if is_shallow(checkout) else "name the base: reconcile diff BASE"
    raise ReconcileError(f"{one.label} and {other.label} have no common commit in this clone", hint)


@dataclass(slots=True)
class CommitFiles:
    """The files below some paths at a commit. Paths are those of the checkout. A submodule is a folder."""

    root: Path
    kinds: dict[str, int] = field(default_factory=dict)
    folders: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    objects: dict[str, tuple[str, int]] = field(default_factory=dict)  # of each regular file: its object and size
    contents: dict[str, bytes] = field(default_factory=dict)  # by object

    def kind(self, path: Path) -> int | None:
        return self.kinds.get(_key(self.root, path))

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        return sorted(self.folders.get(_key(self.root, folder), []))

    def read(self, path: Path) -> tuple[bytes, int]:
        key = _key(self.root, path)
        if key not in self.objects:
            code = errno.ELOOP if self.kinds.get(key) == stat.S_IFLNK else errno.ENOENT
            raise OSError(code, os.strerror(code))
        name, size = self.objects[key]
        return self.contents.get(name, b""), size


def read_commit(checkout: Path, commit: str, config: Path, users: Path) -> CommitFiles:
    """Reads `config`, and the files in the folders of `users`. Raises ReconcileError if Git cannot."""
    paths = [_key(checkout, path) for path in (config, users)]
    try:
        listed = ask_bytes(checkout, "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit, "--", *paths)
        found = _parse_tree(checkout, listed)
        wanted = (path for path in found.objects if path == paths[0] or path.count("/") == paths[1].count("/") + 2)
        _read_objects(checkout, found, {found.objects[path] for path in wanted})
    except GitError as error:
        raise ReconcileError(error.cause, error.fix) from None
    return found


def find_unreadable(checkout: Path, revision: Revision, config: Path, users: Path) -> str:
    """Why the text of a commit is not what is applied; '' if it is, and for the working tree."""
    paths = [_key(checkout, path) for path in (config, users)]
    try:
        found = find_converted(checkout, paths, revision.commit) if revision.commit else []
    except GitError as error:
        raise ReconcileError(error.cause, error.fix) from None
    return f"Git changes the text of {quote(found[0])} when it checks out {revision}" if found else ""


def has_moved_on(checkout: Path, base: Revision, config: Path, users: Path) -> bool:
    """Did the branch of a merge base change the manifests or the settings since?"""
    if not base.tip:
        return False
    paths = [_key(checkout, path) for path in (config, users)]
    try:
        return bool(ask_bytes(checkout, "diff-tree", "-r", "--name-only", "-z", base.commit, base.tip, "--", *paths))
    except GitError as error:
        raise ReconcileError(error.cause, error.fix) from None


def _parse_tree(checkout: Path, listed: bytes) -> CommitFiles:
    """https://git-scm.com/docs/git-ls-tree#_output_format"""
    found = CommitFiles(checkout)
    for line in listed.split(b"\0")[:-1]:
        about, _, raw_path = line.partition(b"\t")
        mode, _, name, size = about.decode().split()
        path = os.fsdecode(raw_path)
        kind = _KINDS[mode[:3]]
        parent, _, last = path.rpartition("/")
        found.kinds[path] = kind
        found.folders.setdefault(parent, []).append((last, kind))
        if kind == stat.S_IFREG:
            found.objects[path] = (name, int(size) if size.isdigit() else MISSING)
    return found


def _read_objects(checkout: Path, found: CommitFiles, wanted: set[tuple[str, int]]) -> None:
    """https://git-scm.com/docs/git-cat-file#_batch_output"""
    small = {name: size for name, size in wanted if size <= MAX_BYTES}  # a larger one is refused anyway
    if sum(small.values()) > MAX_TOTAL_BYTES:
        message = f"the manifests have {sum(small.values()) / 1e6:.0f} MB; {MAX_TOTAL_BYTES / 1e6:.0f} MB is the limit"
        raise ReconcileError(message, "compare commits with fewer manifests")
    given = "".join(f"{name}\n" for name in small).encode()
    printed = memoryview(ask_bytes(checkout, "cat-file", "--batch", given=given))
    at = 0
    for name, size in small.items():
        begin = at + len(f"{name} blob {size}\n")
        if bytes(printed[at:begin]) != f"{name} blob {size}\n".encode():
            raise ReconcileError("a file of the commit is missing in this clone", "run git fsck there")
        found.contents[name] = bytes(printed[begin : begin + size])
        at = begin + size + 1


def _key(root: Path, path: Path) -> str:
    """Relative to the checkout, as Git names it."""
    inside = os.path.relpath(path.absolute(), root.absolute())
    if inside == ".." or inside.startswith("../"):
        raise ReconcileError(f"{path} is not in the checkout {root}", "run it in the clone that contains both")
    return Path(inside).as_posix()

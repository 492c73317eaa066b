"""The commits of a checkout that changed some files, and the content of these files. All of it is hostile text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.record import LATEST
from reconciler.engine.git import GitError, ask_bytes
from reconciler.manifests.files import MAX_BYTES

BATCH = 200  # files that are read at once
_LATEST = int(LATEST.timestamp())
# What the user's own settings of `git log` would change.
_SETTINGS = ("-c", "log.diffMerges=separate", "-c", "log.follow=false", "-c", "log.showRoot=true")
_FIELDS = ("%H", "%P", "%an", "%at", "%cn", "%ct", "%B")


@dataclass(frozen=True, slots=True)
class Commit:
    """`at`: when it was committed, in seconds. `changes`: the object of each changed file before and after."""

    id: str
    parents: tuple[str, ...]
    author: str
    committer: str
    at: int
    message: str
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)


def read_log(checkout: Path, folder: str) -> list[Commit]:
    """What changed the files of a folder, newest first, as it arrived on the current branch.

    A merge counts as one change, with what it changed on this branch: `git log --first-parent`.
    """
    words = ("--first-parent", "-m", "--raw", "--no-renames", "--no-abbrev", "--no-mailmap", "--no-show-signature")
    form = f"--format=tformat:{'%x00'.join(_FIELDS)}"
    printed = ask_bytes(checkout, *_SETTINGS, "log", *words, "-z", form, "--end-of-options", "HEAD", "--", folder)
    return [*_parse(iter(printed.split(b"\0")))]


def _parse(words: Iterator[bytes]) -> Iterator[Commit]:
    """The fields of a commit, then for each file `:modes objects status` and its path."""
    first = next(words, b"")
    while first.strip():
        name, parents, author, _, committer, at, message = (_text(word) for word in (first, *_take(words, 6)))
        found = Commit(name.strip(), tuple(parents.split()), author, committer, _seconds(at), message)
        first = next(words, b"")
        while first.lstrip(b"\n").startswith(b":"):
            _, _, before, after, _ = _text(first).lstrip("\n").split(" ")
            path = os.fsdecode(next(words))
            found.changes[path] = (_object(before), _object(after))
            first = next(words, b"")
        yield found


def _object(name: str) -> str:
    """Git writes zeros where there is no file."""
    return name if name.strip("0") else ""


def _seconds(text: str) -> int:
    """Whoever makes a commit writes its time: any number."""
    return min(int(text[:20]), _LATEST) if text.isascii() and text.isdigit() else 0


def _take(words: Iterator[bytes], count: int) -> list[bytes]:
    return [next(words) for _ in range(count)]


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


def merged_authors(checkout: Path, commit: Commit, path: str) -> tuple[str, ...]:
    """Who wrote the commits that a merge brought to this branch, as far as they changed the file."""
    words = ("--no-mailmap", "--no-show-signature", "--format=tformat:%an", "-z", "--end-of-options")
    printed = ask_bytes(checkout, "log", *words, f"{commit.parents[0]}..{commit.id}^2", "--", path)
    return tuple(sorted({_text(name) for name in printed.split(b"\0") if name}))


def list_files(checkout: Path, folder: str) -> dict[str, str]:
    """The files that are directly in a folder at HEAD, each with its object."""
    printed = ask_bytes(checkout, "ls-tree", "-z", "--full-tree", "HEAD", "--", f"{folder}/")
    found = {}
    for line in printed.split(b"\0")[:-1]:
        about, _, path = line.partition(b"\t")
        mode, _, name = _text(about).split(" ")
        if mode.startswith("100"):
            found[os.fsdecode(path)] = name
    return found


class Objects:
    """Contents of files by the names of their objects, read in batches: one process for each batch."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._known: dict[str, bytes] = {}

    def get(self, name: str, upcoming: Iterable[str]) -> bytes:
        """`upcoming`: what is probably needed next, with `name` or without. A file above MAX_BYTES is empty."""
        if name not in self._known:
            wanted = dict.fromkeys([name])
            for each in upcoming:
                if len(wanted) >= BATCH:
                    break
                wanted[each] = None
            self._known = self._read([each for each in wanted if each])
        return self._known[name]

    def _read(self, names: list[str]) -> dict[str, bytes]:
        """https://git-scm.com/docs/git-cat-file#_batch_output"""
        printed = ask_bytes(
            self._checkout, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode()
        )
        found, position = {}, 0
        for name in names:
            end = printed.index(b"\n", position)
            header = printed[position:end].split(b" ")
            if header[-1] == b"missing":
                raise GitError("a file of the history is not in this partial clone", "fetch the whole history")
            size = int(header[2])
            found[name] = printed[end + 1 : end + 1 + size] if size <= MAX_BYTES else b""
            position = end + 1 + size + 1
        return found

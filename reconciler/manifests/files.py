"""Where manifests are read from: the disk, or a commit (`engine.revision`). Links are never followed."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MAX_BYTES = 1_000_000  # of one file


class Contents(Protocol):
    """Errors are OSError, as of the disk."""

    def read(self, path: Path) -> tuple[bytes, int]:
        """The content of a regular file, of which the end may be missing above MAX_BYTES, and its size."""


class Files(Contents, Protocol):
    def kind(self, path: Path) -> int | None:
        """The type of a file as `stat.S_IFMT` gives it; None if there is no such file."""

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        """The name and type of each entry, sorted."""


class Disk:
    def kind(self, path: Path) -> int | None:
        try:
            return stat.S_IFMT(path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        with os.scandir(folder) as found:
            return sorted((entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)) for entry in found)

    def read(self, path: Path) -> tuple[bytes, int]:
        """Waits for no pipe."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                raw = file.read(MAX_BYTES + 1)
            return raw, max(found.st_size, len(raw))
        finally:
            os.close(descriptor)


DISK = Disk()


@dataclass(frozen=True, slots=True)
class WithDraft:
    """The disk with one file that is about to be written, perhaps in a new folder."""

    path: Path
    content: bytes

    def kind(self, path: Path) -> int | None:
        found = DISK.kind(path)
        if found is not None:
            return found
        return {self.path: stat.S_IFREG, self.path.parent: stat.S_IFDIR}.get(path)

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        found = DISK.entries(folder) if DISK.kind(folder) else []
        new = folder == self.path.parent and not DISK.kind(self.path)
        return sorted([*found, (self.path.name, stat.S_IFREG)]) if new else found

    def read(self, path: Path) -> tuple[bytes, int]:
        return (self.content, len(self.content)) if path == self.path else DISK.read(path)

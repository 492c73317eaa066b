"""Write a manifest completely or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.errors import ReconcileError


def write_manifest(path: Path, old: bytes | None, new: bytes) -> None:
    """Replace `old`, or create the file where it is None, with its folder. The mode of a file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # a dot-file is never read as a manifest
    try:
        with partial.open("xb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        if old is not None:
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        if (path.read_bytes() if path.exists() else None) != old:
            raise ReconcileError(f"{path.as_posix()} was changed by another program in the meantime", "run it again")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

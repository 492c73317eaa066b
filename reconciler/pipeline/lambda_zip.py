"""Build the Lambda zip: this project's second half and what `reconciler/pipeline/lambda.txt` pins.

Same input, same bytes, on every machine: entries are sorted, dated 1980 and stored uncompressed (compressors differ
from machine to machine), and only pure-Python wheels are taken, so one zip fits every architecture.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import ReconcileError

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
LOCK = Path(__file__).with_name("lambda.txt")
BUILD = ROOT / "build"
ZIP = BUILD / "lambda.zip"

# The zip holds the second half only: nothing that imports click, jsonschema or PyYAML.
MODULES = ("__init__.py", "errors.py", "ports.py", "manager", "aws", "core")
# Left out: what pip notes for itself, sources of extensions, and Powertools' web framework (half of its size).
DROPPED = frozenset({"__pycache__", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "bin", "event_handler"})
DROPPED_SUFFIXES = frozenset({".pyc", ".pyi", ".c", ".h"})
EPOCH = (1980, 1, 1, 0, 0, 0)


def build_zip(target: Path = ZIP) -> Path:
    """Write the zip and return its path. The dependencies are fetched once for each state of the lock."""
    dependencies = _dependencies()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")  # others may build the same at the same time
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted([*_own_files(), *_files_below(dependencies, dependencies)]):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, path.read_bytes())
    partial.replace(target)
    return target


def _own_files() -> Iterator[tuple[str, Path]]:
    package = ROOT / "reconciler"
    for module in MODULES:
        path = package / module
        yield from [(f"reconciler/{module}", path)] if path.is_file() else _files_below(path, ROOT)


def _files_below(folder: Path, base: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        name = path.relative_to(base)
        if path.is_file() and path.suffix not in DROPPED_SUFFIXES and not DROPPED.intersection(name.parts):
            yield name.as_posix(), path


def _dependencies() -> Path:
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = BUILD / f"lambda-dependencies-{digest}"
    if folder.is_dir():
        return folder
    partial = folder.with_suffix(f".{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
        "--require-hashes", "--no-deps", "--only-binary=:all:", "--platform=any", "--abi=none",
        "--implementation=py", "--target", str(partial), "--requirement", str(LOCK),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "pip failed")
        raise ReconcileError(f"the zip's dependencies could not be installed: {reason}", f"see {LOCK.name}")
    try:
        partial.rename(folder)
    except OSError:  # another one was faster: same lock, same files
        shutil.rmtree(partial)
    return folder


def main() -> None:
    path = build_zip()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.1f} MB  sha256 {digest}")


if __name__ == "__main__":
    main()

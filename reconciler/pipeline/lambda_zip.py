"""Build the Lambda zip: what the handlers of `pipeline.yaml` import, and the dependencies that `lambda.txt` pins.

The same input gives the same bytes on every machine: entries are sorted, dated 1980 and stored uncompressed
(compressors differ), and the lock contains hashes of pure-Python wheels only, so that one zip fits every architecture.
Compiled modules are left out: they depend on the minor version of the builder's Python, and the runtime ignores those
of any other version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from reconciler.errors import ReconcileError
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.imports import import_closure

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent  # of a checkout
LOCK = Path(__file__).with_name("lambda.txt")

# Left out: notes of the installer, sources of extensions, and the web framework of Powertools (half of its size).
DROPPED = frozenset(
    {"__pycache__", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", ".lock", "bin", "event_handler"}
)
DROPPED_SUFFIXES = frozenset({".pyc", ".pyi", ".c", ".h"})
EPOCH = (1980, 1, 1, 0, 0, 0)


def build_zip(target: Path | None = None) -> Path:
    """Write the zip and return its path. The dependencies are fetched once for each state of the lock."""
    try:
        folder = _build_folder()
        return _write(target or folder / "lambda.zip", _dependencies(folder))
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        hint = "make that folder writable" if _is_checkout() else "set XDG_CACHE_HOME to a folder that you can write to"
        raise ReconcileError(f"the Lambda zip cannot be written: {error}", hint) from None


def _is_checkout() -> bool:
    return (ROOT / "terraform" / "environments").is_dir()


def _build_folder() -> Path:
    """`build/` of a checkout, where Terraform expects the zip; for an installed package, the user's cache folder."""
    if _is_checkout():
        return ROOT / "build"
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "ses-smtp-reconciler"


def _write(target: Path, dependencies: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")  # several processes may build at the same time
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted([*_own_files(), *_files_below(dependencies)]):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, path.read_bytes())
    partial.replace(target)
    return target


def _own_files() -> Iterator[tuple[str, Path]]:
    """The handlers and what they import of this package."""
    functions = load_pipeline("any").functions.values()
    for path in import_closure(PACKAGE, (function.handler.rpartition(".")[0] for function in functions)):
        yield path.relative_to(PACKAGE.parent).as_posix(), path


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix not in DROPPED_SUFFIXES and not DROPPED.intersection(name.parts):
            yield name.as_posix(), path


def _dependencies(build: Path) -> Path:
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = build / f"lambda-dependencies-{digest}"
    if folder.is_dir():
        return folder
    installer = _installer()
    partial = build / f"partial-{os.getpid()}"  # a name that nothing takes for complete dependencies
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    options = [
        "--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:", f"--target={partial}", "--requirement",
    ]  # fmt: skip
    done = subprocess.run([*installer, *options, str(LOCK)], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        shutil.rmtree(partial)
        lines = [line.strip() for line in done.stderr.splitlines()]
        reason = next((line for line in lines if line.lower().startswith("error")), lines[-1] if lines else "no output")
        raise ReconcileError(f"the dependencies of the Lambda zip cannot be installed: {reason}", f"see {LOCK}")
    try:
        partial.rename(folder)
    except OSError:  # another process was faster: same lock, same files
        shutil.rmtree(partial)
    return folder


def _installer() -> list[str]:
    """pip of this interpreter, or uv, which makes environments without pip."""
    if find_spec("pip"):
        return [sys.executable, "-P", "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", f"--python={sys.executable}"]
    raise ReconcileError(
        "building the Lambda zip needs pip or uv; neither was found",
        f"install pip into this environment: {sys.executable} -m ensurepip",
    )

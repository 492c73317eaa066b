"""What the wheel contains is written down once, and is complete."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from typing import Any

import reconciler
from reconciler.pipeline.lambda_zip import ROOT
from scripts.lambda_lock import keep_hashes

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_of_the_package_is_in_the_wheel() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "reconciler").rglob("__init__.py")}
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert listed == {".".join(folder.parts) for folder in folders} | {"reconciler.schema"}


def test_the_version_is_defined_once() -> None:
    assert "version" not in PROJECT["project"]
    assert reconciler.__version__ == version("ses-smtp-reconciler")


def test_the_lock_keeps_only_the_hashes_of_pure_wheels() -> None:
    lock = "a==1 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n    # via b\nb==2 \\\n    --hash=sha256:03\n"
    kept = "a==1 \\\n    --hash=sha256:02\n    # via b\nb==2 \\\n    --hash=sha256:03\n"
    assert keep_hashes(lock, {"02", "03"}) == kept

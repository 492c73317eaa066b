"""A manifest is replaced completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.manifest_files import write_manifest
from reconciler.errors import ReconcileError


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    for old in (b"users: []\n", None):
        path.write_bytes(b"other")
        with pytest.raises(ReconcileError, match="changed by another program"):
            write_manifest(path, old, b"new")
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"other"]

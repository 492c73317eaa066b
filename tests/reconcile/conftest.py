from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.runs import Checkout


@pytest.fixture
def checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checkout:
    return Checkout(tmp_path, capsys)

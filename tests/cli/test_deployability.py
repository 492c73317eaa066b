"""Limits of AWS that `validate` finds before a deployment does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.manifests.environments import load_environment
from reconciler.sandbox.function_variables import MOST_BYTES, measure_variables

SETTINGS: dict[str, Any] = {
    "account_id": "210000000012",
    "region": "eu-central-1",
    "table": "smtp-users-test",
    "configuration_set": "smtp-test",
    "limits": {"max_deletes": 1, "max_delete_percent": 10},
}


def write(tmp_path: Path, domains: int, **settings: Any) -> Path:
    names = [f"department-{number:03}.mail.smtp.test" for number in range(domains)]
    environment = {**SETTINGS, "allowed_domains": names, **settings}
    path = tmp_path / "reconcile.yaml"
    path.write_text(json.dumps({"environments": {"test": environment}}, indent=1), encoding="utf-8")
    (tmp_path / "users" / "test").mkdir(parents=True, exist_ok=True)
    (tmp_path / "users" / "test" / "team.yaml").write_text("users: []\n", encoding="utf-8")
    return path


def test_settings_of_functions_fit_into_lambda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """130 domains of this length do not; the largest number that does is accepted."""
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, 130)
    assert run(["validate"]) == 1
    size = measure_variables(load_environment(path, "test"))
    line = path.read_text(encoding="utf-8").splitlines().index('   "allowed_domains": [') + 1
    assert capsys.readouterr().err.splitlines() == [
        f"reconcile.yaml:{line}:23: the settings of the functions of 'test' would have {size} of 4096 bytes",
        "  hint: most of it are domains and tags: use fewer, or several environments",
        "error: 1 problem found; nothing was changed",
    ]
    most = 130 - -(-(size - MOST_BYTES) // len("department-000.mail.smtp.test,"))
    write(tmp_path, most)
    assert run(["validate"]) == 0
    write(tmp_path, most + 1)
    assert run(["validate"]) == 1


def test_tags_count_as_settings(tmp_path: Path) -> None:
    few, many = ({f"tag-{number}": "x" * 200 for number in range(count)} for count in (1, 2))
    sizes = [
        measure_variables(load_environment(write(tmp_path, 1, iam_user_tags=tags), "test")) for tags in (few, many)
    ]
    assert sizes[1] - sizes[0] == len(r", \"tag-1\": \"\"") + 200

"""`reconcile environments`: what the workflows iterate over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run

FIELDS = {
    "account_id": "111122223333", "region": "eu-central-1", "configuration_set": "smtp",
    "allowed_domains": ["example.com"],
    "limits": {"max_deletes": 1, "max_delete_percent": 10},
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "reconcile.yaml"
    found = {
        name: {**FIELDS, "table": name, **({"local": True} if name == "sandbox" else {})}
        for name in ("sandbox", "test", "prod", "eu2")
    }
    path.write_text(json.dumps({"environments": found}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ((), "test\nprod\neu2\n"),
        (("--format", "json"), '["test", "prod", "eu2"]\n'),
        (("--env", "prod", "--format", "json"), '["prod"]\n'),
        (("--env", "sandbox", "--format", "json"), "[]\n"),
    ],
)
def test_they_are_listed_in_the_order_of_the_file_without_local_ones(
    words: tuple[str, ...], out: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["environments", "--config", str(config), *words]) == 0
    assert capsys.readouterr().out == out


def test_an_unknown_one_is_an_error(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["environments", "--config", str(config), "--env", "pord"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean 'prod'?" in captured.err

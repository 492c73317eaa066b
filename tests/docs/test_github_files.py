"""The files that only GitHub reads: they match GitHub's schemas and name existing paths."""

from __future__ import annotations

from pathlib import Path

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from reconciler.pipeline.lambda_zip import ROOT

GITHUB = ROOT / ".github"
DEPENDABOT = GITHUB / "dependabot.yml"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
LOCKS = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("reconciler/**/*.txt"), *ROOT.glob("tests/**/package-lock.json")]


def check(path: Path, schema: str) -> Result:
    return CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", schema, str(path)])


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_matches_the_schema_of_github_and_has_timeouts(path: Path, schema: str) -> None:
    result = check(path, schema)
    assert result.exit_code == 0, result.output


def test_the_dependabot_file_matches_its_schema() -> None:
    result = check(DEPENDABOT, "vendor.dependabot")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("path", "schema", "old", "new"),
    [
        (WORKFLOWS[0], "vendor.github-workflows", "runs-on:", "run-on:"),
        (DEPENDABOT, "vendor.dependabot", "interval: weekly", "interval: sometimes"),
    ],
    ids=["workflow", "dependabot"],
)
def test_an_invalid_file_is_rejected(path: Path, schema: str, old: str, new: str, tmp_path: Path) -> None:
    """Otherwise the tests above prove nothing."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    invalid = tmp_path / path.name
    invalid.write_text(text.replace(old, new), encoding="utf-8")
    assert check(invalid, schema).exit_code == 1


def test_dependabot_updates_every_lock() -> None:
    updates = yaml.safe_load(DEPENDABOT.read_text(encoding="utf-8"))["updates"]
    patterns = [pattern for update in updates for pattern in update.get("directories", [update.get("directory")])]
    folders = {folder for pattern in patterns for folder in (ROOT.glob(pattern[1:]) if pattern != "/" else [ROOT])}
    assert LOCKS
    assert {lock.parent for lock in LOCKS} <= folders


def test_the_example_of_code_owners_names_existing_paths() -> None:
    lines = (GITHUB / "CODEOWNERS.example").read_text(encoding="utf-8").splitlines()
    paths = [line.split()[0] for line in lines if line.startswith("/")]
    assert paths
    assert [path for path in paths if not (ROOT / path[1:]).exists()] == []

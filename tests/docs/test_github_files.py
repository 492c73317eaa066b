"""The files that only GitHub reads: they match GitHub's schemas and name existing paths."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

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


RECONCILE, RECONCILE_ONE = (GITHUB / "workflows" / name for name in ("reconcile.yml", "reconcile-environment.yml"))


def load(path: Path) -> Any:
    """YAML 1.1 reads the key `on` as true."""
    return yaml.safe_load(path.read_text(encoding="utf-8").replace("\non:", "\n'on':"))


@pytest.mark.parametrize("option", ["allow_deletes", "allow_creates", "allow_empty", "accept_history"])
def test_what_a_person_may_allow_reaches_plan_and_apply(option: str) -> None:
    """Otherwise a refusal names an option that no run in CI can have."""
    callable_inputs = load(RECONCILE_ONE)["on"]["workflow_call"]["inputs"]
    manual = load(RECONCILE)["on"]["workflow_dispatch"]["inputs"]
    assert manual[option]["type"] == callable_inputs[option]["type"]
    assert not manual[option]["default"]
    for job in load(RECONCILE)["jobs"].values():
        nothing = "false" if manual[option]["type"] == "boolean" else "0"
        assert job["with"][option] == f"${{{{ inputs.{option} || {nothing} }}}}"
    job = load(RECONCILE_ONE)["jobs"]["reconcile"]
    assert f"inputs.{option}" in job["env"][option.upper()]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["--allow-deletes", "0", "--allow-creates", "0"]),
        (
            {"ALLOW_DELETES": "3", "ALLOW_CREATES": "60", "ALLOW_EMPTY": "--allow-empty"},
            ["--allow-deletes", "3", "--allow-creates", "60", "--allow-empty"],
        ),
        (
            {"ALLOW_EMPTY": "--allow-empty", "ACCEPT_HISTORY": "--accept-history"},
            ["--allow-deletes", "0", "--allow-creates", "0", "--allow-empty", "--accept-history"],
        ),
    ],
)
def test_plan_and_apply_get_the_same_allowances(chosen: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """The steps run in a shell, with a command that prints its arguments."""
    command = tmp_path / ".venv" / "bin" / "reconcile"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    command.chmod(0o755)
    steps = [
        step["run"] for step in load(RECONCILE_ONE)["jobs"]["reconcile"]["steps"] if "reconcile " in step.get("run", "")
    ]
    assert len(steps) == 2
    nothing = {"ALLOW_DELETES": "0", "ALLOW_CREATES": "0", "ALLOW_EMPTY": "", "ACCEPT_HISTORY": ""}
    environ = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "test",
        "GITHUB_STEP_SUMMARY": "/dev/stdout",
        **nothing,
        **chosen,
    }
    for name, step in zip(("plan", "apply"), steps, strict=True):
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step]
        done = subprocess.run(shell, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
        command_name, *arguments = done.stdout.splitlines()
        own = ["--env", "test", *(["--format", "markdown"] if name == "plan" else ["--yes", "--timeout", "1200"])]
        assert (command_name, arguments) == (name, [*own, *expected])


def test_no_run_cancels_another_run_of_its_environment() -> None:
    """A pending push must survive a manual run: GitHub keeps one pending run of a group unless it queues them."""
    concurrency = load(RECONCILE_ONE)["jobs"]["reconcile"]["concurrency"]
    assert concurrency == {
        "group": "reconcile-${{ inputs.environment }}", "cancel-in-progress": False, "queue": "max",
    }  # fmt: skip
    assert "concurrency" not in load(RECONCILE)
    assert all("concurrency" not in job for job in load(RECONCILE)["jobs"].values())


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

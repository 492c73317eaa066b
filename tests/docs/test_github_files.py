"""The files that only GitHub reads: they match GitHub's schemas and name existing paths."""

from __future__ import annotations

import re
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from reconciler.pipeline.lambda_zip import ROOT
from support.workflows import Shell, load, step

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


ACTION = ROOT / "action.yml"


def test_the_action_matches_the_schema_of_github() -> None:
    result = check(ACTION, "vendor.github-actions")
    assert result.exit_code == 0, result.output


OPTIONS = ["allow_deletes", "allow_creates", "allow_empty", "accept_history"]


@pytest.mark.parametrize("option", OPTIONS)
def test_what_a_person_may_allow_reaches_plan_and_apply(option: str) -> None:
    """Otherwise a refusal names an option that no run in CI can have. A caller in another repository has it too."""
    callable_inputs = load("reconcile-environment.yml")["on"]["workflow_call"]["inputs"]
    on = load("reconcile.yml")["on"]
    assert on["workflow_call"]["inputs"] == on["workflow_dispatch"]["inputs"]
    manual = on["workflow_dispatch"]["inputs"]
    assert manual[option]["type"] == callable_inputs[option]["type"]
    assert not manual[option]["default"]
    # A number of a manual run arrives as text, and a push has none: https://github.com/actions/runner/issues/2848
    passed = {"boolean": f"inputs.{option} || false", "number": f"fromJSON(inputs.{option} || '0')"}
    given = load("reconcile.yml")["jobs"]["reconcile"]["with"]
    assert given[option] == f"${{{{ {passed[manual[option]['type']]} }}}}"
    assert f"inputs.{option}" in load("reconcile-environment.yml")["env"][option.upper()]


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
    """The steps run in a shell, with a command that records its arguments."""
    shell = Shell(tmp_path)
    environ = {
        "ENVIRONMENT": "test", "ALLOW_DELETES": "0", "ALLOW_CREATES": "0", "ALLOW_EMPTY": "", "ACCEPT_HISTORY": "",
        **chosen,
    }  # fmt: skip
    for job, name, own in (
        ("plan", "Write the plan to the job summary", ["plan", "--env", "test", "--format", "markdown", "--out",
                                                       f"{tmp_path}/plan.json"]),
        ("apply", "Apply the plan", ["apply", "--env", "test", "--plan", "../plan/plan.json", "--yes", "--timeout",
                                     "1200"]),
    ):  # fmt: skip
        done = shell.run(step("reconcile-environment.yml", job, name)["run"], environ)
        assert done.returncode == 0, done.stderr
        assert shell.words == [*own, *expected]


def test_a_refused_plan_ends_the_run_before_the_apply(tmp_path: Path) -> None:
    shell = Shell(tmp_path, reconcile="echo refused; exit 1")
    done = shell.run(step("reconcile-environment.yml", "plan", "Write the plan to the job summary")["run"], {})
    assert done.returncode == 1
    assert (tmp_path / "summary").read_text() == "refused\n"
    assert load("reconcile-environment.yml")["jobs"]["apply"]["needs"] == "plan"


def test_environments_are_reconciled_one_after_the_other_and_a_failure_stops() -> None:
    """In the order of reconcile.yaml. None is named in a workflow."""
    strategy = load("reconcile.yml")["jobs"]["reconcile"]["strategy"]
    assert (strategy["max-parallel"], strategy["fail-fast"]) == (1, True)
    assert strategy["matrix"] == {"environment": "${{ fromJSON(needs.environments.outputs.names) }}"}
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    assert not [text for text in texts if re.search(r"environment: *(test|prod)", text)]


def test_no_run_cancels_another_run_of_its_environment() -> None:
    """A pending push must survive a manual run: GitHub keeps one pending run of a group unless it queues them.

    The group holds from the plan to the end of the apply, so that another run does not make the plan outdated.
    """
    assert load("reconcile.yml")["jobs"]["reconcile"]["concurrency"] == {
        "group": "reconcile-${{ matrix.environment }}", "cancel-in-progress": False, "queue": "max",
    }  # fmt: skip
    assert "concurrency" not in load("reconcile.yml")
    assert "concurrency" not in load("reconcile-environment.yml")
    assert all("concurrency" not in job for job in load("reconcile-environment.yml")["jobs"].values())


def test_who_approved_reaches_the_apply() -> None:
    given = step("reconcile-environment.yml", "apply", "Apply the plan")["env"]
    assert given == {
        "RECONCILE_PULL_REQUEST": "${{ steps.review.outputs.pull_request }}",
        "RECONCILE_APPROVER": "${{ steps.review.outputs.approver }}",
    }


def test_actions_have_one_version_each() -> None:
    """Pinned by SHA; Dependabot updates them together."""
    texts = "".join(path.read_text(encoding="utf-8") for path in [*WORKFLOWS, ACTION])
    used = {*re.findall(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) # (v[\d.]+)\n", texts)}
    assert len({name for name, _, _ in used}) == len(used)
    assert (
        len(re.findall(r"uses: (?!\./)", texts)) == len(re.findall(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v", texts)) + 1
    )


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

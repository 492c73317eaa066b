"""A pull request whose head changes the tool, a workflow or a hook gets no AWS credential that can read a record.

What runs for a pull request (`pull_request`) has no credentials at all. What has credentials is started by other
events, for which GitHub takes the workflow from the main branch, and executes nothing of a pull request. A workflow
that a head adds or changes runs for another ref, which the roles do not trust (tests/terraform/test_sign_in.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from reconciler.pipeline.lambda_zip import ROOT
from support.workflows import FILES, jobs, load

NAMES = [path.name for path in FILES]
JOBS = [pytest.param(file, job, id=f"{file} {name}") for file, name, job in jobs()]
# Events for which GitHub runs the workflow file of the default branch, or of a push that the trigger limits to it.
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
OF_MAIN = {"push", "schedule", "workflow_dispatch", "workflow_run", "workflow_call"}
OWN_CODE = ("${{ job.workflow_repository }}", "${{ job.workflow_sha }}")


def triggers(name: str) -> dict[str, Any]:
    on = load(name)["on"]
    return on if isinstance(on, dict) else {on: None}


def may_sign_in(job: dict[str, Any]) -> bool:
    return bool(job.get("permissions", {}).get("id-token"))


@pytest.mark.parametrize("name", NAMES)
def test_no_workflow_runs_with_the_rights_of_the_base_for_a_head(name: str) -> None:
    assert not {"pull_request_target", "issue_comment", "pull_request_review"} & {*triggers(name)}


@pytest.mark.parametrize("name", [name for name in NAMES if "pull_request" in triggers(name)])
def test_what_runs_for_a_pull_request_has_no_credentials(name: str) -> None:
    """Also for a fork: it needs none."""
    workflow = load(name)
    granted = [workflow.get("permissions", {}), *(job.get("permissions", {}) for job in workflow["jobs"].values())]
    assert all({*permissions.items()} <= {("contents", "read")} for permissions in granted)
    text = yaml.safe_dump(workflow)
    assert not re.search(r"\b(secrets|vars)\.|github\.token|configure-aws-credentials", text)
    assert not any("environment" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize(("file", "job"), [one for one in JOBS if may_sign_in(one.values[1])])
def test_what_signs_in_runs_the_code_of_main_only(file: str, job: dict[str, Any]) -> None:
    assert {*triggers(file)} <= OF_MAIN
    assert (triggers(file).get("push") or {"branches": ["main"]})["branches"] == ["main"]
    if "uses" in job:  # its jobs are judged themselves
        assert job["uses"].startswith("./.github/workflows/")
        return
    assert job["environment"].endswith(("}}", "}}-plan"))
    steps = job["steps"]
    checkouts = {step["with"]["path"]: step["with"] for step in steps if "actions/checkout" in step.get("uses", "")}
    tool = checkouts.pop("tool")
    assert (tool["repository"], tool["ref"]) == OWN_CODE
    assert all(
        "ref" not in given and "repository" not in given for path, given in checkouts.items() if path != "proposal"
    )
    assert all(given["persist-credentials"] is False for given in [tool, *checkouts.values()])
    order = [step.get("uses", step.get("name", "")).split("@")[0] for step in steps]
    assert order.index("./tool") < order.index("aws-actions/configure-aws-credentials")
    local = [step["uses"] for step in steps if step.get("uses", "").startswith("./")]
    assert local == ["./tool"]


def test_of_a_proposal_only_data_is_read() -> None:
    """The tool is installed before a file of the pull request is there; then only Git and the tool run beside them."""
    steps = load("plan.yml")["jobs"]["plan"]["steps"]
    at = [step.get("with", {}).get("path") for step in steps].index("proposal")
    assert steps[at]["with"]["ref"] == "refs/pull/${{ needs.find.outputs.number }}/merge"
    assert "./tool" in [step.get("uses") for step in steps[:at]]
    using = [step for step in steps[at + 1 :] if step.get("working-directory") == "proposal"]
    assert [step["name"] for step in using] == ["Plan"]
    commands = re.findall(r"(?:^|\$\(|; |\|\| \{ |GITHUB_SHA=\$merge )([a-z]+)", using[0]["run"], re.MULTILINE)
    assert {*commands} - {"merge"} <= {"git", "reconcile", "mkdir", "echo", "exit"}
    others = [step for step in steps[at + 1 :] if "run" in step and step not in using]
    assert others == []


@pytest.mark.parametrize("name", [name for name in NAMES if "workflow_run" in triggers(name)])
def test_a_plan_is_of_a_pull_request_of_this_repository(name: str) -> None:
    first, *others = load(name)["jobs"].values()
    assert "github.event.workflow_run.head_repository.full_name == github.repository" in first["if"]
    assert all("find" in job["needs"] for job in others)


@pytest.mark.parametrize("name", [name for name in NAMES if "workflow_run" in triggers(name)])
def test_a_fork_cancels_no_plan_of_this_repository(name: str) -> None:
    """Its branch can have the same name."""
    assert "workflow_run.head_repository.full_name" in load(name)["concurrency"]["group"]


@pytest.mark.parametrize(("file", "job"), JOBS)
def test_what_writes_to_github_has_no_other_right_and_no_checkout(file: str, job: dict[str, Any]) -> None:
    permissions = job.get("permissions", {})
    writes = [name for name, level in permissions.items() if level == "write" and name != "id-token"]
    if writes:
        assert {*permissions} == {*writes}
        assert not [step for step in job["steps"] if "checkout" in step.get("uses", "")]


@pytest.mark.parametrize(("file", "job"), JOBS)
def test_no_value_is_written_into_a_script(file: str, job: dict[str, Any]) -> None:
    assert not [step["run"] for step in job.get("steps", []) if "${{" in step.get("run", "")]


def test_every_role_trusts_main_only() -> None:
    roles = (ROOT / "terraform" / "modules" / "ci" / "roles.tf").read_text(encoding="utf-8")
    trust = roles[roles.index('"aws_iam_policy_document" "trust"') : roles.index('"aws_iam_policy_document" "records"')]
    conditions = re.findall(r'test += "(\w+)"\s+variable = "\$\{local.issuer\}:(\w+)"\s+values += \[(.*)\]', trust)
    assert {name: (test, values) for test, name, values in conditions} == {
        "aud": ("StringEquals", '"sts.amazonaws.com"'),
        "sub": ("StringEquals", '"${var.subject_prefix}:environment:${each.value.github_environment}"'),
        "ref": ("StringEquals", '"refs/heads/main"'),
    }

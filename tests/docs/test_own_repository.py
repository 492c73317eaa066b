"""The pipelines and hooks that `reconcile init` writes call what exists, with what it needs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner

from reconciler.cli import main as cli
from reconciler.cli.group import find_command
from reconciler.engine.own_repository import WORKFLOWS, Pin, plan_files, write_files
from reconciler.pipeline.lambda_zip import ROOT

PIN = Pin("example-org/ses-smtp-users", "0123456789abcdef0123456789abcdef01234567")
LEVELS = ["none", "read", "write"]


def load(text: str) -> Any:
    """YAML 1.1 reads the key `on` as true."""
    return yaml.safe_load(text.replace("\non:", "\n'on':"))


def written(pipeline: str) -> dict[str, str]:
    return plan_files(PIN, pipeline)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_calls_ours_pinned_with_its_inputs_and_permissions(name: str, tmp_path: Path) -> None:
    text = written("github")[f".github/workflows/{name}.yml"]
    (tmp_path / "workflow.yml").write_text(text)
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        arguments = ["--builtin-schema", schema, str(tmp_path / "workflow.yml")]
        assert CliRunner().invoke(check_jsonschema.main, arguments).exit_code == 0
    called, caller = load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text()), load(text)
    (job,) = caller["jobs"].values()
    assert job["uses"] == f"{PIN.repository}/.github/workflows/{name}.yml@{PIN.sha}"
    assert caller["name"] == called["name"] == name
    inputs = (called["on"]["workflow_call"] or {}).get("inputs", {})
    assert set(job.get("with", {})) == set(inputs)
    numbers = {name for name, about in inputs.items() if about["type"] == "number"}
    assert all(job["with"][number] == f"${{{{ fromJSON(inputs.{number} || '0') }}}}" for number in numbers)
    assert caller["on"].get("workflow_dispatch") == called["on"].get("workflow_dispatch")
    needed: dict[str, int] = {}
    for each in called["jobs"].values():
        for scope, level in each.get("permissions", {}).items():
            needed[scope] = max(needed.get(scope, 0), LEVELS.index(level))
    assert {scope: LEVELS.index(level) for scope, level in job["permissions"].items()} == needed
    assert caller["permissions"] == {}


def test_the_hook_of_this_project_is_the_one_that_is_configured() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language"} <= set(hook)
    (remote,) = yaml.safe_load(written("github")[".pre-commit-config.yaml"])["repos"]
    assert remote == {
        "repo": f"https://github.com/{PIN.repository}", "rev": PIN.sha, "hooks": [{"id": hook["id"]}],
    }  # fmt: skip
    (local,) = yaml.safe_load(plan_files(None, "")[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    for field in ("id", "name", "entry", "files", "pass_filenames"):
        assert local[field] == hook[field]
    matches = [path for path in (*written("gitlab"), "reconcile.yaml.md") if re.search(hook["files"], path)]
    assert matches == ["reconcile.yaml", "users/sandbox/platform.yaml"]


GITLAB = load(written("gitlab")[".gitlab-ci.yml"])


def script(job: str) -> list[str]:
    """With what it inherits."""
    found = GITLAB[job]
    return found.get("script") or script(found["extends"])


def test_the_gitlab_pipeline_matches_the_schema_and_gives_no_role_to_merge_requests(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text(written("gitlab")[".gitlab-ci.yml"])
    arguments = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    result = CliRunner().invoke(check_jsonschema.main, [*arguments, str(tmp_path / ".gitlab-ci.yml")])
    assert result.exit_code == 0, result.output
    assert GITLAB["variables"]["TOOL_SHA"] == PIN.sha
    assert [name for name, job in GITLAB.items() if isinstance(job, dict) and "id_tokens" in job] == [".aws"]
    rules = {name: job["rules"][0]["if"] for name, job in GITLAB.items() if "rules" in job}
    assert "merge_request_event" in rules.pop("validate")
    assert set(rules) == {".plan", ".apply", ".drift"}
    assert {GITLAB[name]["extends"] for name in rules} == {".aws"}
    assert all("$CI_DEFAULT_BRANCH" in rule or '== "schedule"' in rule for rule in rules.values())


class Api(BaseHTTPRequestHandler):
    """Merge request 7 was merged with the commit; an approver's name is hostile."""

    def do_GET(self) -> None:
        requests = [{"iid": 6, "state": "closed"}, {"iid": 7, "state": "merged"}]
        approvals = {"approved_by": [{"user": {"username": "$(id)"}}, {"user": {"username": "bo"}}]}
        answers: dict[str, Any] = {
            "/projects/1/repository/commits/c0ffee/merge_requests": requests,
            "/projects/1/merge_requests/7/approvals": approvals,
        }
        body = json.dumps(answers.get(self.path)).encode()
        self.send_response(200 if self.path in answers and self.headers["PRIVATE-TOKEN"] == "secret" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


MARKER = "--- called with:"
STUB = """#!/bin/sh
case "$1" in
  validate|diff) PYTHONPATH={root} exec {python} -m reconciler "$@";;
  *) token=$(cat "$AWS_WEB_IDENTITY_TOKEN_FILE")
     printf '%s\\n' {marker} "$RECONCILE_PULL_REQUEST" "$RECONCILE_APPROVER" "$token" "$@";;
esac
"""


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """A repository of manifests with a change, this project as a repository, and the variables of a job."""
    tool, project = tmp_path / "upstream", tmp_path / "project"
    (tool / "bin").mkdir(parents=True)
    (tool / "Makefile").write_text("install-cli:\n\tmkdir -p .venv && cp -r bin .venv/bin\n")
    (tool / "bin" / "reconcile").write_text(STUB.format(root=ROOT, python=sys.executable, marker=shlex.quote(MARKER)))
    (tool / "bin" / "reconcile").chmod(0o755)
    write_files(project, written("gitlab"))
    for folder in (tool, project):
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "first")
    git(project, "remote", "add", "origin", str(tmp_path / "origin"))
    git(tmp_path, "clone", "--quiet", str(project), "origin")
    manifest = project / "users" / "sandbox" / "platform.yaml"
    manifest.write_text(manifest.read_text().replace("[wiki@example.com]", "[wiki@example.com, hr@example.com]"))
    git(project, "commit", "--quiet", "--all", "--message", "second")
    python = Path(sys.executable).parent
    return {
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TOOL": str(tmp_path / "tool"),
        "TOOL_URL": str(tool),
        "TOOL_SHA": git(tool, "rev-parse", "HEAD"),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": git(project, "symbolic-ref", "--short", "HEAD"),
        "CI_COMMIT_SHA": git(project, "rev-parse", "HEAD"),
        "AWS_ID_TOKEN": "token",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "aws-id-token"),
        "ENVIRONMENT": "test",
    }


def run_job(job: str, variables: dict[str, str], folder: Path) -> list[str]:
    """As a runner does: one shell, which a failed line ends."""
    text = "\n".join([*GITLAB["default"]["before_script"], *script(job)])
    shell = ["bash", "-eo", "pipefail", "-c", text]
    done = subprocess.run(shell, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return lines[lines.index(MARKER) + 1 :] if MARKER in lines else lines


def test_the_lines_for_merge_requests_validate_and_show_the_change(runner: dict[str, str], tmp_path: Path) -> None:
    shown = "\n".join(run_job("validate", runner, tmp_path / "project"))
    assert "sandbox: 1 user in 1 manifest, valid" in shown
    assert "now may send as hr@example.com" in shown
    assert "warning" not in shown
    (tmp_path / "origin" / "users" / "sandbox" / "other.yaml").write_text("users: []\n")
    git(tmp_path / "origin", "add", ".")
    git(tmp_path / "origin", "commit", "--quiet", "--message", "merged meanwhile")
    assert "has newer changes of manifests or settings" in "\n".join(run_job("validate", runner, tmp_path / "project"))


@pytest.mark.parametrize("job", ["plan test", "apply test", "drift test"])
def test_the_lines_for_the_main_branch_are_commands_with_a_token(
    job: str, runner: dict[str, str], tmp_path: Path
) -> None:
    _, _, token, *words = run_job(job, runner, tmp_path / "project")
    assert token == "token"
    position = find_command(words)
    assert words[position or 0] == job.split()[0]
    command = cli.cli.get_command(cli.click.Context(cli.cli), words[0])
    assert command
    assert command.make_context(words[0], words[1:]).params["env"] == "test"


def test_the_merge_request_and_who_approved_it_reach_the_records(
    runner: dict[str, str], api: str, tmp_path: Path
) -> None:
    known = {"CI_API_V4_URL": api, "CI_PROJECT_ID": "1", "CI_PROJECT_URL": "https://gitlab.example.com/a/b"}
    variables = runner | known | {"CI_COMMIT_SHA": "c0ffee", "READ_TOKEN": "secret"}
    (tmp_path / "project" / "json.py").write_text("raise SystemExit('a file of the repository ran')\n")
    pull_request, approver, *_ = run_job("apply test", variables, tmp_path / "project")
    assert (pull_request, approver) == ("https://gitlab.example.com/a/b/-/merge_requests/7", "$(id) bo")
    variables["READ_TOKEN"] = "wrong"
    assert run_job("apply test", variables, tmp_path / "project")[:3] == ["", "", "token"]

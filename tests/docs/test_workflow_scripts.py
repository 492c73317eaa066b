"""The script lines of the workflows, in a shell with a recorded `gh` and command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.workflows import Shell, jobs, load, step

API = "repos/example/smtp-users"
HEAD, MERGE = "9ab2c81d0e4aa00112233445566778899aabbccdd"[:40], "3f2a9c81d0e4aa00112233445566778899aabbcc"
BOT = {"login": "github-actions[bot]"}
COMMENTS = f"{API}/issues/7/comments"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_every_script_runs_with_pipefail() -> None:
    """Where a step has a pipe, its first command may not fail unnoticed."""
    for file, name, job in jobs():
        given = load(file).get("defaults", {}).get("run", {}).get("shell")
        piped = [one for one in job.get("steps", []) if " | " in one.get("run", "")]
        assert not piped or given == "bash", (file, name)


def pull(number: int = 7, **changes: Any) -> dict[str, Any]:
    made = {"number": number, "state": "open", "base": {"ref": "main"},
            "head": {"sha": HEAD, "repo": {"full_name": "example/smtp-users"}}}  # fmt: skip
    return {**made, **changes}


FIND_STEP = "Find the open pull request of this commit that changes manifests"
FIND = {"GH_TOKEN": "none", "HEAD_SHA": HEAD, "DEFAULT_BRANCH": "main"}


@pytest.mark.parametrize(
    ("pulls", "files", "output"),
    [
        ([pull()], [{"filename": "users/test/crm.yaml"}], {"number": "7"}),
        ([pull()], [{"filename": "docs/a.md"}, {"filename": "reconcile.yaml"}], {"number": "7"}),
        ([pull()], [{"filename": "b.yaml", "previous_filename": "users/test/b.yaml"}], {"number": "7"}),
        ([pull(1, state="closed"), pull(2, base={"ref": "next"}), pull(3)], [{"filename": "users/a"}], {"number": "3"}),
        ([pull()], [{"filename": "docs/users/a.md"}, {"filename": "Makefile\nusers/a"}], {}),
        ([pull(head={"sha": MERGE, "repo": {"full_name": "example/smtp-users"}})], [{"filename": "users/a"}], {}),
        ([pull(head={"sha": HEAD, "repo": {"full_name": "fork/smtp-users"}})], [{"filename": "users/a"}], {}),
        ([pull(head={"sha": HEAD, "repo": None})], [{"filename": "users/a"}], {}),
        ([], [], {}),
    ],
)  # fmt: skip
def test_a_plan_is_of_the_open_pull_request_that_changes_manifests(
    shell: Shell, pulls: Any, files: Any, output: dict[str, str]
) -> None:
    numbers = {one["number"] for one in pulls}
    shell.answers = {f"{API}/commits/{HEAD}/pulls": pulls}
    shell.answers |= {f"{API}/pulls/{n}/files?per_page=100": files for n in numbers}
    shell.answers |= {f"{API}/issues/{n}/comments?per_page=100": [] for n in numbers}
    done = shell.run(step("plan.yml", "find", FIND_STEP)["run"], FIND)
    assert done.returncode == 0, done.stderr
    assert shell.output == output


@pytest.mark.parametrize(
    ("comments", "files", "planned"),
    [
        ([(BOT, "<!-- reconcile-plan: test -->\nold")], ["README.md"], True),
        ([({"login": "x"}, "<!-- reconcile-plan: test -->"), (BOT, "<!-- other -->")], ["README.md"], False),
        ([], [f"a/{n}" for n in range(2999)], False),
        ([], [f"a/{n}" for n in range(3000)], True),
    ],
)
def test_no_comment_is_left_outdated_and_no_change_is_hidden(
    shell: Shell, comments: Any, files: list[str], planned: bool
) -> None:
    """A later commit can take back the change of manifests; GitHub lists 3,000 files of a pull request at most."""
    shell.answers = {
        f"{API}/commits/{HEAD}/pulls": [pull()],
        f"{API}/pulls/7/files?per_page=100": f"[]{json.dumps([{'filename': name} for name in files])}",
        f"{COMMENTS}?per_page=100": [{"id": 1, "user": user, "body": body} for user, body in comments],
    }
    done = shell.run(step("plan.yml", "find", FIND_STEP)["run"], FIND)
    assert done.returncode == 0, done.stderr
    assert shell.output == ({"number": "7"} if planned else {})


def test_a_failed_question_to_github_fails_the_job(shell: Shell) -> None:
    assert shell.run(step("plan.yml", "find", FIND_STEP)["run"], FIND).returncode != 0


def test_the_environments_become_a_matrix(shell: Shell) -> None:
    shell.reconcile = 'echo \'["test", "prod"]\''
    for workflow, job in (("plan.yml", "find"), ("drift.yml", "environments"), ("reconcile.yml", "environments")):
        done = shell.run(step(workflow, job, "List the environments")["run"], {"CHOSEN": ""})
        assert done.returncode == 0, done.stderr
        assert shell.output == {"names": '["test", "prod"]'}
        assert shell.words == ["environments", "--format", "json"]
    shell.run(step("reconcile.yml", "environments", "List the environments")["run"], {"CHOSEN": "te st; id"})
    assert shell.words == ["environments", "--env", "te st; id", "--format", "json"]
    shell.reconcile = "exit 1"
    assert shell.run(step("reconcile.yml", "environments", "List the environments")["run"], {}).returncode == 1


@pytest.fixture
def proposal(tmp_path: Path) -> Path:
    """A merge of two branches, as GitHub makes it for a pull request."""
    folder = tmp_path / "proposal"
    folder.mkdir()
    for words in (
        "init --quiet --initial-branch=main", "commit --quiet --allow-empty -m one", "switch --quiet -c change",
        "commit --quiet --allow-empty -m two", "switch --quiet main", "commit --quiet --allow-empty -m three",
        "merge --quiet --no-ff -m merge change",
    ):  # fmt: skip
        git(folder, *words.split())
    return folder


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_proposal_is_planned_for_its_merge_and_links_to_its_head(shell: Shell, proposal: Path) -> None:
    head = git(proposal, "rev-parse", "change")
    shell.reconcile = "echo body"
    script = step("plan.yml", "plan", "Plan")["run"]
    done = shell.run(script, {"HEAD_SHA": head, "ENVIRONMENT": "test", "GITHUB_SHA": "main"}, proposal)
    assert done.returncode == 0, done.stderr
    folder = shell.folder / "comment"
    links = f"https://github.com/example/smtp-users/blob/{head}"
    assert shell.words == [
        "plan",
        "--env",
        "test",
        "--format",
        "comment",
        "--out",
        f"{folder}/plan.json",
        "--links",
        links,
        "--sandbox-dir",
        f"{shell.folder}/none",
    ]
    assert (shell.folder / "sha").read_text() == git(proposal, "rev-parse", "HEAD")
    assert (folder / "comment.md").read_text() == "body\n"


def test_a_pull_request_with_newer_commits_is_not_planned(shell: Shell, proposal: Path) -> None:
    script = step("plan.yml", "plan", "Plan")["run"]
    done = shell.run(script, {"HEAD_SHA": HEAD, "ENVIRONMENT": "test"}, proposal)
    assert (done.returncode, done.stdout) == (1, "the pull request has newer commits\n")
    assert not (shell.folder / "words").exists()


@pytest.mark.parametrize(
    ("comments", "written"),
    [
        ([], f"POST {COMMENTS}"),
        ([{"id": 1, "user": BOT, "body": "<!-- reconcile-plan: test -->\nold"}], f"PATCH {API}/issues/comments/1"),
        ([{"id": 1, "user": {"login": "x"}, "body": "<!-- reconcile-plan: test -->"}], f"POST {COMMENTS}"),
        ([{"id": 1, "user": BOT, "body": "<!-- reconcile-plan: test2 -->"}], f"POST {COMMENTS}"),
        ([{"id": 1, "user": BOT, "body": "> <!-- reconcile-plan: test -->"}], f"POST {COMMENTS}"),
    ],
)
def test_one_comment_per_environment_is_written_or_updated(shell: Shell, comments: Any, written: str) -> None:
    """Only this workflow's own. The pages of GitHub arrive as one text."""
    body = '<!-- reconcile-plan: test -->\n$(id) `id` "quoted" %0A ::error::\n'
    folder = shell.folder / "comments" / "plan-comment-test"
    folder.mkdir(parents=True)
    (folder / "comment.md").write_text(body, encoding="utf-8")
    shell.answers = {f"{COMMENTS}?per_page=100": f"[]{json.dumps(comments)}"}
    done = comment(shell, ["test"])
    assert done.returncode == 0, done.stderr
    assert shell.writes == [(written, {"body": f"{body}\n<sub>Last commit of the pull request: {HEAD}</sub>\n"})]


def comment(shell: Shell, environments: list[str]) -> Any:
    given = {"NUMBER": "7", "ENVIRONMENTS": json.dumps(environments), "HEAD_SHA": HEAD, "RUN": "https://github.com/run"}
    return shell.run(step("plan.yml", "comment", "Write one comment per environment")["run"], given)


def test_without_a_plan_the_comment_of_an_earlier_commit_does_not_stay(shell: Shell) -> None:
    """The job that plans may be ended, or write nothing."""
    empty = shell.folder / "comments" / "plan-comment-prod"
    empty.mkdir(parents=True)
    (empty / "comment.md").write_text("", encoding="utf-8")
    old = [{"id": 1, "user": BOT, "body": "<!-- reconcile-plan: prod -->\n**No changes.**"}]
    shell.answers = {f"{COMMENTS}?per_page=100": old}
    done = comment(shell, ["test", "prod"])
    assert done.returncode == 0, done.stderr
    assert [call for call, _ in shell.writes] == [f"POST {COMMENTS}", f"PATCH {API}/issues/comments/1"]
    lines = shell.writes[1][1]["body"].splitlines()
    assert lines[:4] == [
        "<!-- reconcile-plan: prod -->", "### SMTP users · `prod`", "",
        "**No plan could be made.** [This run](https://github.com/run) says why.",
    ]  # fmt: skip
    assert HEAD in lines[-1]


def test_the_changes_of_permissions_are_in_the_summary_and_bounded(shell: Shell, proposal: Path) -> None:
    shell.reconcile = "head --bytes=3000000 /dev/zero"
    script = step("validate.yml", "validate", "Show the changes of permissions in the job summary")["run"]
    done = shell.run(script, {}, proposal)
    assert done.returncode == 0, done.stderr
    base, head = git(proposal, "rev-parse", "HEAD^1"), git(proposal, "rev-parse", "HEAD")
    assert shell.words == ["diff", f"{base}..{head}", "--format", "markdown"]
    assert (shell.folder / "summary").stat().st_size == 1_000_000

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
    shell.answers = {f"{API}/commits/{HEAD}/pulls": pulls} | {
        f"{API}/pulls/{n}/files?per_page=100": files for n in numbers
    }
    name = "Find the open pull request of this commit that changes manifests"
    done = shell.run(step("plan.yml", "find", name)["run"], FIND)
    assert done.returncode == 0, done.stderr
    assert shell.output == output


def test_a_failed_question_to_github_fails_the_job(shell: Shell) -> None:
    name = "Find the open pull request of this commit that changes manifests"
    assert shell.run(step("plan.yml", "find", name)["run"], FIND).returncode != 0


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


COMMENTS = f"{API}/issues/7/comments"


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
    empty = shell.folder / "comments" / "plan-comment-prod"
    empty.mkdir()
    (empty / "comment.md").write_text("", encoding="utf-8")
    shell.answers = {f"{COMMENTS}?per_page=100": f"[]{json.dumps(comments)}"}
    done = shell.run(step("plan.yml", "comment", "Write one comment per environment")["run"], {"NUMBER": "7"})
    assert done.returncode == 0, done.stderr
    assert shell.writes == [(written, {"body": body})]


def review(login: str, state: str) -> dict[str, Any]:
    return {"user": {"login": login}, "state": state}


PULLS = f"{API}/commits/{MERGE}/pulls"
MERGED = {"number": 7, "merged_at": "2026-11-27", "merge_commit_sha": MERGE}


@pytest.mark.parametrize(
    ("pulls", "reviews", "output"),
    [
        ([MERGED], [review("alice", "APPROVED"), review("bob", "APPROVED")], "alice bob"),
        ([MERGED], [review("bob", "APPROVED"), review("bob", "CHANGES_REQUESTED"), review("al", "COMMENTED")], ""),
        ([MERGED], [review("bob", "CHANGES_REQUESTED"), review("bob", "APPROVED"), review("bob", "COMMENTED")], "bob"),
        ([MERGED], [review("x", "APPROVED"), review("x", "DISMISSED"), review("a[bot]", "APPROVED")], "a[bot]"),
        ([MERGED], [review("a\nX=1", "APPROVED"), review("$(id)", "APPROVED"), review("o_k", "APPROVED")], "o_k"),
        ([MERGED], [], ""),
        ([MERGED], None, ""),
        ([{**MERGED, "merged_at": None}], [], None),
        ([{**MERGED, "merge_commit_sha": HEAD}], [], None),
        ([{**MERGED, "number": "7; id"}], [], None),
        (None, [], None),
    ],
)  # fmt: skip
def test_who_approved_is_known_or_left_out(shell: Shell, pulls: Any, reviews: Any, output: str | None) -> None:
    """The last review of each counts; without an answer of GitHub, the apply continues."""
    shell.answers = {} if pulls is None else {PULLS: pulls}
    if reviews is not None:
        shell.answers[f"{API}/pulls/7/reviews?per_page=100"] = reviews
    script = step("reconcile-environment.yml", "apply", "Find the pull request of this commit and who approved it")
    done = shell.run(script["run"], {"GITHUB_SHA": MERGE})
    assert done.returncode == 0, done.stderr
    if output is None:
        assert shell.output == {}
        assert "::warning::no merged pull request" in done.stdout
    else:
        assert shell.output == {"pull_request": "https://github.com/example/smtp-users/pull/7", "approver": output}


@pytest.mark.parametrize(("code", "kept"), [(0, "0"), (2, "2"), (1, None), (130, None)])
def test_only_a_comparison_that_was_made_reaches_the_issue(shell: Shell, code: int, kept: str | None) -> None:
    shell.reconcile = f"echo '### drift'; exit {code}"
    done = shell.run(step("drift.yml", "drift", "Compare")["run"], {"ENVIRONMENT": "test"})
    assert done.returncode == (0 if kept else code)
    assert (shell.folder / "summary").read_text() == "### drift\n"
    stored = shell.folder / "drift" / "code"
    assert (stored.read_text().strip() if stored.exists() else None) == kept


ISSUES = f"{API}/issues?state=open&per_page=100"
MARKER = "<!-- reconcile-drift: test -->"
TITLE = "SMTP users of test differ from the manifests"


@pytest.mark.parametrize(
    ("code", "issues", "written"),
    [
        ("2", [], f"POST {API}/issues"),
        ("2", [{"number": 5, "body": f"{MARKER}\nold"}], f"PATCH {API}/issues/5"),
        ("2", [{"number": 5, "body": "<!-- reconcile-drift: prod -->"}], f"POST {API}/issues"),
        ("2", [{"number": 5, "body": None}], f"POST {API}/issues"),
        ("2", [{"number": 5, "body": MARKER, "user": {"login": "x"}}], f"POST {API}/issues"),
        ("2", [{"number": 5, "body": MARKER, "pull_request": {}}], f"POST {API}/issues"),
        ("0", [{"number": 5, "body": f"{MARKER}\nold"}, {"number": 6, "body": ""}], f"PATCH {API}/issues/5"),
        ("0", [], None),
        (None, [{"number": 5, "body": MARKER}], None),
    ],
)
def test_drift_has_one_issue_that_is_closed_again(shell: Shell, code: str | None, issues: Any, written: str) -> None:
    folder = shell.folder / "results" / "drift-test"
    folder.mkdir(parents=True)
    (folder / "drift.md").write_text("`crm` $(id)\n", encoding="utf-8")
    (folder / "environment").write_text("test\n", encoding="utf-8")
    if code:
        (folder / "code").write_text(f"{code}\n", encoding="utf-8")
    shell.answers = {ISSUES: [{"user": BOT, **issue} for issue in issues]}
    script = step("drift.yml", "issue", "Open, update or close one issue per environment")["run"]
    done = shell.run(script, {"RUN": "https://github.com/run"})
    assert done.returncode == 0, done.stderr
    if written is None:
        assert shell.writes == []
        return
    ((call, body),) = shell.writes
    assert call == written
    if code == "0":
        assert body == {"state": "closed", "state_reason": "completed"}
        return
    assert (body["title"], body["labels"]) == (TITLE, ["smtp-drift"])
    found = "Found by https://github.com/run. This issue is closed when there are no differences any more."
    assert body["body"] == f"{MARKER}\n`crm` $(id)\n\n{found}\n"


def test_the_changes_of_permissions_are_in_the_summary_and_bounded(shell: Shell, proposal: Path) -> None:
    shell.reconcile = "head --bytes=3000000 /dev/zero"
    script = step("validate.yml", "validate", "Show the changes of permissions in the job summary")["run"]
    done = shell.run(script, {}, proposal)
    assert done.returncode == 0, done.stderr
    base, head = git(proposal, "rev-parse", "HEAD^1"), git(proposal, "rev-parse", "HEAD")
    assert shell.words == ["diff", f"{base}..{head}", "--format", "markdown"]
    assert (shell.folder / "summary").stat().st_size == 1_000_000

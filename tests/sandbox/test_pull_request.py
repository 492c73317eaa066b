"""One permission from an empty folder to the access review, by a pull request in a Git repository with a remote."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

from reconciler.core.smtp import smtp_password
from sandbox.local_aws import start_sandbox
from support.forked import run_forked

PULL_REQUEST = "https://github.com/example/smtp/pull/12"
RUN = "https://github.com/example/smtp/actions/runs/17089"
ACTION = "example/ses-smtp@" + "3f2a9c81d0" * 4


def git(folder: Path, *words: str, author: str = "dev") -> str:
    known = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER")
             for field, value in (("NAME", author), ("EMAIL", f"{author}@example.com"))}  # fmt: skip
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=os.environ | known | alone, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def reconcile(folder: Path, *words: str, code: int = 0, **variables: str) -> CompletedProcess[str]:
    done = run_forked("reconciler", *words, cwd=folder, environ=os.environ | variables)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_permission_from_init_to_the_access_review(tmp_path: Path) -> None:
    remote, work = tmp_path / "remote.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    reconcile(tmp_path, "init", str(work), "--action", ACTION)
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "Permissions as code")
    git(work, "remote", "add", "origin", str(remote))
    git(work, "push", "--quiet", "--set-upstream", "origin", "main")

    # The branch of the pull request.
    git(work, "switch", "--quiet", "--create", "crm")
    owner, path = "crm@example.com", "users/sandbox/crm.yaml"
    added = reconcile(work, "add", "crm", "--env", "sandbox", "--from", "CRM@example.com", "--owner", owner)
    assert f"{path}:3: adds crm: may send as CRM@example.com" in added.stdout
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "The CRM sends mail")
    git(work, "push", "--quiet", "origin", "crm")

    # What CI says about it: annotations of a mistake, then the changes of permissions.
    manifest = work / path
    right = manifest.read_text()
    manifest.write_text(right.replace("CRM@example.com", "CRM@example.net"))
    wrong = reconcile(work, "validate", "--format", "github", code=1)
    (annotation,) = [line for line in wrong.stdout.splitlines() if line.startswith("::")]
    assert annotation.startswith(f"::error file={path},line=6,col=30::")
    assert "the domain example.net is not allowed here" in annotation
    manifest.write_text(right)
    reconcile(work, "validate", "--format", "github")
    shown = json.loads(reconcile(work, "diff", "origin/main..crm", "--format", "json").stdout)
    ((change,),) = [environment["users"] for environment in shown["environments"]]
    assert (change["name"], change["widens"]) == ("crm", True)
    assert change["example"]["text"] == "now may send as CRM@example.com from anywhere"

    with start_sandbox(work) as sandbox:
        links = "https://github.com/example/smtp/blob/" + git(work, "rev-parse", "HEAD")
        comment = sandbox.reconcile("plan", "--format", "comment", "--links", links).stdout
        assert comment.startswith("<!-- reconcile-plan: sandbox -->")
        assert "may send as CRM@example.com" in comment
        assert f"({links}/{path}#L3)" in comment

        # The merge, and what runs on the main branch.
        git(work, "switch", "--quiet", "main")
        subject = "Merge pull request #12 from example/crm"
        git(work, "merge", "--quiet", "--no-ff", "crm", "--message", subject, author="security")
        git(work, "push", "--quiet", "origin", "main")
        main = git(remote, "rev-parse", "main")
        github = {
            "GITHUB_ACTIONS": "true", "GITHUB_SHA": main, "GITHUB_ACTOR": "security", "GITHUB_RUN_ID": "17089",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/smtp",
            "RECONCILE_PULL_REQUEST": PULL_REQUEST, "RECONCILE_APPROVER": "security",
        }  # fmt: skip
        plan = tmp_path / "plan.json"
        reconcile(work, "plan", "--env", "sandbox", "--out", str(plan), **github)
        reconcile(work, "apply", "--env", "sandbox", "--plan", str(plan), "--yes", **github)
        assert set(sandbox.statuses()) == {"crm", "wiki"}
        assert sandbox.statuses()["crm"] == "active"
        again = reconcile(work, "apply", "--env", "sandbox", "--plan", str(plan), "--yes", code=1, **github)
        assert "records changed since the plan" in again.stderr

        # The credential, and the audit trail.
        credential = json.loads(sandbox.reconcile("credentials", "crm", "--format", "json").stdout)
        assert credential["password"] in [smtp_password(secret, "eu-central-1") for secret in sandbox.secrets()]
        tags = sandbox.client("iam").list_user_tags(UserName="smtp-sandbox-crm")["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags}.items() >= {
            "smtp-commit": main, "smtp-pull-request": PULL_REQUEST, "smtp-approver": "security", "smtp-run": RUN,
        }.items()  # fmt: skip
        history = sandbox.reconcile("history", "crm", "--record").stdout
        assert main[:12] in history
        assert "#12" in history
        assert "approved by security" in history
        assert "may send as CRM@example.com" in history

        page = tmp_path / "review.html"
        sandbox.reconcile("report", "--out", str(page))
        reviewed = json.loads(page.with_suffix(".json").read_text())
        listed = {user["name"]: user for user in reviewed["users"]}
        source = listed["crm"]["source"]
        assert (source["commit"], source["pull_request"], source["approver"]) == (main, PULL_REQUEST, "security")
        assert "<code>CRM<wbr>@example.com</code>" in page.read_text()
        reconcile(work, "report", "--verify", str(page.with_suffix(".json")))
        assert not any(secret in page.read_text() for secret in sandbox.secrets())

"""The script lines of the nightly comparison, in a shell with a recorded `gh` and command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.workflows import Shell, step

API = "repos/example/smtp-users"
BOT = {"login": "github-actions[bot]"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


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
    created = (
        {"title": TITLE, "labels": ["smtp-drift"]} if call.startswith("POST") else {}
    )  # people may have added labels
    assert {name: value for name, value in body.items() if name != "body"} == created
    found = "Found by https://github.com/run. This issue is closed when there are no differences any more."
    assert body["body"] == f"{MARKER}\n`crm` $(id)\n\n{found}\n"

"""What a workflow finds out about the review of a commit, in a shell with a recorded `gh`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.core.provenance import is_valid
from support.workflows import Shell, step

API = "repos/example/smtp-users"
HEAD, MERGE = "9ab2c81d0e4aa00112233445566778899aabbccd", "3f2a9c81d0e4aa00112233445566778899aabbcc"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def review(login: str, state: str, association: str = "NONE") -> dict[str, Any]:
    return {"user": {"login": login}, "state": state, "author_association": association}


PULLS = f"{API}/commits/{MERGE}/pulls"
MERGED = {"number": 7, "merged_at": "2026-11-27", "merge_commit_sha": MERGE}


@pytest.mark.parametrize(
    ("pulls", "reviews", "output"),
    [
        ([MERGED], [review("alice", "APPROVED"), review("bob", "APPROVED")], "alice bob"),
        ([MERGED], [review("bob", "APPROVED"), review("bob", "CHANGES_REQUESTED"), review("al", "COMMENTED")], ""),
        ([MERGED], [review("bob", "CHANGES_REQUESTED"), review("bob", "APPROVED"), review("bob", "COMMENTED")], "bob"),
        ([MERGED], [review("x", "APPROVED"), review("x", "DISMISSED"), review("a[bot]", "APPROVED")], ""),
        ([MERGED], [review("bob", "APPROVED"), review("reader", "APPROVED"), review("left", "APPROVED")], "bob"),
        ([MERGED], [{"user": None, "state": "APPROVED"}, review("bob", "APPROVED")], "bob"),
        ([MERGED], [review("left", "APPROVED", "MEMBER"), review("reader", "APPROVED", "COLLABORATOR")], "left"),
        ([MERGED], [review("-x", "APPROVED"), review("root", "APPROVED")], "root"),
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
    """The last review of each who may write counts; without an answer of GitHub, the apply continues."""
    shell.answers = {} if pulls is None else {PULLS: pulls}
    levels = {"alice": "write", "bob": "write", "o_k": "write", "al": "write", "root": "admin", "reader": "read"}
    for login, level in levels.items():
        shell.answers[f"{API}/collaborators/{login}/permission"] = {"permission": level}
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


def test_what_is_written_of_many_approvers_is_a_value_that_a_record_holds(shell: Shell) -> None:
    logins = [f"{chr(97 + n)}{'x' * 38}" for n in range(9)]
    shell.answers = {
        PULLS: [MERGED],
        f"{API}/pulls/7/reviews?per_page=100": [review(one, "APPROVED") for one in logins],
    }
    shell.answers |= {f"{API}/collaborators/{one}/permission": {"permission": "write"} for one in logins}
    script = step("reconcile-environment.yml", "apply", "Find the pull request of this commit and who approved it")
    assert shell.run(script["run"], {"GITHUB_SHA": MERGE}).returncode == 0
    assert shell.output["approver"].split() == logins[:6]
    assert is_valid("approver", shell.output["approver"])

"""`reconcile diff` in a Git repository: which commits it compares, what it reads there, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.repository import Repository, entry


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    made = Repository(tmp_path, capsys)
    made.declare(entry("billing"), entry("crm"))
    made.commit()
    return made


def widened(found: dict[str, Any]) -> list[str]:
    return [user["name"] for each in found["environments"] for user in each["users"] if user["widens"]]


def test_a_branch_is_compared_with_its_merge_base_with_main_and_the_working_tree_counts(repository: Repository) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.git("switch", "--create", "branch")
    repository.declare(entry("billing"), entry("crm"), entry("committed"))
    repository.commit()
    repository.git("switch", "main")
    repository.declare(entry("billing"), entry("crm"), entry("merged"))
    repository.commit()
    repository.git("switch", "branch")
    repository.declare(entry("billing"), entry("crm"), entry("committed"), entry("unsaved"))
    found = repository.diff()
    assert widened(found) == ["committed", "unsaved"]
    assert found["base"] == {"name": "merge base with main", "commit": base}
    assert found["head"] == {"name": "the working tree", "commit": None}
    assert widened(repository.diff("main...branch")) == ["committed"]
    both = repository.diff("main..branch")
    assert (widened(both), both["total"]) == (
        ["committed"],
        {"gains": 1, "loses": 1, "keeps": 2, "loosened_settings": 0},
    )
    assert widened(repository.diff("branch")) == ["unsaved"]
    assert widened(repository.diff("..")) == []
    assert widened(repository.diff("branch..main")) == ["merged"]


def test_the_main_branch_of_the_remote_comes_before_a_local_one(repository: Repository) -> None:
    repository.declare(entry("billing"), entry("crm"), entry("pushed"))
    pushed = repository.commit()
    repository.git("update-ref", "refs/remotes/origin/main", pushed)
    repository.git("update-ref", "refs/heads/main", f"{pushed}~1")
    repository.git("checkout", "--detach", pushed)
    found = repository.diff()
    assert (found["base"]["name"], widened(found)) == ("origin/main", [])


def test_text_and_markdown_and_the_exit_code(repository: Repository) -> None:
    assert repository.run("diff", "--detailed-exitcode")[:2] == (
        0,
        f"permissions · main ({repository.git('rev-parse', 'HEAD')[:12]}) → the working tree\n"
        "No change of permissions: 2 users as before.\n",
    )
    repository.configure(confirm=False, allowed_domains=["example.com", "news.example.com", "example.net"])
    repository.declare(entry("billing"), entry("crm", "*@example.com", expires="2999-06-30"))
    code, out, err = repository.run("diff", "--detailed-exitcode")
    assert (code, err) == (2, "")
    assert [" ".join(line.split()) for line in out.splitlines()[1:]] == [
        "test",
        "! allowed_domains + example.net (loosened) reconcile.yaml",
        "! crm gains: may send as *@example.com (before: only as crm@example.com) users/test/team.yaml:7",
        "now may send as hr@example.com from anywhere until 2999-06-30",
        "also billing may send as billing@example.com",
        "loses: expires after 2999-06-30",
        "Users: 1 gains permission, 1 loses permission, 1 keeps the same. 1 setting loosened.",
    ]
    code, out, _ = repository.run("diff", "--format", "markdown")
    assert code == 0
    assert "#### ⚠ 1 widening" in out
    assert "`now may send as hr@example.com from anywhere until 2999-06-30`" in out


def test_only_one_environment_is_compared_where_it_is_named(repository: Repository) -> None:
    repository.configure("prod", allowed_domains=["example.com"])
    repository.declare(entry("crm"), file="prod/team.yaml")
    repository.declare(entry("new"))
    assert [each["name"] for each in repository.diff()["environments"]] == ["prod", "test"]
    found = repository.diff("--env", "prod")
    assert [(each["name"], each["kind"]) for each in found["environments"]] == [("prod", "new")]
    assert widened(found) == ["crm"]
    code, _, err = repository.run("diff", "--env", "other")
    assert (code, err.splitlines()[0]) == (1, "error: no environment 'other' in reconcile.yaml")


def test_a_deleted_environment_shows_what_its_users_lose(repository: Repository) -> None:
    repository.configure("prod")
    repository.declare(entry("sales"), file="prod/team.yaml")
    repository.commit()
    repository.git("rm", "-r", "users/prod")
    del repository.environments["prod"]
    repository.configure()
    (test, prod) = repository.diff("HEAD")["environments"]
    assert (test["kind"], prod["kind"], prod["users"][0]["loses"]) == (
        "changed", "deleted", ["deleted: may no longer send as sales@example.com"]
    )  # fmt: skip


def test_an_invalid_head_is_refused_as_by_validate(repository: Repository) -> None:
    repository.declare(entry("billing", "billing@example.org"))
    code, out, err = repository.run("diff")
    assert (code, out) == (1, "")
    assert err.startswith("users/test/team.yaml:6:5: 'billing@example.org': the domain example.org is not allowed here")
    commit = repository.commit()
    assert repository.run("diff", f"HEAD~1..{commit}")[2] == err


def test_what_is_invalid_at_the_base_counts_as_not_granted(repository: Repository) -> None:
    repository.declare(entry("billing", "billing@example.com", "a@example.org"), entry("crm"))
    repository.commit()
    repository.configure(allowed_domains=["example.com", "example.org"])
    found = repository.diff()
    (user,) = found["environments"][0]["users"]
    assert user["gains"] == ["may send as a@example.org"]
    (warning,) = found["warnings"]
    assert warning["reason"].startswith("the manifests of test are invalid at main (")
    assert "1 problem; the first: users/test/team.yaml:7:5: 'a@example.org': the domain" in warning["reason"]
    assert warning["hint"] == "what is invalid there counts as not granted"
    assert "warning: the manifests of test are invalid" in repository.run("diff")[1]
    assert "> **Warning:** `the manifests of test are invalid" in repository.run("diff", "--format", "markdown")[1]


def test_a_base_with_an_invalid_configuration_is_read_as_far_as_possible(repository: Repository) -> None:
    valid = (repository.root / "reconcile.yaml").read_text()
    repository.write("reconcile.yaml", valid + "    future_setting: 1\n")
    repository.commit()
    repository.write("reconcile.yaml", valid)
    found = repository.diff()
    assert [(one["name"], one["widens"]) for one in found["environments"][0]["settings"]] == [("future_setting", True)]
    assert found["total"]["keeps"] == 2
    assert found["warnings"][0]["reason"].startswith("reconcile.yaml is invalid at main (")
    repository.write("reconcile.yaml", "environments: [\n")
    repository.commit()
    repository.write("reconcile.yaml", valid)
    found = repository.diff()
    assert (found["environments"][0]["kind"], widened(found)) == ("new", ["billing", "crm"])


def test_everything_is_new_where_the_base_has_no_manifests(repository: Repository) -> None:
    repository.git("rm", "-r", "--cached", "users", "reconcile.yaml")
    repository.git("commit", "--message", "none")
    found = repository.diff()
    assert (found["environments"][0]["kind"], widened(found)) == ("new", ["billing", "crm"])
    assert found["warnings"][0]["reason"].startswith("reconcile.yaml does not exist at main (")


def test_without_a_checkout_nothing_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    (tmp_path / ".git").rename(tmp_path / "elsewhere")
    assert repository.run("diff")[2].splitlines() == [
        "error: reconcile.yaml is not in a Git checkout",
        "  hint: run it in a clone of the repository",
    ]


@pytest.mark.parametrize("tag", ["main", "origin/main"])
def test_a_tag_named_like_the_main_branch_hides_nothing(repository: Repository, tag: str) -> None:
    """Git takes the tag for both, and anyone who may push can push one."""
    if tag == "origin/main":
        repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.git("switch", "--create", "branch")
    repository.declare(entry("billing"), entry("crm"), entry("hidden"))
    repository.commit()
    repository.git("tag", tag)
    assert widened(repository.diff()) == ["hidden"]
    branch = "refs/remotes/origin/main" if tag == "origin/main" else "refs/heads/main"
    assert widened(repository.diff(f"{branch}..branch")) == ["hidden"]
    for text in (tag, f"{tag}...branch", f"branch..{tag}~1"):
        code, _, err = repository.run("diff", text)
        assert (code, err.splitlines()[1]) == (1, f"  hint: choose one: refs/tags/{tag}, {branch}"), text


def test_a_move_that_restores_what_the_main_branch_removed_is_announced(repository: Repository) -> None:
    """A merge keeps both changes: the entry is gone from the one file and new in the other."""
    repository.declare(entry("news"), file="test/news.yaml")
    repository.commit()
    repository.git("switch", "--create", "branch")
    repository.declare(entry("billing"))
    repository.declare(entry("news"), entry("crm"), file="test/news.yaml")
    repository.commit()
    assert repository.diff()["warnings"] == []
    repository.git("switch", "main")
    repository.write("README.md", "no manifest")
    repository.commit()
    assert repository.diff("main...branch")["warnings"] == []
    repository.declare(entry("billing"))
    repository.commit()
    found = repository.diff("main...branch")
    assert (widened(found), found["warnings"]) == (
        [],
        [
            {
                "reason": "main has newer changes of manifests or settings",
                "hint": "merge it and compare again: a merge may restore a permission that was removed there",
            }
        ],
    )
    repository.git("switch", "branch")
    repository.git("merge", "--quiet", "--message", "merge", "main")
    found = repository.diff()
    assert (widened(found), found["warnings"]) == (["crm"], [])


@pytest.mark.parametrize("attribute", ["working-tree-encoding=ISO646-GB", "filter=x", "ident"])
def test_a_file_whose_text_git_changes_is_refused(repository: Repository, attribute: str) -> None:
    """I13: in ISO646-GB, `£` is written as `#`. What a reviewer sees as text is then a comment where it is applied."""
    repository.git("switch", "--create", "branch")
    repository.write(".gitattributes", f"*.txt {attribute}\n*.yaml -ident eol=lf\n")
    repository.commit()
    assert repository.diff("main..branch")["environments"][0]["users"] == []
    repository.write(".gitattributes", f"[attr]odd {attribute}\nusers/** odd\n")
    repository.commit()
    code, _, err = repository.run("diff", "main..branch")
    assert code == 1
    assert "Git changes the text of users/test/team.yaml when it checks out branch" in err
    repository.git("rm", "--quiet", ".gitattributes")
    fixed = repository.diff("branch")
    assert (widened(fixed), fixed["warnings"][0]["hint"]) == (["billing", "crm"], "every environment counts as new")

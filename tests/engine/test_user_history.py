"""`reconcile history`: followed through renames, moves, merges and deletions; what Git says is hostile text."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.runs import Checkout, Outcome, an_entry
from support.world import World

CRM, WIKI = an_entry("crm"), an_entry("wiki", "wiki@example.com")


def git(folder: Path, *words: str, author: str = "Ann") -> str:
    settings = ["-c", f"user.name={author}", "-c", "user.email=ann@example.com", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(checkout: Checkout) -> Checkout:
    git(checkout.root, "init", "--quiet", "--initial-branch=main")
    return checkout


def commit(checkout: Checkout, message: str, *entries: dict[str, Any], team: str = "team", author: str = "Ann") -> None:
    checkout.declare(*entries, team=team)
    git(checkout.root, "add", "--all")
    git(checkout.root, "commit", "--quiet", "--message", message, author=author)


def entries(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.code == 0, outcome.err
    (history,) = json.loads(outcome.out)["histories"]
    found: list[dict[str, Any]] = history["entries"]
    return found


def history(checkout: Checkout, name: str = "crm", *words: str) -> list[dict[str, Any]]:
    return entries(checkout.run("history", name, "--format", "json", *words))


def events(checkout: Checkout, name: str = "crm") -> list[str]:
    return [entry["event"] for entry in history(checkout, name)]


def test_each_change_with_who_when_and_which_pull_request(repository: Checkout) -> None:
    commit(repository, "Users (#1)", CRM, WIKI)
    commit(repository, "Another user (#2)", CRM, an_entry("wiki", "other@example.com"))
    commit(repository, "Widen (#3)", an_entry("crm", "*@example.com"), WIKI, author="Bob")
    first, second = history(repository)
    assert (first["event"], first["author"], first["pull_request"], first["widens"]) == ("changed", "Bob", "#3", True)
    assert first["gains"] == ["may send as *@example.com (before: only as crm@example.com)"]
    assert (first["manifest"], first["line"]) == ("users/test/team.yaml", 2)
    assert first["commit"] == git(repository.root, "rev-parse", "HEAD")
    assert (second["event"], second["pull_request"]) == ("created", "#1")


def test_it_follows_a_rename_a_move_and_an_earlier_user_of_the_name(repository: Checkout) -> None:
    commit(repository, "old", CRM)
    commit(repository, "gone", WIKI)
    commit(repository, "again", WIKI, an_entry("first", "b@example.com"))
    commit(repository, "renamed", WIKI, an_entry("crm", "b@example.com"))
    repository.declare(an_entry("crm", "b@example.com"), team="other")
    commit(repository, "moved", WIKI)
    found = history(repository)
    assert [entry["event"] for entry in found] == ["moved", "renamed", "created", "removed", "created"]
    assert found[0]["details"] == ["moved from users/test/team.yaml to users/test/other.yaml"]
    assert found[1]["details"][0] == "renamed from first: a new password"
    commit(repository, "gone", WIKI, team="other2")
    git(repository.root, "rm", "--quiet", "users/test/other.yaml")
    git(repository.root, "commit", "--quiet", "--message=deleted")
    assert events(repository)[:2] == ["removed", "moved"]


def test_a_name_that_was_used_twice_has_both_histories(repository: Checkout) -> None:
    for step in ([CRM, WIKI], [WIKI], [WIKI, an_entry("crm", "new@example.com")]):
        commit(repository, "step", *step)
    assert events(repository) == ["created", "removed", "created"]


def test_a_merge_is_one_change_with_the_authors_of_its_commits(repository: Checkout) -> None:
    commit(repository, "Users", CRM, WIKI)
    git(repository.root, "checkout", "--quiet", "-b", "widen")
    commit(repository, "one", an_entry("crm", "a@example.com"), WIKI, author="Carol")
    commit(repository, "two", an_entry("crm", "b@example.com"), WIKI, author="Dave")
    git(repository.root, "checkout", "--quiet", "main")
    message = "Merge pull request #12 from example/widen\n\nWiden"
    git(repository.root, "merge", "--quiet", "--no-ff", "--message", message, "widen", author="Merger")
    first, _ = history(repository)
    assert (first["author"], first["committer"], first["pull_request"]) == ("Carol, Dave", "Merger", "#12")
    assert first["gains"] == ["may send as b@example.com"]


def test_what_is_not_committed_comes_first(repository: Checkout) -> None:
    repository.declare(CRM)
    assert events(repository) == ["created"]
    commit(repository, "Users", CRM, WIKI)
    repository.declare(an_entry("crm", enabled=False), WIKI)
    first, _ = history(repository)
    assert (first["event"], first["commit"], first["details"]) == ("changed", None, ["disabled"])
    repository.declare(an_entry("sales", "crm@example.com"), WIKI)
    first, second = history(repository, "sales")
    assert (first["event"], first["details"][0]) == ("renamed", "renamed from crm: a new password")
    assert second["event"] == "created"
    assert "not committed" in repository.run("history", "sales").out


def test_a_commit_that_is_no_valid_yaml_is_skipped(repository: Checkout) -> None:
    commit(repository, "Users", CRM)
    path = repository.root / "users" / "test" / "team.yaml"
    path.write_text("users: [")
    git(repository.root, "commit", "--quiet", "--all", "--message=broken")
    commit(repository, "repaired", an_entry("crm", enabled=False))
    assert events(repository) == ["changed", "created"]


def test_a_shallow_clone_says_that_the_beginning_is_missing(repository: Checkout, tmp_path: Path) -> None:
    commit(repository, "Users", CRM)
    commit(repository, "Widen", an_entry("crm", "*@example.com"))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository.root}", str(clone))
    outcome = Checkout(clone, repository.capsys).run("history", "crm")
    assert outcome.code == 0
    assert "Incomplete: this is a shallow clone" in outcome.out


def test_the_time_of_a_commit_may_be_any_number(repository: Checkout) -> None:
    commit(repository, "Users", CRM)
    tree = git(repository.root, "rev-parse", "HEAD^{tree}")
    for moment in ("99999999999999999999", "9999999999999", "-5"):
        raw = f"tree {tree}\nauthor A <a> {moment} +0000\ncommitter A <a> {moment} +0000\n\nUsers\n"
        words = ["git", "-C", str(repository.root), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"]
        made = subprocess.run(words, input=raw, check=True, capture_output=True, text=True).stdout.strip()
        git(repository.root, "update-ref", "HEAD", made)
        assert events(repository) == ["created"]


def test_settings_of_git_log_change_nothing(repository: Checkout) -> None:
    for setting in ("log.diffMerges=combined", "log.showSignature=true", "log.showRoot=false", "color.ui=always",
                    "log.mailmap=true", "format.pretty=oneline", "diff.renames=copies", "log.follow=true"):  # fmt: skip
        git(repository.root, "config", *setting.split("="))
    commit(repository, "Users", CRM, WIKI)
    git(repository.root, "checkout", "--quiet", "-b", "widen")
    commit(repository, "one", an_entry("crm", "a@example.com"), WIKI)
    git(repository.root, "checkout", "--quiet", "main")
    commit(repository, "two", CRM, an_entry("wiki", "new@example.com"))
    git(repository.root, "merge", "--quiet", "--no-ff", "--message=m", "-X", "ours", "widen")
    assert events(repository) == ["changed", "created"]


HOSTILE = "Eve\x1b[31m ##[error]x|`<b>@team"


def test_names_and_messages_are_neutralised_in_every_format(repository: Checkout) -> None:
    commit(repository, "x", WIKI)
    commit(repository, f"{HOSTILE} (#7)", CRM, author=HOSTILE)
    for form in ("text", "markdown", "json"):
        outcome = repository.run("history", "crm", "--format", form)
        assert outcome.code == 0
        assert "\x1b" not in outcome.out
        assert "##[" not in outcome.out
        assert "#7" in outcome.out or "#\\u0023" in outcome.out
    assert "<b>" not in repository.run("history", "crm", "--format", "markdown").out.replace("`` ", "`").split("`")[0]


def test_an_unknown_user_and_a_folder_without_git(
    repository: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    commit(repository, "Users", CRM)
    outcome = repository.run("history", "nobody")
    assert (outcome.code, outcome.calls) == (1, [])
    assert "error: no commit has an SMTP user 'nobody' in test" in outcome.err
    outcome = Checkout(tmp_path_factory.mktemp("plain"), repository.capsys).run("history", "crm")
    assert "reconcile.yaml is not in a Git checkout" in outcome.err


def test_the_record_adds_when_the_key_was_issued(world: World, repository: Checkout) -> None:
    commit(repository, "Users (#1)", CRM)
    repository.reconcile(world)
    outcome = repository.run("history", "crm", "--record")
    assert "access key issued for credential 1" in outcome.out
    assert "pull request #1" in outcome.out
    assert repository.run("history", "crm").calls == []

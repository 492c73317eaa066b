"""I15: an older run never undoes what was applied last, not even when no record is left; nothing unknown is silent."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from reconciler.engine import git as engine_git
from reconciler.engine import reconcile as run
from reconciler.engine.reconcile import prepare
from support.runs import Checkout, an_entry
from support.world import ACCOUNT, TABLE, World

STATE = {"PK": "SMTP_USER", "SK": "APPLIED#state"}
CRM, WIKI = an_entry("crm"), an_entry("wiki")


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(checkout: Checkout) -> Checkout:
    git(checkout.root, "init", "--quiet", "--initial-branch=main")
    return checkout


@pytest.fixture
def in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


def commit(checkout: Checkout, *entries: dict[str, Any]) -> str:
    """A commit that declares these users."""
    checkout.declare(*entries)
    git(checkout.root, "add", "--all")
    git(checkout.root, "commit", "--quiet", "--allow-empty", "--message=users")
    return git(checkout.root, "rev-parse", "HEAD")


def state() -> dict[str, Any]:
    item = boto3.resource("dynamodb").Table(TABLE).get_item(Key=STATE).get("Item")
    assert item
    return item


def offboard(world: World, repository: Checkout) -> tuple[str, str]:
    """A grants crm, B removes it again: no record remains that names B."""
    a = commit(repository, CRM, WIKI)
    assert repository.reconcile(world).code == 0
    b = commit(repository, WIKI)
    assert repository.reconcile(world).code == 0
    assert world.users() == ["smtp-test-wiki"]
    return a, b


@pytest.mark.parametrize("words", [(), ("--accept-history",), ("plan",), ("plan", "--accept-history")])
def test_a_run_of_an_older_commit_does_not_restore_access(
    world: World, repository: Checkout, words: tuple[str, ...]
) -> None:
    a, b = offboard(world, repository)
    git(repository.root, "checkout", "--quiet", a)
    outcome = repository.run(*words)
    assert outcome.code == 1
    assert f"refused: this checkout is older than the last applied commit {b[:12]}" in outcome.err
    assert "to roll back, revert with a new commit" in outcome.err
    assert (outcome.writes, outcome.stored) == ([], False)
    assert world.users() == ["smtp-test-wiki"]


def test_the_last_user_that_was_removed_stays_removed(world: World, repository: Checkout) -> None:
    """Without any record, the table says nothing about the past."""
    a = commit(repository, CRM)
    repository.reconcile(world)
    commit(repository)
    assert repository.reconcile(world, "--allow-empty", "--allow-deletes", "1").code == 0
    git(repository.root, "checkout", "--quiet", a)
    assert repository.reconcile(world).code == 1
    assert world.users() == []


def test_a_later_run_without_changes_is_what_was_applied_last(world: World, repository: Checkout) -> None:
    a, _ = offboard(world, repository)
    commit(repository, WIKI)
    later = repository.reconcile(world)
    assert (later.code, later.writes, later.stored) == (0, [], True)
    again = repository.reconcile(world)
    assert (again.code, again.writes, again.stored) == (0, [], False)
    git(repository.root, "checkout", "--quiet", a)
    assert repository.run().code == 1


def test_a_grant_that_was_reverted_before_it_was_applied_is_not_applied_later(
    world: World, repository: Checkout
) -> None:
    """Its run waited for an approval while the run of the revert had nothing to do."""
    commit(repository, WIKI)
    repository.reconcile(world)
    granted = commit(repository, WIKI, an_entry("mallory", "*@example.com"))
    commit(repository, WIKI)
    assert repository.reconcile(world).code == 0
    git(repository.root, "checkout", "--quiet", granted)
    outcome = repository.reconcile(world)
    assert (outcome.code, outcome.writes) == (1, [])
    assert "this checkout is older than the last applied commit" in outcome.err


def test_a_first_run_without_users_is_remembered_too(world: World, repository: Checkout) -> None:
    old = commit(repository, WIKI)
    commit(repository)
    assert repository.reconcile(world, "--allow-empty").stored
    git(repository.root, "checkout", "--quiet", old)
    assert repository.reconcile(world).code == 1
    assert world.users() == []


def test_a_revert_is_a_new_commit_and_is_applied(world: World, repository: Checkout) -> None:
    offboard(world, repository)
    git(repository.root, "revert", "--no-edit", "HEAD")
    assert repository.reconcile(world).code == 0
    assert world.users() == ["smtp-test-crm", "smtp-test-wiki"]


def shallow(repository: Checkout, old: str) -> None:
    clone(repository, "--depth=1", old)


def replaced_by_force(repository: Checkout, old: str) -> None:
    """The commit that was applied exists nowhere any more."""
    git(repository.root, "reset", "--quiet", "--hard", old)
    git(repository.root, "commit", "--quiet", "--allow-empty", "--message=other")
    git(repository.root, "reflog", "expire", "--expire=now", "--all")
    git(repository.root, "gc", "--quiet", "--prune=now")


def on_another_branch(repository: Checkout, old: str) -> None:
    git(repository.root, "checkout", "--quiet", "-b", "other", old)
    git(repository.root, "commit", "--quiet", "--allow-empty", "--message=other")


def without_git(repository: Checkout, old: str) -> None:
    git(repository.root, "checkout", "--quiet", old)
    (repository.root / ".git").rename(repository.root / "git")


def clone(repository: Checkout, *words: str) -> None:
    *options, old = words
    git(repository.root, "checkout", "--quiet", "-b", "old", old)
    target = repository.root / "clone"
    git(repository.root, "clone", "--quiet", "--branch=old", *options, f"file://{repository.root}", str(target))
    repository.root = target


UNKNOWN: list[tuple[Callable[[Checkout, str], None], str, str]] = [
    (shallow, "this is a shallow clone", "fetch-depth: 0"),
    (replaced_by_force, "is not in this clone; it was replaced by a force-push", "fetch the branch"),
    (on_another_branch, "does not contain the last applied commit", "merge that commit first"),
    (without_git, "reconcile.yaml is not in a Git checkout", "run it in a clone"),
]
by_name = pytest.mark.parametrize(("change", "cause", "fix"), UNKNOWN, ids=[case[0].__name__ for case in UNKNOWN])


@by_name
@pytest.mark.usefixtures("in_ci")
def test_a_history_that_is_not_known_is_refused_in_ci(
    world: World, repository: Checkout, change: Callable[[Checkout, str], None], cause: str, fix: str
) -> None:
    a, _ = offboard(world, repository)
    change(repository, a)
    outcome = repository.run()
    assert outcome.code == 1
    assert cause in outcome.err
    assert fix in outcome.err
    assert "if this run is intended, add --accept-history" in outcome.err
    assert (outcome.writes, outcome.stored) == ([], False)
    accepted = repository.run("--accept-history")
    assert (accepted.code, accepted.writes) == (0, ["UpdateItem"])
    assert f"warning: {'it is unknown' if change is not on_another_branch else 'this checkout'}" in accepted.err


@by_name
def test_it_is_a_warning_elsewhere_in_every_format(
    world: World, repository: Checkout, change: Callable[[Checkout, str], None], cause: str, fix: str
) -> None:
    a, _ = offboard(world, repository)
    change(repository, a)
    text, markdown, data = (repository.run("plan", "--format", form) for form in ("text", "markdown", "json"))
    assert [outcome.code for outcome in (text, markdown, data)] == [0, 0, 0]
    assert all("warning: " in outcome.err and cause in outcome.err for outcome in (text, markdown, data))
    assert "History not verified" in text.out
    assert "> **Warning:**" in markdown.out
    ((warning),) = json.loads(data.out)["warnings"]
    assert cause in warning["reason"]
    assert fix in warning["hint"]
    assert repository.run().code == 0


@pytest.mark.usefixtures("in_ci")
def test_the_cause_names_the_command_where_another_user_owns_the_checkout(
    world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    offboard(world, repository)
    commit(repository, CRM, WIKI)
    answer = f"fatal: detected dubious ownership in repository at '{repository.root}'\n"

    def dubious(*_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 128, "", answer)

    monkeypatch.setattr(engine_git, "_run", dubious)
    outcome = repository.run()
    assert (outcome.code, outcome.writes) == (1, [])
    assert f"git config --global --add safe.directory {repository.root}" in outcome.err


@pytest.mark.usefixtures("in_ci")
@pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 30)])
def test_a_git_that_does_not_answer_is_refused(
    world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    offboard(world, repository)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(engine_git.subprocess, "run", fail)
    outcome = repository.run()
    assert outcome.code == 1
    assert "Git cannot be run" in outcome.err or "Git did not answer" in outcome.err


@pytest.mark.usefixtures("in_ci")
def test_a_workflow_of_an_outer_repository_does_not_vouch_for_a_submodule(
    world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    offboard(world, repository)
    head = commit(repository, WIKI, CRM)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SHA", "ab" * 20)
    outcome = repository.run()
    assert (outcome.code, outcome.writes) == (1, [])
    assert f"the workflow runs for commit abababababab, but the checkout is at {head[:12]}" in outcome.err
    monkeypatch.setenv("GITHUB_SHA", head)
    assert repository.run().code == 0
    assert state()["commit"] == head


@pytest.mark.usefixtures("in_ci")
def test_a_first_apply_needs_no_history(world: World, checkout: Checkout) -> None:
    checkout.declare(CRM)
    outcome = checkout.run()
    assert (outcome.code, outcome.err) == (0, "")


def test_a_table_without_the_state_is_judged_by_its_records(world: World, repository: Checkout) -> None:
    """A table that an earlier version wrote."""
    a = commit(repository, WIKI)
    commit(repository, CRM, WIKI)
    repository.reconcile(world)
    boto3.resource("dynamodb").Table(TABLE).delete_item(Key=STATE)
    again = repository.run()
    assert (again.code, again.writes, again.stored) == (0, [], True)
    boto3.resource("dynamodb").Table(TABLE).delete_item(Key=STATE)
    git(repository.root, "checkout", "--quiet", a)
    outcome = repository.run()
    assert (outcome.code, outcome.stored) == (1, False)
    assert "this checkout is older than the last applied commit" in outcome.err


@pytest.mark.usefixtures("in_ci")
def test_an_invalid_state_is_an_unknown_history(world: World, repository: Checkout) -> None:
    commit(repository, CRM)
    repository.reconcile(world)
    boto3.resource("dynamodb").Table(TABLE).put_item(Item={**STATE, "commit": "--upload-pack=x", "version": "7"})
    outcome = repository.run()
    assert outcome.code == 1
    assert "the item APPLIED#state is invalid" in outcome.err
    assert repository.run("--accept-history").code == 0
    assert state()["version"] == 1
    assert repository.run().code == 0


class TestWhatIsStored:
    def test_who_applied_what_from_where(
        self, world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head = commit(repository, CRM, WIKI)
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SHA": head,
            "GITHUB_ACTOR": "octocat",
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_REPOSITORY": "mail/users",
            "GITHUB_RUN_ID": "17089",
            "GITHUB_RUN_ATTEMPT": "1",
            "RECONCILE_PULL_REQUEST": "https://github.example.com/mail/users/pull/12",
            "RECONCILE_APPROVER": "alice bob",
        }.items():
            monkeypatch.setenv(name, value)
        repository.reconcile(world)
        found, row = state(), world.row("crm")
        assert row
        for item in (found, row):
            assert item["commit"] == head
            assert item["actor"].startswith(f"arn:aws:sts::{ACCOUNT}:")
            assert item["ci_actor"] == "octocat"
            assert item["run"] == "https://github.example.com/mail/users/actions/runs/17089"
            assert item["correlation_id"] == f"{head[:12]}-17089-1"
        assert (row["pull_request"], row["approver"]) == ("https://github.example.com/mail/users/pull/12", "alice bob")
        assert found["counts"] == {"create": 2, "adopt": 0, "update": 0, "delete": 0}
        assert found["settings"]["allowed_domains"] == ["example.com", "news.example.com"]
        assert "crm@" not in str(found)
        monkeypatch.delenv("GITHUB_ACTIONS")
        commit(repository, an_entry("crm", "new@example.com"), WIKI)
        repository.reconcile(world)
        row = world.row("crm")
        assert row
        assert not {"ci_actor", "run", "pull_request", "approver"} & row.keys()

    @pytest.mark.parametrize("value", ["javascript:alert(1)", "https://example.com/1\nrun=x", "::error::x"])
    def test_a_hostile_variable_is_ignored_with_a_warning(
        self, world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        commit(repository, CRM)
        monkeypatch.setenv("CI", "true")
        monkeypatch.setenv("RECONCILE_PULL_REQUEST", value)
        monkeypatch.setenv("RECONCILE_APPROVER", value)
        outcome = repository.reconcile(world)
        assert "warning: RECONCILE_PULL_REQUEST is ignored: it is not an https URL" in outcome.err
        assert "warning: RECONCILE_APPROVER is ignored: it is not one or more logins" in outcome.err
        row = world.row("crm")
        assert row
        assert not {"pull_request", "approver"} & row.keys()

    def test_a_dirty_tree_is_recorded_and_shown(self, world: World, repository: Checkout) -> None:
        head = commit(repository, CRM)
        repository.declare(CRM, WIKI)
        outcome = repository.run()
        assert f"commit {head[:12]}-dirty · arn:aws:sts::" in outcome.out
        row = world.row("wiki")
        assert row
        assert row["commit"] == state()["commit"] == f"{head}-dirty"
        assert json.loads(repository.run("plan", "--format", "json").out)["origin"]["commit"] == f"{head}-dirty"
        git(repository.root, "commit", "--quiet", "--all", "--message=now")
        assert "contained changes that were not committed" in repository.run().err

    @pytest.mark.usefixtures("world")
    def test_a_dirty_tree_is_refused_on_a_runner_that_hides_it_is_one(
        self, repository: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`CI: false` is common in workflows that build JavaScript."""
        commit(repository, WIKI)
        repository.declare(WIKI, an_entry("crm"))
        monkeypatch.setenv("CI", "false")
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_SHA", git(repository.root, "rev-parse", "HEAD"))
        outcome = repository.run()
        assert (outcome.code, outcome.writes) == (1, [])
        assert "the checkout contains changes that are not in commit" in outcome.err

    @pytest.mark.usefixtures("in_ci", "world")
    def test_a_dirty_tree_is_refused_in_ci(self, repository: Checkout) -> None:
        head = commit(repository, CRM)
        repository.declare(CRM, WIKI)
        outcome = repository.run("--accept-history")
        assert (outcome.code, outcome.writes) == (1, [])
        assert f"refused: the checkout contains changes that are not in commit {head[:12]}" in outcome.err

    def test_two_concurrent_runs_cannot_both_apply_their_plan(
        self, world: World, repository: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(repository, CRM)
        repository.reconcile(world)
        commit(repository, CRM, WIKI)

        def prepare_late(*arguments: Any) -> Any:
            prepared = prepare(*arguments)
            monkeypatch.undo()
            assert repository.run().code == 0
            return prepared

        monkeypatch.setattr(run, "prepare", prepare_late)
        outcome = repository.run()
        assert outcome.code == 1
        assert "error: another run applied in the meantime; nothing was changed" in outcome.err

    def test_a_user_deleted_while_revoked_is_remembered(self, world: World, repository: Checkout) -> None:
        commit(repository, CRM, WIKI)
        repository.reconcile(world)
        world.revoke("crm")
        commit(repository, WIKI)
        repository.reconcile(world)
        commit(repository, an_entry("wiki", "other@example.com"))
        repository.reconcile(world)
        assert state()["revoked_users"]["crm"]["reason"] == "leaked"

    def test_settings_that_differ_come_first_in_the_plan(self, world: World, repository: Checkout) -> None:
        commit(repository, CRM)
        repository.reconcile(world)
        repository.configure(allowed_domains=["example.com", "new.example.com"], allow_wildcards=False)
        shown = repository.run("plan", "--detailed-exitcode")
        assert shown.code == 2
        changed = [line for line in shown.out.splitlines() if line.startswith("Settings that change: ")]
        assert changed == [
            "Settings that change: allow_wildcards: true -> false",
            "Settings that change: allowed_domains: + new.example.com, - news.example.com",
        ]
        assert json.loads(repository.run("plan", "--format", "json").out)["settings"][0].startswith("allow_wildcards")
        assert "**Settings that change:** `allow_wildcards" in repository.run("plan", "--format", "markdown").out
        outcome = repository.run()
        assert (outcome.code, outcome.writes, outcome.stored) == (0, [], True)
        assert "Settings that change" not in repository.run("plan").out

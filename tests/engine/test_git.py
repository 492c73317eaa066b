"""I14: nothing below `users/` is executed, followed or used as configuration."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.engine.git import compare, find_checkout, read_source
from reconciler.planning.history import Relation, Source
from support.runs import Checkout, an_entry
from support.world import World

COMMIT = "ab" * 20


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def plant_bare_repository(folder: Path, marker: Path, setting: str) -> None:
    """Four plain text files, as a pull request can add them: a bare repository that runs a command."""
    command = f'"touch {marker}; false"'
    settings = {
        "uploadpack": f'[remote "origin"]\n\turl = .\n\tpromisor = true\n\tuploadpack = {command}\n',
        "fsmonitor": f"[core]\n\tfsmonitor = {command}\n",
    }
    base = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n"
    for name, text in {
        "HEAD": "ref: refs/heads/main\n",
        "config": base + settings[setting],
        "refs/heads/main": f"{COMMIT}\n",
        "objects/info/x": "\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_the_planted_repository_would_run_its_command(tmp_path: Path) -> None:
    """The attack works with plain Git, so the tests below can fail."""
    plant_bare_repository(tmp_path / "users", tmp_path / "marker", "uploadpack")
    subprocess.run(["git", "-C", str(tmp_path / "users"), "rev-list", "--all"], check=False, capture_output=True)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("setting", ["uploadpack", "fsmonitor"])
@pytest.mark.parametrize("is_checkout", [True, False])
@pytest.mark.parametrize("words", [(), ("plan",)])
def test_no_command_of_a_planted_repository_runs(
    world: World, checkout: Checkout, setting: str, is_checkout: bool, words: tuple[str, ...]
) -> None:
    checkout.declare(an_entry("crm"))
    if is_checkout:
        git(checkout.root, "init")
        git(checkout.root, "add", ".")
        git(checkout.root, "commit", "-m", "users")
    marker = checkout.root / "marker"
    for folder in (checkout.root / "users", checkout.root / "users" / "test"):
        plant_bare_repository(folder, marker, setting)
    checkout.run(*words)
    assert not marker.exists()


@pytest.mark.parametrize("setting", ["uploadpack", "fsmonitor"])
def test_a_bare_repository_in_the_root_of_the_checkout_is_not_used(tmp_path: Path, setting: str) -> None:
    plant_bare_repository(tmp_path, tmp_path / "marker", setting)
    assert find_checkout(tmp_path / "reconcile.yaml") is None
    assert read_source(tmp_path, [tmp_path / "users"]).head == ""
    assert compare(tmp_path, Source(head="cd" * 20), COMMIT).relation is Relation.UNKNOWN
    assert not (tmp_path / "marker").exists()


def test_variables_of_the_caller_do_not_choose_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_bare_repository(tmp_path / "bare", tmp_path / "marker", "uploadpack")
    git(tmp_path, "init", "checkout")
    git(tmp_path / "checkout", "commit", "--allow-empty", "-m", "first")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "bare"))
    source = read_source(tmp_path / "checkout", [])
    assert source.head != COMMIT
    assert compare(tmp_path / "checkout", source, COMMIT).relation is Relation.UNKNOWN
    assert not (tmp_path / "marker").exists()


def test_the_checkout_is_the_nearest_folder_above_with_a_git_entry(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    nested = tmp_path / "a" / "submodule"
    nested.mkdir(parents=True)
    assert find_checkout(nested / "reconcile.yaml") == tmp_path
    (nested / ".git").write_text("gitdir: ../../.git/modules/submodule\n")
    assert find_checkout(nested / "reconcile.yaml") == nested


def test_git_is_not_asked_above_the_checkout(tmp_path: Path) -> None:
    """A `.git` that Git does not accept must not lead to the repository around it."""
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    source = read_source(find_checkout(tmp_path / "inner" / "reconcile.yaml"), [])
    assert (source.head, "not a git repository" in source.cause) == ("", True)


def test_a_file_of_the_checkout_hides_no_manifest_from_the_check_for_changes(tmp_path: Path) -> None:
    git(tmp_path, "init")
    users = tmp_path / "users"
    users.mkdir()
    (users / ".gitignore").write_text("*\n")
    (users / ".gitattributes").write_text("* export-ignore -diff\n")
    git(tmp_path, "add", "--force", ".")
    git(tmp_path, "commit", "-m", "first")
    assert not read_source(tmp_path, [users]).dirty
    (users / "team.yaml").write_text("users: []\n")
    assert read_source(tmp_path, [users]).dirty


def test_a_file_in_another_encoding_than_the_commit_is_not_what_was_reviewed(tmp_path: Path) -> None:
    """The commit shows `\u00d8x2a`, the file is `\\x2a`: in quotes, an asterisk. No status of Git tells it."""
    git(tmp_path, "init")
    users = tmp_path / "users"
    users.mkdir()
    (tmp_path / ".gitattributes").write_text("users/*.yaml working-tree-encoding=ISO646-NO\n")
    (users / "team.yaml").write_bytes(b'users: "\\x2a"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    assert "\u00d8x2a" in subprocess.check_output(["git", "-C", tmp_path, "show", "HEAD:users/team.yaml"], text=True)
    assert read_source(tmp_path, [users]).dirty
    (tmp_path / ".gitattributes").write_text("users/*.yaml -working-tree-encoding text eol=lf\n")
    git(tmp_path, "add", "--renormalize", ".")
    git(tmp_path, "commit", "-m", "second")
    assert not read_source(tmp_path, [users]).dirty


@pytest.mark.parametrize("change", ["edited", "staged", "untracked", "deleted", "hidden", "sparse", "same size"])
def test_what_differs_from_the_commit_is_dirty(tmp_path: Path, change: str) -> None:
    git(tmp_path, "init")
    users, other = tmp_path / "users", tmp_path / "README.md"
    users.mkdir()
    other.write_text("one\n")
    (users / "team.yaml").write_text("users: []\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    (tmp_path / "notes").write_text("untracked, but no input\n")
    clean = read_source(tmp_path, [users, tmp_path / "reconcile.yaml"])
    assert clean.commit == clean.head != ""
    match change:
        case "edited" | "staged":
            other.write_text("two\n")
        case "untracked":
            (users / "new.yaml").write_text("users: []\n")
        case "deleted":
            (users / "team.yaml").unlink()
        case "hidden":
            git(tmp_path, "update-index", "--assume-unchanged", "users/team.yaml")
            (users / "team.yaml").write_text("users: [{}]\n")
        case "sparse":
            git(tmp_path, "update-index", "--skip-worktree", "users/team.yaml")
            (users / "team.yaml").unlink()
        case "same size":
            git(tmp_path, "config", "core.trustctime", "false")
            git(tmp_path, "config", "core.checkStat", "minimal")
            os.utime(users / "team.yaml", (10**9, 10**9))  # Git compares the content of what is as new as its index
            git(tmp_path, "add", "users")
            time.sleep(1.1)  # Git keeps the time of the last change of a file's state in seconds
            (users / "team.yaml").write_text("users: {}\n")
            os.utime(users / "team.yaml", (10**9, 10**9))
    if change == "staged":
        git(tmp_path, "add", "README.md")
    assert read_source(tmp_path, [users, tmp_path / "reconcile.yaml"]).commit == f"{clean.head}-dirty"


def test_manifests_that_the_commit_does_not_contain_are_dirty(tmp_path: Path) -> None:
    """In another folder, or in a submodule: the commit of the checkout does not say what they are."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside / "users", outside):
        folder.mkdir(parents=True)
        (folder / "team.yaml").write_text("users: []\n")
    git(inside, "init")
    git(inside, "add", ".")
    git(inside, "commit", "-m", "first")
    assert not read_source(inside, [inside / "users"]).dirty
    assert read_source(inside, [outside]).dirty
    assert read_source(inside, [inside / "users" / ".." / ".." / "outside"]).dirty
    git(outside, "init")
    git(outside, "add", ".")
    git(outside, "commit", "-m", "theirs")
    git(inside, "-c", "protocol.file.allow=always", "submodule", "add", str(outside), "theirs")
    git(inside, "commit", "-m", "with a submodule")
    assert not read_source(inside, [inside / "users"]).dirty
    assert read_source(inside, [inside / "theirs"]).dirty

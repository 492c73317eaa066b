"""I14: nothing below `users/` is executed, followed or used as configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.engine.provenance import find_checkout, newer_commits
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
    assert newer_commits(tmp_path, [COMMIT]) == []
    assert not (tmp_path / "marker").exists()


def test_variables_of_the_caller_do_not_choose_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_bare_repository(tmp_path / "bare", tmp_path / "marker", "uploadpack")
    git(tmp_path, "init", "checkout")
    git(tmp_path / "checkout", "commit", "--allow-empty", "-m", "first")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "bare"))
    assert newer_commits(tmp_path / "checkout", [COMMIT]) == []
    assert not (tmp_path / "marker").exists()


def test_the_checkout_is_the_nearest_folder_above_with_a_git_entry(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    nested = tmp_path / "a" / "submodule"
    nested.mkdir(parents=True)
    assert find_checkout(nested / "reconcile.yaml") == tmp_path
    (nested / ".git").write_text("gitdir: ../../.git/modules/submodule\n")
    assert find_checkout(nested / "reconcile.yaml") == nested

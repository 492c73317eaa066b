"""I14: the files of a commit are read as data: nothing is checked out, and links and submodules are not followed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.engine import revision
from reconciler.engine.revision import read_commit, resolve_range
from reconciler.errors import InvalidInput, ReconcileError
from reconciler.manifests.environments import load_environments
from reconciler.manifests.loader import load_manifests
from support.repository import Repository, entry

CONFIG, USERS = Path("reconcile.yaml"), Path("users")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path, capsys)
    made.declare(entry("billing"))
    return made


def problems(repository: Repository) -> list[str]:
    """Of the last commit; the working tree is empty."""
    repository.git("rm", "-r", "--cached", "--quiet", ".")
    files = read_commit(repository.root, repository.git("rev-parse", "HEAD"), CONFIG, USERS)
    try:
        load_manifests(USERS, load_environments(CONFIG, files)["test"], files)
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_commit_is_read_without_a_checkout(repository: Repository) -> None:
    commit = repository.commit()
    repository.git("rm", "-r", "--quiet", ".")
    files = read_commit(repository.root, commit, CONFIG, USERS)
    declared = load_manifests(USERS, load_environments(CONFIG, files)["test"], files)
    assert [(found.user.name, found.manifest, found.line) for found in declared.values()] == [
        ("billing", "users/test/team.yaml", 2)
    ]


def test_links_submodules_and_odd_names_are_refused_as_on_disk(repository: Repository) -> None:
    outside = repository.root / "outside.yaml"
    outside.write_text("users: []\n")
    (repository.root / "users/test/link.yaml").symlink_to(outside)
    (repository.root / "users/test/sub").mkdir()
    (repository.root / "users/test/sub/a.yaml").write_text("users: []\n")
    (repository.root / "users/test/notes.txt").write_text("")
    (repository.root / "users/test/\x1b[2J.yaml").write_text("users: []\n")
    repository.commit()
    submodule = f"160000,{repository.git('rev-parse', 'HEAD')},users/test/module.yaml"
    repository.git("update-index", "--add", "--cacheinfo", submodule)
    repository.git("commit", "--message", "submodule")
    assert problems(repository) == [
        "users/test/\x1b[2J.yaml: the name contains the character U+001B",
        "users/test/link.yaml: is a link; links are not followed",
        "users/test/module.yaml: sub-folders are not read",
        "users/test/notes.txt: is not read: the name of a manifest ends in .yaml or .yml",
        "users/test/sub: sub-folders are not read",
    ]


def test_a_link_in_place_of_the_folder_or_of_the_configuration_is_refused(repository: Repository) -> None:
    (repository.root / "elsewhere").mkdir()
    (repository.root / "users" / "test").rename(repository.root / "elsewhere" / "test")
    (repository.root / "users" / "test").symlink_to("../elsewhere/test")
    repository.commit()
    assert problems(repository) == ["users/test: is a link; links are not followed"]
    (repository.root / "reconcile.yaml").rename(repository.root / "other.yaml")
    (repository.root / "reconcile.yaml").symlink_to("other.yaml")
    with pytest.raises(InvalidInput) as caught:
        load_environments(CONFIG, read_commit(repository.root, repository.commit(), CONFIG, USERS))
    assert str(caught.value.problems[0]) == "reconcile.yaml: the file cannot be read: it is a link"


def test_a_file_that_is_too_large_is_refused_unread(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("users/test/large.yaml", "#" * 1_000_001)
    commit = repository.commit()
    assert problems(repository) == ["users/test/large.yaml: the file has 1.0 MB; the limit is 1 MB"]
    monkeypatch.setattr(revision, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(ReconcileError, match="the manifests have 0 MB"):
        read_commit(repository.root, commit, CONFIG, USERS)


def test_a_file_that_does_not_exist_is_reported(repository: Repository) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_environments(Path("other.yaml"), read_commit(repository.root, repository.commit(), CONFIG, USERS))
    assert str(caught.value.problems[0]) == "other.yaml: the file cannot be read: no such file or directory"


def test_only_files_of_the_checkout_can_be_compared(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError, match="is not in the checkout"):
        read_commit(repository.root, repository.commit(), CONFIG, tmp_path.parent / "users")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere", "'nowhere' is not a commit of this clone"),
        ("main..nowhere", "'nowhere' is not a commit of this clone"),
        ("--upload-pack=x", "'--upload-pack=x' is not a commit of this clone"),
        ("main\n..main", "'main\\n' is not a commit of this clone"),
        ("HEAD:users", "'HEAD:users' is not a commit of this clone"),
    ],
)
def test_what_is_no_commit_is_refused(repository: Repository, text: str, message: str) -> None:
    repository.commit()
    with pytest.raises(ReconcileError) as caught:
        resolve_range(repository.root, text)
    assert (caught.value.message, caught.value.hint) == (message, "fetch it, or name another commit or branch")


def test_a_clone_without_a_main_branch_says_so(repository: Repository) -> None:
    repository.commit()
    repository.git("branch", "--move", "main", "trunk")
    with pytest.raises(ReconcileError, match="this clone has no main branch") as caught:
        resolve_range(repository.root, "")
    assert "reconcile diff BASE" in caught.value.hint


def test_commits_that_have_nothing_in_common(repository: Repository) -> None:
    repository.commit()
    repository.git("checkout", "--orphan", "other")
    repository.declare(entry("crm"))
    repository.commit()
    with pytest.raises(ReconcileError, match="main and HEAD have no common commit in this clone") as caught:
        resolve_range(repository.root, "")
    assert caught.value.hint == "name the base: reconcile diff BASE"


def test_a_shallow_and_detached_clone_as_ci_makes_it(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository.commit()
    repository.declare(entry("crm"))
    repository.commit()
    clone = tmp_path_factory.mktemp("clone")
    source = f"file://{repository.root}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", "--detach"], check=True)
    base, _ = resolve_range(clone, "")
    assert base.label == "origin/HEAD"
    for text in ("HEAD~1", "main~1..HEAD"):
        with pytest.raises(ReconcileError, match="is not a commit of this clone") as caught:
            resolve_range(clone, text)
        assert caught.value.hint.startswith("set fetch-depth: 0 in the workflow")


def test_a_partial_clone_without_the_files_says_so(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    commit = repository.commit()
    clone = tmp_path_factory.mktemp("clone")
    command = [
        "git",
        "clone",
        "--quiet",
        "--no-checkout",
        "--filter=blob:none",
        f"file://{repository.root}",
        str(clone),
    ]
    subprocess.run(command, check=True)
    with pytest.raises(ReconcileError, match="partial clone"):
        read_commit(clone, commit, clone / CONFIG, clone / USERS)


def test_a_file_that_is_missing_is_reported(repository: Repository) -> None:
    commit = repository.commit()
    name = repository.git("rev-parse", "HEAD:reconcile.yaml")
    (repository.root / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(ReconcileError, match="a file of the commit is missing in this clone"):
        read_commit(repository.root, commit, CONFIG, USERS)


def test_a_checkout_that_git_cannot_read(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(ReconcileError, match="Git failed"):
        resolve_range(tmp_path, "HEAD")
    with pytest.raises(ReconcileError, match="Git failed"):
        read_commit(tmp_path, "ab" * 20, tmp_path / CONFIG, tmp_path / USERS)

"""`reconcile init`: a new repository works at once, and no existing file changes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from reconciler.cli import main as cli
from reconciler.engine.own_repository import WORKFLOWS, plan_files
from reconciler.pipeline.lambda_zip import ROOT

SHA = "0123456789abcdef0123456789abcdef01234567"
ACTION = f"example-org/ses-smtp-users@{SHA}"
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")
NEXT = ["next:", "  git init", "  reconcile validate"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_new_repository_is_valid_and_users_can_be_added(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "."]) == 0
    created = set(contents(folder))
    assert created == {
        ".gitignore", ".pre-commit-config.yaml", "CODEOWNERS", "README.md", "reconcile.yaml",
        "schema/reconcile.schema.json", "schema/users.schema.json", "users/sandbox/platform.yaml",
    }  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8 files created in ./"
    assert "no pipelines: pass --action OWNER/REPOSITORY@SHA, the commit of this project that they run" in lines
    assert lines[-5:-2] == NEXT
    command = lines[-2].split()
    assert cli.run(command[1:]) == 0
    assert cli.run(["validate"]) == 0
    assert capsys.readouterr().out.endswith("sandbox: 2 users in 2 manifests, valid\n")


def test_every_modeline_leads_to_a_schema(folder: Path) -> None:
    assert cli.run(["init", "."]) == 0
    assert cli.run(["add", "crm", "-e", "sandbox", "--from", "crm@example.com", "--owner", "new@example.com"]) == 0
    manifests = [folder / "reconcile.yaml", *folder.glob("users/*/*.yaml")]
    assert len(manifests) == 3
    for path in manifests:
        found = MODELINE.match(path.read_text())
        assert found, path
        schema = (path.parent / found[1]).resolve()
        assert schema.relative_to(folder) == Path("schema") / schema.name
        assert schema.read_bytes() == (ROOT / "schema" / schema.name).read_bytes()


def test_the_folder_is_created_and_named_in_the_next_steps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "new/mail users", "--action", ACTION]) == 0
    out = capsys.readouterr().out
    assert "next:\n  cd 'new/mail users'\n  git init\n" in out
    assert "no pipelines" not in out
    assert {f".github/workflows/{name}.yml" for name in WORKFLOWS} <= set(contents(folder / "new" / "mail users"))


def test_an_existing_repository_keeps_its_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    (folder / "notes.txt").write_text("ours")
    assert cli.run(["init", "."]) == 0
    assert "git init" not in capsys.readouterr().out
    before = contents(folder)
    assert cli.run(["init", "."]) == 0
    assert capsys.readouterr().out.startswith("0 files created in ./\n")
    assert contents(folder) == before
    assert before["notes.txt"] == "ours"


def test_nothing_is_written_where_a_file_would_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("ours")
    (folder / "users").mkdir()
    (folder / "users" / "sandbox").symlink_to("/nowhere")
    (folder / "CODEOWNERS").symlink_to("/nowhere/either")
    assert cli.run(["init", "."]) == 1
    err = capsys.readouterr().err
    assert "2 files would be overwritten: CODEOWNERS, README.md" in err
    (folder / "README.md").unlink()
    (folder / "CODEOWNERS").unlink()
    assert cli.run(["init", "."]) == 1
    assert "users/sandbox/platform.yaml would be written through a link" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["users"]


@pytest.mark.parametrize("action", ["o/r@main", "o/r@v1.0.0", "o/r", f"o/r@{SHA[:-1]}", f"o/r@{SHA}0", f"r@{SHA}",
                                    f"o/r@{SHA}\n", f"../r/x@{SHA}"])  # fmt: skip
def test_only_a_commit_can_be_pinned(action: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", ".", "--action", action]) == 1
    assert "--action is not OWNER/REPOSITORY@SHA" in capsys.readouterr().err
    assert contents(folder) == {}


def test_the_proposed_environments_are_those_of_this_project() -> None:
    """They are tested there: uncommented, they are valid but for their example values."""
    start = "  # test:\n"
    ours, theirs = (ROOT / "reconcile.yaml").read_text(), plan_files(None, "")["reconcile.yaml"]
    assert theirs[theirs.index(start) :] == ours[ours.index(start) :]

"""I14: only `ENV/*.yaml` below users/ is read. Everything else is reported, and nothing is followed or waited for."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli import main as cli
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import load_environment
from reconciler.manifests.loader import load_manifests
from reconciler.manifests.yaml_source import read_source
from support.offline import Bad, lay_out, manifest

SECRET = "the first line of a file elsewhere"


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two valid environments; the current folder is the checkout."""
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    (tmp_path / "users/strict").mkdir()
    (tmp_path / "users/strict/a.yaml").write_text(manifest(), encoding="utf-8")
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "users"


def problems(env: str = "test") -> list[Problem]:
    try:
        load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), env))
    except InvalidInput as error:
        return [*error.problems]
    return []


def file(path: Path) -> None:
    path.write_text(manifest(name="other"), encoding="utf-8")


def folder(path: Path) -> None:
    path.mkdir()
    file(path / "b.yaml")


def link(path: Path) -> None:
    path.symlink_to("../../secret")


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_folder(path: Path) -> None:
    path.symlink_to(".")


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket may have 107 bytes
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


LINK = "is a link; links are not followed"
IN_ENVIRONMENT = [
    (link, "b.yaml", LINK),
    (dangling_link, "b.yaml", LINK),
    (link_to_folder, "b.yaml", LINK),
    (link_to_folder, "team", LINK),
    (link_to_device, "b.yml", LINK),
    (link, "b.txt", LINK),
    (pipe, "b.yaml", "is a pipe, not a regular file"),
    (unix_socket, "b.yaml", "is a socket, not a regular file"),
    (folder, "team", "sub-folders are not read"),
    (folder, "b.yaml", "sub-folders are not read"),
    (folder, "README", "sub-folders are not read"),
    (file, "b.yaml\x1b[2K.yaml", "the name contains the character U+001B"),
    (file, "b\u202e.yaml", "the name contains the character U+202E"),
    (file, "b\u200b.yaml", "the name contains the character U+200B"),
    (file, "b\u2028.yaml", "the name contains the character U+2028"),
    (file, "README\u202e.md", "the name contains the character U+202E"),
    (file, ".keep\u202e", "the name contains the character U+202E"),
    (file, ".gitattributes", "configures Git; nothing here is used as configuration"),
    (file, ".gitmodules", "configures Git; nothing here is used as configuration"),
]


@pytest.mark.parametrize(("make", "name", "told"), IN_ENVIRONMENT)
def test_what_is_no_manifest_in_the_folder_of_an_environment_is_reported(
    make: Callable[[Path], None], name: str, told: str, users: Path
) -> None:
    make(users / "test" / name)
    (problem,) = problems()
    assert (problem.path, problem.message) == (f"users/test/{name}", told)
    assert problem.hint
    assert SECRET not in str(problem)


def test_a_name_that_is_not_utf_8_is_shown_with_its_bytes(users: Path) -> None:
    with open(os.fsencode(users / "test") + b"/b\xff.yaml", "w") as made:  # noqa: PTH123 - bytes
        made.write(manifest(name="other"))
    (problem,) = problems()
    assert (problem.path, problem.message) == ("users/test/b\\xff.yaml", "the name is not UTF-8")


IN_USERS = [
    (file, "team.yaml", "belongs to no environment", "move it to users/<environment>/, one of: strict, test"),
    (file, "README.yaml", "belongs to no environment", "move it to users/<environment>/, one of: strict, test"),
    (file, "HEAD", "is not a manifest and is not read", "only README and dot-files may be here"),
    (folder, "tset", "belongs to no environment", "did you mean test/? environments: strict, test"),
    (folder, "TEST", "belongs to no environment", "did you mean test/? environments: strict, test"),
    (folder, "objects", "belongs to no environment", "environments: strict, test"),
    (link, "config", LINK, "remove it"),
    (link_to_folder, "prod", LINK, "remove it"),
    (pipe, "x.yaml", "is a pipe, not a regular file", "remove it"),
]


@pytest.mark.parametrize(("make", "name", "told", "hint"), IN_USERS)
def test_what_is_no_environment_in_users_is_reported_for_every_environment(
    make: Callable[[Path], None], name: str, told: str, hint: str, users: Path
) -> None:
    make(users / name)
    for env in ("test", "strict"):
        (problem,) = problems(env)
        assert (problem.path, problem.message, problem.hint) == (f"users/{name}", told, hint)


@pytest.mark.parametrize("make", [link_to_folder, dangling_link, link, file, pipe])
def test_an_environment_that_is_no_folder_is_reported(make: Callable[[Path], None], users: Path) -> None:
    """A link would let prod follow test."""
    (users / "strict/a.yaml").unlink()
    (users / "strict").rmdir()
    make(users / "strict")
    for env in ("test", "strict"):
        (problem,) = problems(env)
        assert (problem.path, problem.hint) == ("users/strict", "it must be a folder")


def test_users_that_is_a_link_is_reported_and_not_followed(users: Path) -> None:
    users.rename(users.parent / "elsewhere")
    users.symlink_to("elsewhere")
    assert [str(problem) for problem in problems()] == [f"users: {LINK}"]


def test_readme_and_dot_files_are_ignored_whatever_they_are(users: Path) -> None:
    for parent in (users, users / "test"):
        for make, name in (
            (file, "README"),
            (link, "README.md"),
            (file, ".team.yaml"),
            (folder, ".git"),
            (dangling_link, ".link"),
            (link_to_folder, ".config"),
            (pipe, ".pipe"),
        ):
            make(parent / name)
    assert problems() == []


def test_a_manifest_called_readme_is_a_manifest(users: Path) -> None:
    file(users / "test" / "README.yaml")
    found = load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    assert sorted(found) == ["billing-mailer", "other"]


def test_a_folder_that_cannot_be_read_is_reported(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def denied(path: Path) -> object:
        if Path(path).name == "test":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert [str(problem) for problem in problems()] == ["users/test: the folder cannot be read: permission denied"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (link, "it is a link"),
        (dangling_link, "it is a link"),
        (pipe, "not a regular file"),
        (folder, "is a directory"),
    ],
)
def test_a_file_that_is_replaced_after_the_check_is_not_followed(
    make: Callable[[Path], None], told: str, users: Path
) -> None:
    make(users / "test" / "b.yaml")
    (problem,) = read_source(users / "test" / "b.yaml", "b.yaml").problems
    assert str(problem) == f"b.yaml: the file cannot be read: {told}"


@pytest.mark.parametrize("make", [link, pipe])
def test_the_settings_are_a_regular_file_too(make: Callable[[Path], None], users: Path) -> None:
    settings = users.parent / "reconcile.yaml"
    settings.unlink()
    make(settings)
    with pytest.raises(InvalidInput) as caught:
        load_environment(Path("reconcile.yaml"), "test")
    (problem,) = caught.value.problems
    assert str(problem).startswith("reconcile.yaml: the file cannot be read: ")


def test_validate_reports_every_folder_once(users: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file(users / "x\n\x1b[2K.yaml")
    file(users / "HEAD")
    (users / "test" / "a.yaml").rename(users / "test" / "a.ymal")
    link(users / "strict" / "b.yaml")
    assert cli.run(["validate"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if not line.startswith("  hint: ")] == [
        "users/HEAD: is not a manifest and is not read",
        f"users/strict/b.yaml: {LINK}",
        "users/test/a.ymal: is not read: the name of a manifest ends in .yaml or .yml",
        "users/x\\n\\x1b[2K.yaml: the name contains the character U+000A",
        "error: 4 problems found; nothing was changed",
    ]


def test_apply_and_plan_use_the_same_check(users: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """I9: a manifest that was renamed by mistake would delete its users."""
    (users / "test" / "b.yaml.disabled").write_text(manifest(name="other"), encoding="utf-8")
    for command in (["plan"], ["apply", "--yes"], []):
        assert cli.run([*command, "--env", "test"]) == 1
        assert "users/test/b.yaml.disabled: is not read" in capsys.readouterr().err

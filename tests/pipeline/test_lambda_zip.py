"""The Lambda zip: the same bytes for the same input, and nothing in it that it does not need."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli import main as cli
from reconciler.errors import ReconcileError
from reconciler.pipeline import lambda_zip
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import LOCK, ROOT, build_zip

FORBIDDEN = (
    "click",
    "dns",
    "jsonschema",
    "yaml",
    "boto3",
    "botocore",
    "reconciler/cli/main.py",
    "reconciler/sandbox",
    "tests",
)
HANDLERS = [function.handler.rpartition(".")[0] for function in load_pipeline("any").functions.values()]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(tmp_path_factory.mktemp("build") / "lambda.zip")


@pytest.fixture(scope="module")
def run_as_on_lambda(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Runs a program with the zip, the standard library, and boto3 with what it brings. Returns what it prints."""
    task, runtime = tmp_path_factory.mktemp("task"), tmp_path_factory.mktemp("runtime")
    zipfile.ZipFile(code).extractall(task)
    packages = Path(pytest.__file__).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(packages / name)

    def run(program: str) -> str:
        program = f"import sys; sys.path[:0] = sys.argv[1:]; {program}"
        command = [sys.executable, "-I", "-S", "-W", "error::ImportWarning", "-c", program, str(task), str(runtime)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert str(task) in done.stdout
        return done.stdout

    return run


def test_the_same_input_gives_the_same_bytes(code: Path, tmp_path: Path) -> None:
    os.utime(ROOT / "reconciler" / "manager" / "converge.py")
    assert build_zip(tmp_path / "again.zip").read_bytes() == code.read_bytes()


def test_it_contains_the_second_half_only_and_no_compiled_code(code: Path) -> None:
    names = zipfile.ZipFile(code).namelist()
    assert "reconciler/manager/handlers/stream.py" in names
    assert not [name for name in names if name.startswith(FORBIDDEN)]
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc"))]


def test_it_stays_small(code: Path) -> None:
    assert code.stat().st_size < 3_000_000


def test_its_handlers_import_with_the_boto3_of_the_runtime_only(run_as_on_lambda: Callable[[str], str]) -> None:
    for handler in HANDLERS:
        printed = run_as_on_lambda(
            f"import {handler}; loaded = {{name.partition('.')[0] for name in sys.modules}};"
            "print(loaded & {'click', 'jsonschema', 'yaml', 'ministack'}, reconciler.__file__)"
        )
        assert printed.startswith("set() ")


def test_it_contains_exactly_the_modules_that_its_handlers_load(
    code: Path, run_as_on_lambda: Callable[[str], str]
) -> None:
    printed = run_as_on_lambda(
        f"import {', '.join(HANDLERS)};"
        "print(*(sys.modules[name].__file__ for name in sys.modules if name.partition('.')[0] == 'reconciler'))"
    )
    loaded = {"reconciler/" + path.partition("/reconciler/")[2] for path in printed.split()}
    assert loaded == {name for name in zipfile.ZipFile(code).namelist() if name.startswith("reconciler/")}


def test_the_lock_has_one_wheel_for_each_dependency() -> None:
    """With the hashes of compiled wheels in it, the zip would depend on the machine. `make lock` removes them."""
    text = LOCK.read_text(encoding="utf-8")
    assert len(re.findall(r"--hash=", text)) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 0


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As in an environment without a checkout; returns the user's cache folder."""
    monkeypatch.setattr(lambda_zip, "_is_checkout", lambda: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ses-smtp-reconciler"


def test_the_command_writes_the_same_bytes_and_says_their_hash(
    code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "smtp.zip"
    assert cli.run(["package", "--output", str(target)]) == 0
    assert target.read_bytes() == code.read_bytes()
    assert capsys.readouterr().out.split()[-1] == hashlib.sha256(code.read_bytes()).hexdigest()
    assert [*target.parent.iterdir()] == [target]


@pytest.fixture
def without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As in an environment that uv made; returns the only folder of PATH."""
    monkeypatch.setattr(lambda_zip, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    (tmp_path / "path").mkdir()
    return tmp_path / "path"


def test_an_installed_package_builds_in_the_cache_folder(code: Path, installed: Path) -> None:
    path = build_zip()
    assert path == installed / "lambda.zip"
    assert path.read_bytes() == code.read_bytes()


@pytest.mark.usefixtures("installed")
def test_uv_installs_the_same_files_as_pip(code: Path, without_pip: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv
    (without_pip / "uv").symlink_to(uv)
    assert build_zip().read_bytes() == code.read_bytes()


@pytest.mark.usefixtures("without_pip")
def test_without_pip_and_uv_it_says_what_to_install(installed: Path) -> None:
    with pytest.raises(ReconcileError, match="needs pip or uv") as raised:
        build_zip()
    assert "ensurepip" in raised.value.hint
    assert not installed.exists()


@pytest.mark.usefixtures("installed")
def test_a_cache_folder_that_cannot_be_written_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with pytest.raises(ReconcileError, match=r"the Lambda zip cannot be written: .*/dev/null") as raised:
        build_zip()
    assert raised.value.hint == "set XDG_CACHE_HOME to a folder that you can write to"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("value", ["", "relative"])
def test_the_cache_folder_is_in_the_home_folder_by_default(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    known = lambda_zip._dependencies(ROOT / "build")  # not installed again: another test does that
    (tmp_path / ".cache" / "ses-smtp-reconciler").mkdir(parents=True)
    (tmp_path / ".cache" / "ses-smtp-reconciler" / known.name).symlink_to(known)
    assert build_zip() == tmp_path / ".cache" / "ses-smtp-reconciler" / "lambda.zip"


@pytest.mark.usefixtures("installed")
def test_a_dependency_that_cannot_be_installed_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("wrapt==2.5.2 --hash=sha256:" + 64 * "0" + "\n")
    monkeypatch.setattr(lambda_zip, "LOCK", lock)
    with pytest.raises(ReconcileError, match="dependencies of the Lambda zip cannot be installed: ERROR"):
        build_zip()

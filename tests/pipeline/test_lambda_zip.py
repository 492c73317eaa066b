"""The Lambda zip: the same bytes for the same input, and nothing in it that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reconciler.pipeline.lambda_zip import ROOT, build_zip

FORBIDDEN = (
    "click",
    "jsonschema",
    "yaml",
    "boto3",
    "botocore",
    "reconciler/cli/main.py",
    "reconciler/sandbox",
    "tests",
)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(tmp_path_factory.mktemp("build") / "lambda.zip")


def test_the_same_input_gives_the_same_bytes(code: Path, tmp_path: Path) -> None:
    os.utime(ROOT / "reconciler" / "manager" / "converge.py")
    assert build_zip(tmp_path / "again.zip").read_bytes() == code.read_bytes()


def test_it_holds_the_second_half_only_and_no_compiled_code(code: Path) -> None:
    names = zipfile.ZipFile(code).namelist()
    assert "reconciler/manager/handlers/stream.py" in names
    assert not [name for name in names if name.startswith(FORBIDDEN)]
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc"))]


def test_it_stays_lean(code: Path) -> None:
    assert code.stat().st_size < 3_000_000


def test_its_handler_imports_where_only_the_runtimes_boto3_is(code: Path, tmp_path: Path) -> None:
    """As on Lambda: the zip, the standard library, and boto3 with what it brings."""
    zipfile.ZipFile(code).extractall(tmp_path / "task")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    packages = Path(pytest.__file__).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(packages / name)
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]; import reconciler.manager.handlers.stream;"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        "print(loaded & {'click', 'jsonschema', 'yaml', 'ministack'}, reconciler.__file__)"
    )
    command = [sys.executable, "-I", "-S", "-W", "error::ImportWarning", "-c", program]
    done = subprocess.run([*command, str(tmp_path / "task"), str(runtime)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("set() ")
    assert str(tmp_path / "task") in done.stdout

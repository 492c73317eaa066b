"""Users from the manifest to `active` on the sandbox: the real Lambda zip on a local AWS."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT
from scripts.bench.dataset import FIRST, write_repository
from scripts.bench.measure import Command, measure
from scripts.bench.paths import ENVIRON, TESTS_PYTHON

TIMEOUT = 1200  # seconds


@dataclass(frozen=True, slots=True)
class SandboxRun:
    users: int
    seconds: float
    calls: int  # of the functions
    again: float  # seconds of the same command once more: nothing to do


def run_on_sandbox(folder: Path, users: int) -> SandboxRun:
    write_repository(folder, users)
    config = folder / "reconcile.yaml"
    text = config.read_text(encoding="utf-8").replace(f"  {FIRST}:\n", "  sandbox:\n    local: true\n")
    config.write_text(text, encoding="utf-8")
    (folder / "users" / FIRST).rename(folder / "users" / "sandbox")
    reconcile = (TESTS_PYTHON, "-m", "reconciler")
    words = [*reconcile, "apply", "--env", "sandbox", "--yes", f"--allow-creates={users}", f"--timeout={TIMEOUT}"]
    hook, calls = _note_calls(folder)
    measure(
        Command([*reconcile, "sandbox", "up"], folder, {"PYTHONPATH": f"{hook}{os.pathsep}{ENVIRON['PYTHONPATH']}"})
    )
    try:
        first = _seconds(Command(words, folder))
        made = sum('"by": ""' not in line for line in calls.read_text(encoding="utf-8").splitlines())
        again = _seconds(Command(words, folder))
    finally:
        measure(Command([*reconcile, "sandbox", "down"], folder))
    return SandboxRun(users, first, made, again)


def _note_calls(folder: Path) -> tuple[Path, Path]:
    """A copy of the hook of the tests, which notes each AWS call of the functions in a file, and that file."""
    hook, calls = folder / "hook", folder / "calls"
    shutil.copytree(ROOT / "tests" / "hook", hook, ignore=shutil.ignore_patterns("__pycache__"))
    calls.touch()
    (hook / "notes.json").write_text(json.dumps({"calls": str(calls)}), encoding="utf-8")
    return hook, calls


def _seconds(command: Command) -> float:
    began = time.monotonic()
    measure(command)
    return time.monotonic() - began

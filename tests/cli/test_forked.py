"""A forked process, in which most tests run commands, behaves as a new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.forked import run_forked
from support.offline import Bad, lay_out, manifest

SHOW = """
import os, sys, warnings
print(sys.argv[1:], os.getcwd(), os.environ["SHOWN"], os.environ.get("HIDDEN"), __name__, sys.path[0])
print(sys.stdin.read(), sys.stdin.isatty(), sys.stdout.isatty(), os.getpid() != os.getppid(), file=sys.stderr)
print(sys.warnoptions, len(sys.argv), [*filter(os.path.exists, map("/proc/self/fd/{}".format, range(3, 20)))])
sys.exit({"none": None, "seven": 7, "text": "why"}[sys.argv[1]])
"""


@pytest.mark.parametrize("exit_with", ["none", "seven", "text"])
def test_a_forked_process_behaves_as_a_new_one(exit_with: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shown.py").write_text(SHOW)
    monkeypatch.setenv("HIDDEN", "of this process only")
    environ = {"PATH": os.environ["PATH"], "SHOWN": "ä"}
    command = [sys.executable, "-W", "error", "-m", "shown", exit_with, "ü"]
    new = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    forked = run_forked("shown", exit_with, "ü", cwd=tmp_path, environ=environ, options=("-W", "error"))
    assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)


def test_runs_do_not_see_each_other(tmp_path: Path) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    words = ("--config", "reconcile.yaml", "--users", "users", "validate", "--env", "test")
    first = run_forked("reconciler", *words, cwd=tmp_path)
    (tmp_path / "users" / "test" / "a.yaml").write_text("users: 1")
    assert [first.returncode, run_forked("reconciler", *words, cwd=tmp_path).returncode] == [0, 1]


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("import time, pathlib\nwhile True: time.sleep(1)")
    with pytest.raises(subprocess.TimeoutExpired):
        run_forked("endless", cwd=tmp_path, timeout=0.1)
    assert run_forked("reconciler", "--version", cwd=tmp_path).returncode == 0

"""`reconcile sandbox up|down|status`: one starts, the same one is found again, nothing is left behind."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT
from reconciler.sandbox.emulator import find_server


def sandbox(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconciler", "--sandbox-dir", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, **environ})


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_up_twice_status_down_twice(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    assert sandbox(folder, "sandbox", "status").returncode == 1
    # Whatever AWS settings the person has: they are neither used nor handed on.
    mine = {"AWS_PROFILE": "no-such-profile", "AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SECRET_ACCESS_KEY": "mine"}
    up = sandbox(folder, "sandbox", "up", **mine)
    assert up.returncode == 0, up.stderr
    server = find_server(folder)
    assert server
    try:
        assert listens(server.port)
        assert f"pid {server.pid}" in sandbox(folder, "sandbox", "up").stdout
        assert server.endpoint in sandbox(folder, "sandbox", "status").stdout
        environ = Path(f"/proc/{server.pid}/environ")
        if environ.exists():
            assert b"AKIAMINE" not in environ.read_bytes()
        taken = sandbox(tmp_path / "other", "sandbox", "up", "--port", str(server.port))
        assert taken.returncode == 1
        assert f"port {server.port} is in use" in taken.stderr
    finally:
        down = sandbox(folder, "sandbox", "down")
    assert down.stdout == "sandbox is down\n"
    assert not listens(server.port)
    assert not folder.exists()
    state = subprocess.run(["ps", "-p", str(server.pid), "-o", "stat="], capture_output=True, text=True).stdout
    assert not state or state.startswith("Z")  # ended; its parent may not have asked yet
    assert sandbox(folder, "sandbox", "down").stdout == "sandbox was not up\n"


def test_a_command_without_its_sandbox_says_how_to_start_it(tmp_path: Path) -> None:
    run = sandbox(tmp_path, "status", "--env", "sandbox")
    assert run.returncode == 1
    assert run.stderr == "error: the sandbox is not running\n  hint: start it: reconcile sandbox up\n"


def test_the_demo_shows_every_step_and_leaves_nothing(tmp_path: Path) -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert demo.returncode == 0, demo.stderr
    for words in (
        "Plan: 7 to create",
        "Nothing to do: 7 unchanged.",
        "gains docs@example.com",
        "disabled: its access key becomes inactive",
        "build-server: removed",
        "Nothing is left running.",
    ):
        assert words in demo.stdout
    assert re.search(r"from docs@example.com +allowed", demo.stdout)
    assert re.search(r"from billing@example.com +refused", demo.stdout)
    assert [*tmp_path.iterdir()] == []

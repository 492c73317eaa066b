"""The emulator process: start it, find it again, stop it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.errors import ReconcileError

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 10
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "SYSTEMROOT")  # never the user's own AWS credentials


@dataclass(frozen=True, slots=True)
class Server:
    """A running emulator, as noted in the sandbox's folder."""

    pid: int
    port: int
    account_id: str
    region: str
    bare: bool = False  # nothing was deployed on it: Terraform does that

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def is_alive(self) -> bool:
        return _is_ours(self.pid) and _answers(self.endpoint)


def find_server(folder: Path) -> Server | None:
    """The server of this sandbox, if one is running."""
    try:
        server = Server(**json.loads(_state_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.is_alive() else None


def start_server(
    folder: Path,
    account_id: str,
    region: str,
    port: int = 0,
    *,
    bare: bool = False,
    extra_env: Mapping[str, str] | None = None,
) -> Server:
    """Start an emulator on the loopback interface. `port` 0 takes a free one. Everything it writes is in `folder`."""
    if importlib.util.find_spec("ministack") is None:
        raise ReconcileError(
            "MiniStack is not installed", "make install, or pip install 'ses-smtp-reconciler[sandbox]'"
        )
    if port and not _is_free(port):
        raise ReconcileError(f"port {port} is in use", "choose another with --port, or leave it out for a free one")
    if folder.exists() and any(folder.iterdir()) and not _state_file(folder).exists():
        raise ReconcileError(f"{folder} is not empty and not a sandbox's", "choose another --sandbox-dir")
    shutil.rmtree(folder, ignore_errors=True)
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    server_port = port or _free_port()
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env |= {
        "GATEWAY_PORT": str(server_port),
        "BIND_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": account_id,
        "MINISTACK_REGION": region,
        "TMPDIR": str(temporary.resolve()),
        "LOG_LEVEL": "INFO",
        "IOT_MTLS_ENABLED": "false",  # it would listen on every interface
        "SFTP_ENABLED": "false",
        **(extra_env or {}),
    }
    server = Server(_spawn(env, folder / "ministack.log"), server_port, account_id, region, bare)
    _state_file(folder).write_text(json.dumps(asdict(server)), encoding="utf-8")
    _wait_until_up(server, folder)
    return server


def _spawn(env: Mapping[str, str], log: Path) -> int:
    """Start it in a process group of its own, so that it outlives the command and Ctrl-C passes it by."""
    write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "ministack"],
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setpgroup=0,
    )


def stop_server(folder: Path) -> bool:
    """Stop the emulator and remove the folder. False when there was none."""
    try:
        server = Server(**json.loads(_state_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return False
    was_ours = _is_ours(server.pid)
    if was_ours:
        _end(server.pid)
    shutil.rmtree(folder, ignore_errors=True)
    return was_ours


def _state_file(folder: Path) -> Path:
    return folder / "server.json"


def _wait_until_up(server: Server, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and _is_ours(server.pid):
        if _answers(server.endpoint):
            return
        time.sleep(0.1)
    log = (folder / "ministack.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    stop_server(folder)
    raise ReconcileError("the local AWS did not start", log[-1] if log else "its log is empty")


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2) as answer:  # noqa: S310 - our own URL
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def _is_ours(pid: int) -> bool:
    """A process of that number that is a MiniStack: numbers are used again."""
    shown = subprocess.run(  # noqa: S603
        ["ps", "-p", str(pid), "-o", "stat=,command="],  # noqa: S607
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return "ministack" in shown and not shown.startswith("Z")


def _end(pid: int) -> None:
    """The server and its functions' processes form one process group."""
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_ours(pid) and time.monotonic() < deadline:
        _reap(pid)
        time.sleep(0.05)
    with suppress(ProcessLookupError, PermissionError):  # gone, or on macOS: nobody left but the dead
        os.killpg(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # another process started it


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

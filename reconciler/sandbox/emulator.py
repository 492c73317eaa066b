"""The emulator of the sandbox: start it, find it again, stop it. Its state is in one private folder."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from reconciler.errors import ReconcileError
from reconciler.sandbox.process import end_process, has_ended, is_running, start_process
from reconciler.sandbox.serve import HOST

START_SECONDS = 60
EXTRA = ("ministack", "psutil")  # the extra `sandbox` installs them
INHERITED = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "SYSTEMROOT")  # never the user's AWS credentials and home folder


@dataclass(frozen=True, slots=True)
class Server:
    """A running emulator, as its folder describes it."""

    pid: int
    token: str  # an argument of its process, which identifies it
    port: int
    account_id: str
    region: str
    bare: bool = False  # nothing is deployed on it: Terraform does that

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def is_running(self) -> bool:
        return is_running(self.pid, self.token)

    def is_alive(self) -> bool:
        return self.is_running() and _answers(self.port)


def require_extra() -> None:
    """Raises ReconcileError where the packages of the sandbox are not installed."""
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        raise ReconcileError(
            f"the sandbox needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed",
            "pip install 'ses-smtp-reconciler[sandbox]'",
        )


def find_server(folder: Path) -> Server | None:
    """The server of this sandbox, if one is running."""
    server = _recorded(folder)
    return server if server and server.is_alive() else None


def start_server(
    folder: Path,
    account_id: str,
    region: str,
    port: int = 0,
    *,
    bare: bool = False,
    extra_env: Mapping[str, str] | None = None,
) -> Server:
    """Start an emulator on the loopback interface. Everything it writes is in `folder`. `port` 0 means a free port."""
    require_extra()
    if port and not _is_free(port):
        raise ReconcileError(f"port {port} is in use", "choose another --port, or omit it to use a free one")
    _prepare(folder)
    server_port = port or _free_port()
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env |= {
        "HOME": str(folder.resolve() / "home"),
        "TMPDIR": str(folder.resolve() / "tmp"),
        "GATEWAY_PORT": str(server_port),
        "MINISTACK_ACCOUNT_ID": account_id,
        "MINISTACK_REGION": region,
        "LOG_LEVEL": "INFO",
        "IOT_MTLS_ENABLED": "false",  # it would listen on every interface
        "SFTP_ENABLED": "false",
        **(extra_env or {}),
    }
    token = secrets.token_hex(16)
    pid = start_process("reconciler.sandbox.serve", token, env, folder / "ministack.log")
    server = Server(pid, token, server_port, account_id, region, bare)
    try:
        _state_file(folder).write_text(json.dumps(asdict(server)), encoding="utf-8")
        _wait_until_up(server, folder)
    except BaseException:
        _remove(server, folder)
        raise
    return server


def stop_server(folder: Path) -> bool:
    """Stop the emulator and remove the folder. False when none was running."""
    server = _recorded(folder)
    if server is None:
        return False
    was_running = server.is_running()
    _remove(server, folder)
    return was_running


def _remove(server: Server, folder: Path) -> None:
    end_process(server.pid, server.token)
    shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path) -> None:
    """Make the folder, empty and private. An emulator that it describes, but that does not answer, is stopped."""
    try:
        if folder.exists() and any(folder.iterdir()) and not _state_file(folder).exists():
            raise ReconcileError(
                f"{folder} is not empty and does not belong to a sandbox", "choose another --sandbox-dir"
            )
        stop_server(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        for name in ("home", "tmp"):
            (folder / name).mkdir()
    except OSError as error:
        raise ReconcileError(f"cannot create the sandbox: {error}", "choose another --sandbox-dir") from None


def _state_file(folder: Path) -> Path:
    return folder / "server.json"


def _recorded(folder: Path) -> Server | None:
    """What the folder describes, whether it runs or not."""
    try:
        server = Server(**json.loads(_state_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    require_extra()  # needed to look at processes
    return server


def _wait_until_up(server: Server, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not has_ended(server.pid):
        if _answers(server.port):
            return
        time.sleep(0.05)
    log = (folder / "ministack.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ReconcileError("the local AWS did not start", log[-1] if log else "its log is empty")


def _answers(port: int) -> bool:
    """Asks directly, whatever proxy the user's environment names."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


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

"""Start a background process, recognise it later, and end it with its children."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 10


def start_process(module: str, token: str, env: Mapping[str, str], log: Path) -> int:
    """Run `python -m module token` in its own process group: it outlives the command, and Ctrl-C does not reach it."""
    write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", module, token],
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setpgroup=0,
    )


def has_ended(pid: int) -> bool:
    """Whether a process that this one started has ended. Its command line may not be readable yet; this is certain."""
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def is_running(pid: int, token: str) -> bool:
    """Whether it is still that process: ids are reused, and start times change when the clock is set."""
    import psutil

    try:
        return token in psutil.Process(pid).cmdline()
    except psutil.Error:  # it ended, is a zombie, or belongs to another user
        return False


def end_process(pid: int, token: str) -> None:
    """End the process and the rest of its group, if it still runs."""
    if not is_running(pid, token):
        return
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(pid, token) and time.monotonic() < deadline:
        _reap(pid)
        time.sleep(0.05)
    with suppress(ProcessLookupError, PermissionError):  # no process is left; macOS: only zombies are left
        os.killpg(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # another process started it
        os.waitpid(pid, os.WNOHANG)

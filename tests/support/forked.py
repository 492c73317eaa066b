"""`python -m MODULE …` in a new process, without the time that Python needs to import everything.

The process is forked from a server that has imported the command line already. It has its own memory, working
directory, environment and standard streams, and ends as Python ends. There is one server for each variant of what
Python reads only at its start: the folder of the imported code, options, and variables such as PYTHONPATH (through
which the rules of `tests/hook` apply).
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess, Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import IO

from reconciler.pipeline.lambda_zip import ROOT

SERVER = Path(__file__).with_name("fork_server.py")
AT_START = ("PYTHON", "LANG", "LC_", "TZ")  # variables that Python reads when it starts


def run_forked(
    module: str,
    *words: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    timeout: float = 120,
) -> Ended:
    """As `subprocess.run([python, *options, "-m", module, *words], capture_output=True, text=True, …)`."""
    environ = os.environ if environ is None else environ
    at_start = tuple(sorted((name, value) for name, value in environ.items() if name.startswith(AT_START)))
    source = cwd if (cwd / "reconciler").is_dir() else ROOT
    server = _server(source, at_start, tuple(options))
    try:
        return server.run({"module": module, "words": words, "folder": str(cwd), "environ": dict(environ)}, timeout)
    except BaseException:
        server.end()
        _server.cache_clear()
        raise


class Ended(CompletedProcess[str]):
    cpu_seconds: float


class _Server:
    """It ends with this process, also with one that is killed: then its socket is closed."""

    def __init__(self, source: Path, environ: Mapping[str, str], options: Sequence[str]) -> None:
        self._socket, other = socket.socketpair()
        self._answers = self._socket.makefile("rb")
        command = [sys.executable, *options, str(SERVER), str(source), str(other.fileno())]
        with other:
            self._process = Popen(command, cwd=source, env={**environ}, pass_fds=[other.fileno()])
        atexit.register(self.end)

    def run(self, request: Mapping[str, object], timeout: float) -> Ended:
        with TemporaryFile() as out, TemporaryFile() as err:
            line = json.dumps(request) + "\n"
            socket.send_fds(self._socket, [line.encode()], [0, out.fileno(), err.fileno()])
            pid = int(self._answers.readline())
            self._socket.settimeout(timeout)
            try:
                code, cpu_seconds = self._answers.readline().split()
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutExpired(line, timeout, _text(out), _text(err)) from None
            self._socket.settimeout(None)
            ended = Ended(line, int(code), _text(out), _text(err))
            ended.cpu_seconds = float(cpu_seconds)
            return ended

    def end(self) -> None:
        self._answers.close()
        self._socket.close()
        self._process.kill()
        self._process.wait()


@cache
def _server(source: Path, at_start: tuple[tuple[str, str], ...], options: tuple[str, ...]) -> _Server:
    return _Server(source, {"PATH": os.environ["PATH"], **dict(at_start)}, options)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")

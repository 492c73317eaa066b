"""The process that `support.forked` starts: it imports what `reconcile` imports, then forks for each run.

    python fork_server.py FOLDER DESCRIPTOR

FOLDER is first in `sys.path`, as the working directory of `python -m`. DESCRIPTOR is a socket, or one that listens, for
clients which may run something at the same time. A request is one JSON line, followed by the descriptors of standard
input, output and error. The answer is the id of the new process, and when it has ended, its exit code and its seconds
of CPU time. Only one run at a time for each client.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pkgutil import walk_packages
from runpy import run_module
from typing import Any

LARGEST = 1 << 20  # bytes of a request
# Not the modules that are run, and not what only the Lambda functions import.
PRELOADED = ("aws", "cli", "core", "engine", "manifests", "output", "pipeline", "planning")
LIBRARIES = ("boto3.session", "botocore.client", "botocore.httpsession", "botocore.signers", "psutil", "jsonschema")


def preload() -> None:
    for folder in PRELOADED:
        package = import_module(f"reconciler.{folder}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    for name in LIBRARIES:
        import_module(name)
    gc.collect()
    gc.freeze()


def accept(listening: socket.socket) -> socket.socket:
    """Returns the connection of a client in the process that is forked for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            return connection
        connection.close()


def serve(connection: socket.socket) -> dict[str, Any]:
    """Returns the request in the process that is forked for it; ends when the client has ended."""
    while True:
        line, descriptors, _, _ = socket.recv_fds(connection, LARGEST, 3)
        if not line:
            os._exit(0)
        while not line.endswith(b"\n"):
            line += connection.recv(LARGEST)
        if pid := os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            connection.sendall(b"%d\n" % pid)
            _, status, used = os.wait4(pid, 0)
            seconds = used.ru_utime + used.ru_stime
            connection.sendall(f"{os.waitstatus_to_exitcode(status)} {seconds}\n".encode())
            continue
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        connection.close()
        request: dict[str, Any] = json.loads(line)
        return request


def main() -> None:
    folder, descriptor = sys.argv[1:]
    sys.path[0] = folder
    preload()
    connection = socket.socket(fileno=int(descriptor))
    is_listening = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    request = serve(accept(connection) if is_listening else connection)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.path[0] = request["folder"]
    sys.argv[1:] = request["words"]
    run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

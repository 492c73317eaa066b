"""A folder with the command `reconcile` for shell scripts, which starts without the time to import everything."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from reconciler.pipeline.lambda_zip import ROOT

HERE = Path(__file__).parent


@contextmanager
def quick_command(**environ: str) -> Iterator[dict[str, str]]:
    """Yields the variables that scripts need. `environ`: of the server, for what Python reads only at its start."""
    with TemporaryDirectory() as made, socket.socket(socket.AF_UNIX) as listening:
        address, script = f"{made}/address", Path(made, "reconcile")
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{HERE / "fork_client.py"}" "$@"\n')
        script.chmod(0o755)
        listening.bind(address)
        listening.listen()
        command = [sys.executable, str(HERE / "fork_server.py"), str(ROOT), str(listening.fileno())]
        server = Popen(command, cwd=ROOT, env={**os.environ, **environ}, pass_fds=[listening.fileno()])
        try:
            path = os.pathsep.join([made, str(Path(sys.executable).parent), os.environ["PATH"]])
            yield {"PATH": path, "FORK_SERVER": address}
        finally:
            server.kill()
            server.wait()

"""A sandbox and a folder for the examples of the documentation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.pipeline.lambda_zip import ROOT
from reconciler.sandbox.emulator import find_server

SECONDS = 180  # for one command
# `edit FILE OLD NEW` replaces text in a manifest; it fails where OLD does not occur. `\n` is a line break.
PRELUDE = r"""
edit() {
  "$PYTHON" - "$@" <<'PYTHON'
import pathlib, sys
path = pathlib.Path(sys.argv[1])
old, new = (text.replace("\\n", "\n") for text in sys.argv[2:])
text = path.read_text(encoding="utf-8")
sys.exit(f"{path} does not contain {old!r}") if old not in text else path.write_text(text.replace(old, new), "utf-8")
PYTHON
}
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A sandbox, and a folder in which commands run against it."""

    root: Path
    added: Mapping[str, str]  # to the environment of the commands

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def sandbox(self) -> Path:
        return self.root / ".sandbox"

    @property
    def environ(self) -> dict[str, str]:
        """Of this machine, without what would change the output; AWS tools reach the sandbox only."""
        dropped = ("AWS_", "GITHUB_", "RECONCILE_", "CI", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        python = Path(sys.executable)
        environ = kept | {
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": str(python),
            "PYTHONUTF8": "1",
            "COLUMNS": "100",
            "LOGNAME": "admin",
            "RECONCILE_SANDBOX": str(self.sandbox),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if server := find_server(self.sandbox):
            environ |= {
                "AWS_ENDPOINT_URL": server.endpoint,
                "AWS_ACCESS_KEY_ID": server.account_id,
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_DEFAULT_REGION": server.region,
            }
        return {**environ, **self.added}

    def run(self, command: str) -> tuple[int, list[str]]:
        """The exit code and the output, both streams together."""
        done = subprocess.run(  # noqa: S603 - the commands of our own documentation
            ["bash", "-c", f"{PRELUDE}\n{command}"],  # noqa: S607
            cwd=self.checkout, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, [line.rstrip() for line in done.stdout.rstrip().splitlines()]

    def must_run(self, command: str) -> None:
        code, output = self.run(command)
        if code:
            raise click.ClickException("\n".join([f"exit code {code}: {command}", *output]))

    def begin_page(self) -> None:
        """The example manifests, and a new sandbox with the users that they declare."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        self.checkout.mkdir()
        shutil.copy(ROOT / "reconcile.yaml", self.checkout)
        shutil.copytree(ROOT / "users", self.checkout / "users")
        self.must_run("reconcile sandbox down && reconcile sandbox up && reconcile --env sandbox")

    def end(self) -> None:
        if self.checkout.exists():
            self.must_run("reconcile sandbox down")


@contextmanager
def workspace(added: Mapping[str, str] | None = None) -> Iterator[Workspace]:
    """Its sandbox is stopped at the end. `added`: to the environment of its commands."""
    with tempfile.TemporaryDirectory(prefix="smtp-docs-") as folder:
        made = Workspace(Path(folder), added or {})
        try:
            yield made
        finally:
            made.end()

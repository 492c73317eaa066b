"""`make check-wheel`: the main workflow with the built wheel, in a new folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from reconciler import __version__
from reconciler.engine.own_repository import plan_files
from reconciler.pipeline.lambda_zip import ROOT

UV = str(Path(sys.executable).with_name("uv"))
WORKFLOW = (
    ("--version",),
    ("init", "."),
    ("validate",),
    ("add", "crm", "--env", "sandbox", "--from", "crm@example.com", "--owner", "marketing@example.com"),
    ("sandbox", "up"),
    ("sandbox", "status"),
    ("--env", "sandbox", "--yes"),
    ("plan", "--env", "sandbox", "--detailed-exitcode"),
    ("status", "--env", "sandbox"),
    ("credentials", "crm", "--env", "sandbox"),
    ("drift", "--env", "sandbox"),
    ("report", "--env", "sandbox", "--out", "../report.html"),
    ("report", "--verify", "../report.html"),
    ("package", "--output", "../lambda.zip"),
)


def install_wheel(folder: Path) -> Path:
    """Build the wheel from a source distribution, install it with its extras, and return the `reconcile` command.

    The dependencies have the locked versions, so that packages come from the cache of `make install`.
    """
    _run(
        [UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder / "dist")]
    )
    wheel = next((folder / "dist").glob("*.whl"))
    python = folder / "venv" / "bin" / "python"
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")])
    constraint = ["--constraint", str(ROOT / "requirements" / "dev.txt")]
    _run([UV, "pip", "install", "--quiet", "--python", str(python), *constraint, f"{wheel}[sandbox,report]"])
    return python.with_name("reconcile")


def run_workflow(command: Path, folder: Path) -> None:
    """An empty folder, an empty home folder, and a PATH without any program but uv, which fetches for the zip."""
    project = folder / "project"
    project.mkdir()
    (folder / "bin").mkdir()
    (folder / "bin" / "uv").symlink_to(UV)
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_")) or name.endswith("_proxy")
    }
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    env = {**kept, "PATH": str(folder / "bin"), "HOME": str(folder / "home"), "UV_CACHE_DIR": cache}
    try:
        for words in WORKFLOW:
            print("$ reconcile", *words, flush=True)
            _run([str(command), *words], project, env)
    finally:
        _run([str(command), "sandbox", "down"], project, env)
    left = {path.name for path in project.iterdir()} - {path.partition("/")[0] for path in plan_files(None, "")}
    if left:
        sys.exit(f"left behind: {', '.join(sorted(left))}")


def _run(command: list[str], folder: Path = ROOT, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=env, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="check-wheel-") as name:
        folder = Path(name)
        run_workflow(install_wheel(folder), folder)
    print(f"the wheel of version {__version__} works on its own")


if __name__ == "__main__":
    main()

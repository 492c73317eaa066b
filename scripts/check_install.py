"""`make check-install`: `make install` chooses the locked versions with every pip, and prints no warning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT

PIPS = ("pip==22.0.2", "pip==23.2.1", "pip")  # of Ubuntu 22.04, of Python 3.11, and the newest
UV = str(Path(sys.executable).with_name("uv"))
LOCK = ROOT / "requirements" / "dev.txt"
# A package index of the user's own pip configuration that does not have the package.
OTHER_INDEX = re.compile(r"WARNING: Location '.*' is ignored: it is neither a file nor a directory\.")


def run(*command: str) -> str:
    """Both streams of the command. CI sees them where it fails."""
    env = {**os.environ, "UV_LINK_MODE": "symlink"}  # fast, and works across file systems
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def warnings(output: str) -> list[str]:
    return [
        line
        for line in output.splitlines()
        if re.search("warning|deprecat", line, re.I) and not OTHER_INDEX.match(line)
    ]


def outside_lock(frozen: str, lock: str) -> list[str]:
    """The installed versions that the lock does not name. pip itself is not installed by `make install`."""
    locked = set(re.findall(r"^[a-z0-9.-]+==[^ ;]+", lock, re.MULTILINE))
    return [line for line in frozen.splitlines() if line not in locked and not line.startswith("pip==")]


def check(pip: str) -> list[str]:
    """What went wrong with that pip."""
    folder = Path(tempfile.mkdtemp(prefix="check-install-"))
    try:
        python = str(folder / "bin" / "python")
        run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        run(UV, "pip", "install", "--quiet", "--python", python, pip)
        version = run(python, "-m", "pip", "--version").split()[1]
        output = run("make", "--no-print-directory", "install", f"VENV={folder}", "QUIET=")
        frozen = run(UV, "pip", "freeze", "--quiet", "--exclude-editable", "--python", python)
    finally:
        shutil.rmtree(folder)
    problems = warnings(output) + [
        f"not in the lock: {line}" for line in outside_lock(frozen, LOCK.read_text(encoding="utf-8"))
    ]
    print(f"pip {version}: {len(frozen.splitlines())} packages, {len(problems) or 'no'} problems")
    return problems


def main() -> None:
    problems = [problem for pip in PIPS for problem in check(pip)]
    sys.exit("\n".join(problems) or None)


if __name__ == "__main__":
    main()

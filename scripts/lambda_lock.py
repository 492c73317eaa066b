"""`make lock`: keep only the hash of each dependency's pure-Python wheel in `reconciler/pipeline/lambda.txt`.

Then every installer picks that wheel on every machine, or fails.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from reconciler.pipeline.lambda_zip import LOCK

PURE = ("--platform=any", "--abi=none", "--implementation=py", "--only-binary=:all:", "--no-deps")


def pure_hashes(lock: Path) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *PURE]
        subprocess.run([*command, "--dest", folder, "--requirement", str(lock)], check=True)  # noqa: S603
        return {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in Path(folder).iterdir()}


def keep_hashes(lock: str, kept: set[str]) -> str:
    """The text of the lock without all other hashes."""
    return re.sub(r" \\\n +--hash=sha256:(\w+)", lambda found: found[0] if found[1] in kept else "", lock)


def main() -> None:
    LOCK.write_text(keep_hashes(LOCK.read_text(encoding="utf-8"), pure_hashes(LOCK)), encoding="utf-8")


if __name__ == "__main__":
    main()

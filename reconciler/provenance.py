"""Who asks: the commit, the actor and the correlation id that a change carries into its row."""

from __future__ import annotations

import getpass
import secrets
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from reconciler.core.record import manager_mark, timestamp
from reconciler.ports import Request


def make_request(environment: str, repository: Path, environ: Mapping[str, str], now: datetime) -> Request:
    """From GitHub's variables in CI, from git and the machine's user elsewhere.

    The correlation id is unique per run and begins with the commit: `3f2a9c81d0e4-17089`.
    """
    commit = environ.get("GITHUB_SHA") or _git_commit(repository)
    run = "-".join(filter(None, (environ.get("GITHUB_RUN_ID"), environ.get("GITHUB_RUN_ATTEMPT"))))
    return Request(
        managed_by=manager_mark(environment),
        commit=commit,
        actor=environ.get("GITHUB_ACTOR") or _local_user(),
        correlation_id=f"{commit[:12] or 'local'}-{run or secrets.token_hex(4)}",
        requested_at=timestamp(now),
    )


def _git_commit(repository: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(repository), "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"

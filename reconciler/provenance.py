"""Who asks: the commit, the actor and the correlation id that a change carries into its row."""

from __future__ import annotations

import getpass
import secrets
import subprocess
from collections.abc import Iterable, Mapping
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


def newer_commits(repository: Path, applied: Iterable[str]) -> list[str]:
    """Those of the applied commits that this checkout is a mere ancestor of: it would undo them.

    Commits that the checkout has never heard of, as in a shallow clone, cannot be judged and are left out.
    """
    descendants = set(_git(repository, "rev-list", "--all", "--ancestry-path", "^HEAD").split())
    return sorted(descendants.intersection(applied))


def _git_commit(repository: Path) -> str:
    return _git(repository, "rev-parse", "HEAD").strip()


def _git(repository: Path, *arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(repository), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"

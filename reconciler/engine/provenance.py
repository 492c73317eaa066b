"""Who requests a change: the commit, the actor and the correlation id that a change carries into its row."""

from __future__ import annotations

import getpass
import os
import secrets
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from reconciler.core.record import manager_tag, timestamp
from reconciler.ports import ChangeRequest


def find_checkout(path: Path) -> Path | None:
    """The root of the checkout that holds `path`: the nearest folder above it with a `.git`.

    Git itself is never asked to search: it would also accept a bare repository made of plain files, which a pull
    request can add, and run the commands that such a repository configures.
    """
    return next((folder for folder in path.absolute().parents if (folder / ".git").exists()), None)


def make_request(environment: str, checkout: Path | None, environ: Mapping[str, str], now: datetime) -> ChangeRequest:
    """From GitHub's variables in CI, from git and the machine's user elsewhere.

    The correlation id is unique per run and begins with the commit: `3f2a9c81d0e4-17089`.
    """
    commit = environ.get("GITHUB_SHA") or _git_commit(checkout)
    run = "-".join(filter(None, (environ.get("GITHUB_RUN_ID"), environ.get("GITHUB_RUN_ATTEMPT"))))
    return ChangeRequest(
        managed_by=manager_tag(environment),
        commit=commit,
        actor=environ.get("GITHUB_ACTOR") or _local_user(),
        correlation_id=f"{commit[:12] or 'local'}-{run or secrets.token_hex(4)}",
        requested_at=timestamp(now),
    )


def newer_commits(checkout: Path | None, applied: Iterable[str]) -> list[str]:
    """Those of the applied commits that this checkout is a mere ancestor of: it would undo them.

    Commits that the checkout has never heard of, as in a shallow clone, cannot be judged and are left out.
    """
    descendants = set(_git(checkout, "rev-list", "--all", "--ancestry-path", "^HEAD").split())
    return sorted(descendants.intersection(applied))


def _git_commit(checkout: Path | None) -> str:
    return _git(checkout, "rev-parse", "HEAD").strip()


# Nothing that a file of the checkout says may run: no bare repository, file system monitor, hook or fetch.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-safebareRepository
_HARDENED = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "protocol.allow=never",
)


def _git(checkout: Path | None, *arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    if checkout is None:
        return ""
    options = [word for setting in _HARDENED for word in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env = kept | {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", *options, "-C", str(checkout), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True, text=True, check=False, timeout=10, env=env,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"

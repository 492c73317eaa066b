"""A Git repository with many commits: each changes one user of one manifest, as pull requests do."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from scripts.bench.dataset import DOMAIN, FIRST, USERS_PER_FILE, entry, manifest_of, write_repository

SAMPLE = f"service-{7 * USERS_PER_FILE:06}"  # the user whose history is read
START = 1_700_000_000  # when the first one was committed, in seconds


def write_commits(folder: Path, users: int, commits: int) -> None:
    """`git fast-import` writes 5,000 commits in seconds. https://git-scm.com/docs/git-fast-import"""
    write_repository(folder, users)
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for words, given in (
        (["init", "--quiet", "--initial-branch=main"], b""),
        (["fast-import", "--quiet"], b"".join(_stream(users, commits))),
        (["reset", "--quiet", "--hard"], b""),
    ):
        subprocess.run(["git", "-C", str(folder), *words], input=given, env=environ, check=True)  # noqa: S603, S607


def _stream(users: int, commits: int) -> Iterator[bytes]:
    chance = random.Random(1)  # noqa: S311
    versions = [0] * users
    for number in range(commits):
        who = f"Someone <someone@{DOMAIN}> {START + 3600 * number} +0000\n"
        message = f"Change {number} (#{number})\n"
        yield f"commit refs/heads/main\nauthor {who}committer {who}data {len(message)}\n{message}\n".encode()
        changed = chance.randrange(users)
        versions[changed] = number
        starts = range(0, users, USERS_PER_FILE) if number == 0 else [changed - changed % USERS_PER_FILE]
        for start in starts:
            text = _manifest(versions, start, min(start + USERS_PER_FILE, users))
            yield f"M 100644 inline {manifest_of(FIRST, start)}\ndata {len(text)}\n{text}\n".encode()


def _manifest(versions: list[int], start: int, end: int) -> str:
    entries = [{**entry(user), "description": f"Version {versions[user]}"} for user in range(start, end)]
    lines = [f"  - name: {one['name']}\n" + "".join(_fields(one)) for one in entries]
    return "users:\n" + "\n".join(lines)


def _fields(one: dict[str, object]) -> Iterator[str]:
    addresses = one["allowed_from_addresses"]
    assert isinstance(addresses, list)  # noqa: S101 - `entry` makes it
    yield f"    description: {one['description']}\n    owner: {one['owner']}\n"
    yield "    allowed_from_addresses:\n" + "".join(f"      - {address}\n" for address in addresses)

"""Links of a report into the repository. Only https, and never with credentials."""

from __future__ import annotations

import re
from urllib.parse import quote

_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_PATH = r"[A-Za-z0-9_~-][\w.~-]*(?:/[A-Za-z0-9_~-][\w.~-]*)+"
# https://git-scm.com/docs/git-clone#_git_urls; a name or token of a user is dropped, and so is the port of SSH.
_REMOTES = (
    re.compile(rf"https://(?:[^@/\s]*@)?({_HOST}(?::\d+)?)/({_PATH})/?", re.ASCII),
    re.compile(rf"(?:ssh://)?(?:[^@/\s]*@)({_HOST})(?::\d+(?=/))?[:/]/?({_PATH})/?", re.ASCII),
)
_PULL_REQUEST = re.compile(rf"https://{_HOST}(?::\d+)?/{_PATH}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def repository_of(remote: str) -> str:
    """The address of a repository's pages, from that of its remote; '' if it has none."""
    for pattern in _REMOTES:
        if found := pattern.fullmatch(remote.strip()):
            return f"https://{found[1]}/{found[2].removesuffix('.git')}"
    return ""


def commit_url(repository: str, commit: str) -> str:
    return f"{_pages(repository)}/commit/{commit}" if repository and _COMMIT.fullmatch(commit) else ""


def manifest_url(repository: str, commit: str, path: str, line: int) -> str:
    if not repository or not path or path.startswith("/") or not _COMMIT.fullmatch(commit):
        return ""
    return f"{_pages(repository)}/blob/{commit}/{quote(path)}{f'#L{line}' if line else ''}"


def pull_request_url(text: str) -> str:
    """The text, if it is the address of a page: a record can contain anything."""
    return text if _PULL_REQUEST.fullmatch(text) else ""


def _pages(repository: str) -> str:
    """GitLab has a separator before its own pages."""
    return f"{repository}/-" if "gitlab" in repository.split("/")[2] else repository

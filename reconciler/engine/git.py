"""Ask Git about the checkout that holds the manifests. Nothing that a file of the checkout says may run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.planning.history import Comparison, Relation, Source

# No bare repository, file system monitor, hook or fetch.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-safebareRepository
_HARDENED = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "protocol.allow=never",
    # A changed file is found, whatever its time and size say.
    "core.trustctime=true",
    "core.checkStat=default",
)
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
SECONDS = 30


class GitError(Exception):
    """Git did not answer: why, and what would help."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix


def find_checkout(path: Path) -> Path | None:
    """The root of the checkout that holds `path`: the nearest folder above it with a `.git`.

    Git itself is never asked to search: it would also accept a bare repository made of plain files, which a pull
    request can add, and run the commands that such a repository configures.
    """
    return next((folder for folder in path.absolute().parents if (folder / ".git").exists()), None)


def read_source(checkout: Path | None, manifests: Iterable[Path]) -> Source:
    """The commit of the checkout, and whether tracked files or the manifests differ from it."""
    if checkout is None:
        return Source(cause="reconcile.yaml is not in a Git checkout", fix="run it in a clone of the repository")
    try:
        head = _ask(checkout, "rev-parse", "--verify", "HEAD^{commit}").strip()
        return Source(head, _is_dirty(checkout, manifests))
    except GitError as error:
        return Source(cause=error.cause, fix=error.fix)


def read_remote(checkout: Path) -> str:
    """The address of the remote `origin`; '' if there is none. It may contain credentials."""
    try:
        return _ask(checkout, "config", "--local", "--get", "remote.origin.url").strip()
    except GitError:
        return ""


def _is_dirty(checkout: Path, manifests: Iterable[Path]) -> bool:
    root, paths = checkout.resolve(), [path.resolve() for path in manifests]
    if any(not path.is_relative_to(root) or _is_in_submodule(root, path) for path in paths):
        return True  # the commit does not say what is there
    if _ask(checkout, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"):
        return True
    inside = ["--", *map(str, paths)]
    # Without --exclude-standard: a .gitignore hides no manifest.
    others = _ask(checkout, "ls-files", "--others", *inside)
    return bool(others) or _is_change_hidden(checkout, inside) or bool(find_converted(checkout, map(str, paths)))


def _is_in_submodule(checkout: Path, path: Path) -> bool:
    folders = (folder for folder in (path, *path.parents) if folder != checkout and folder.is_relative_to(checkout))
    return any((folder / ".git").exists() for folder in folders)


def _is_change_hidden(checkout: Path, inside: list[str]) -> bool:
    """Is a file marked as `assume-unchanged` (a small letter) or `skip-worktree`, as in a sparse checkout (S)?"""
    flags = {line[0] for line in _ask(checkout, "ls-files", "-v", *inside).splitlines()}
    return any(flag.islower() or flag == "S" for flag in flags)


# What Git may change in a file when it checks it out, besides line ends. https://git-scm.com/docs/gitattributes
CONVERSIONS = ("working-tree-encoding", "filter", "ident")


def find_converted(checkout: Path, paths: Iterable[str], commit: str = "") -> list[str]:
    """The files of which a reviewer sees another text than is applied: at a commit, or in the working tree."""
    with TemporaryDirectory() as folder:
        index = f"{folder}/index" if commit else ""
        if commit:
            ask_bytes(checkout, "read-tree", commit, index=index)
        names = ask_bytes(checkout, "ls-files", "-z", "--", *paths, index=index)
        source = ["--cached"] if commit else []
        words = ["check-attr", "-z", "--stdin", *source, *CONVERSIONS]
        found = ask_bytes(checkout, *words, given=names, index=index).split(b"\0")
    answers = zip(found[0::3], found[2::3], strict=False)
    return sorted({os.fsdecode(path) for path, value in answers if value not in (b"unspecified", b"unset")})


def compare(checkout: Path | None, source: Source, commit: str) -> Comparison:
    """How the checkout relates to a commit that was applied."""
    if checkout is None or not source.head:
        return Comparison(Relation.UNKNOWN, commit, source.cause, source.fix)
    if not COMMIT.fullmatch(commit):
        cause = "its commit was not recorded" if not commit else "what was recorded is not a commit"
        return Comparison(Relation.UNKNOWN, commit, cause, "apply from a clone of the repository from now on")
    try:
        return _compare(checkout, source.head, commit)
    except GitError as error:
        return Comparison(Relation.UNKNOWN, commit, error.cause, error.fix)


def _compare(checkout: Path, head: str, commit: str) -> Comparison:
    if commit == head:
        return Comparison(Relation.SAME, commit)
    if _run(checkout, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0:
        if _is_ancestor(checkout, commit, head):
            return Comparison(Relation.AHEAD, commit)
        if _is_ancestor(checkout, head, commit):
            return Comparison(Relation.BEHIND, commit)
        if not is_shallow(checkout):
            return Comparison(Relation.DIVERGED, commit)
    if is_shallow(checkout):
        cause, fix = "this is a shallow clone", "set fetch-depth: 0 in the workflow, or run git fetch --unshallow"
    else:
        cause = f"commit {commit[:12]} is not in this clone; it was replaced by a force-push, or never pushed"
        fix = "fetch the branch that contains it"
    return Comparison(Relation.UNKNOWN, commit, cause, fix)


def _is_ancestor(checkout: Path, one: str, other: str) -> bool:
    done = _run(checkout, "merge-base", "--is-ancestor", one, other)
    if done.returncode not in (0, 1):
        raise _error(checkout, done.stderr)
    return done.returncode == 0


def find_commit(checkout: Path, revision: str) -> str:
    """The full id of the commit that a branch, a tag or another expression names; empty if this clone has none."""
    if not revision or revision.startswith("-"):
        return ""
    done = _run(checkout, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return commit if COMMIT.fullmatch(commit := done.stdout.strip()) else ""


_SUFFIX = re.compile(r"[~^@:].*", re.DOTALL)


def find_refs(checkout: Path, revision: str) -> list[str]:
    """The branches and tags of which an expression may name each: Git would take the tag."""
    name = _SUFFIX.sub("", revision)
    refs = [f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}", f"refs/remotes/{name}/HEAD"]
    found = _ask(checkout, "for-each-ref", "--format=%(refname)", *refs).splitlines() if name else []
    return [ref for ref in refs if ref in found]


def merge_base(checkout: Path, one: str, other: str) -> str:
    """The commit that both commits have in common; empty if this clone has none."""
    done = _run(checkout, "merge-base", one, other)
    if done.returncode not in (0, 1):
        raise _error(checkout, done.stderr)
    return done.stdout.strip()


def is_shallow(checkout: Path) -> bool:
    return _ask(checkout, "rev-parse", "--is-shallow-repository").strip() == "true"


def ask_bytes(checkout: Path, *arguments: str, given: bytes = b"", index: str = "") -> bytes:
    """What Git prints; `given`: what it reads; `index`: another than its own. Raises GitError if it does not answer."""
    done = _run_bytes(checkout, *arguments, given=given, index=index)
    if done.returncode != 0:
        raise _error(checkout, done.stderr.decode(errors="backslashreplace"))
    return done.stdout


def _ask(checkout: Path, *arguments: str) -> str:
    """What Git prints. Raises GitError if it does not answer."""
    done = _run(checkout, *arguments)
    if done.returncode != 0:
        raise _error(checkout, done.stderr)
    return done.stdout


def _run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = _run_bytes(checkout, *arguments)
    stdout, stderr = (output.decode(errors="backslashreplace") for output in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def _run_bytes(
    checkout: Path, *arguments: str, given: bytes = b"", index: str = ""
) -> subprocess.CompletedProcess[bytes]:
    options = [word for setting in _HARDENED for word in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env = kept | {
        "GIT_CEILING_DIRECTORIES": str(checkout.parent),  # no search above the checkout
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        **({"GIT_INDEX_FILE": index} if index else {}),
    }
    try:
        return subprocess.run(  # noqa: S603 - our own arguments
            ["git", *options, "-C", str(checkout), *arguments],  # noqa: S607 - whichever git the user has
            input=given, capture_output=True, check=False, timeout=SECONDS, env=env,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise GitError(f"Git did not answer within {SECONDS} s", "run git status there to see why") from None
    except OSError:
        raise GitError("Git cannot be run", "install Git") from None


def _error(checkout: Path, stderr: str) -> GitError:
    if "dubious ownership" in stderr:
        command = f"git config --global --add safe.directory {shlex.quote(str(checkout))}"
        return GitError("another user owns this checkout, so Git does not read it", f"run {command}")
    if "promisor remote" in stderr:
        return GitError("this is a partial clone, without all files of the commit", "clone it without --filter")
    lines = [line for line in stderr.splitlines() if line.startswith(("fatal:", "error:"))]
    reason = lines[0][:200] if lines else "no reason was given"
    return GitError(f"Git failed: {reason}", "run git status there to see why")

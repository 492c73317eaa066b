"""Replay the console examples of the documentation on a local AWS; compare their output, or write it.

    python -m scripts.replay_docs            # report every example whose output differs
    python -m scripts.replay_docs --write    # write the output as it is now into the pages

A ```console block holds commands (`$ …`, continued by a backslash at the end of a line) and the output of each. In the
output, `…` matches any text within a line, and a line `...` matches any lines. Comments on the line above control it:

    <!-- not replayed: REASON -->   excludes the block
    <!-- replay: COMMANDS -->       runs shell commands that readers do not see; it may span several lines

Each page starts in a new copy of `reconcile.yaml` and `users/`, on a new sandbox that has the users of these files.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click

from reconciler.pipeline.lambda_zip import ROOT
from reconciler.sandbox.emulator import find_server

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
SECONDS = 180  # for one command
ANY_TEXT, ANY_LINES = "…", "..."
KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # AWS's documented example; it matches every access key id
PROGRESS = re.compile(r"  [a-z][a-z0-9-]*: ")  # one line for each user, in the order in which they finish
# Values that differ from run to run, and what is written instead of them.
VOLATILE = (
    (re.compile(r"\bAKIA[A-Z0-9]{16}\b"), KEY_ID),
    (re.compile(r"(?<=password   )\S{44}"), ANY_TEXT),
    (re.compile(r"\blocal-[0-9a-f]{8}\b"), f"local-{ANY_TEXT}"),
    (re.compile(r"(?<=127\.0\.0\.1:)[0-9]+"), ANY_TEXT),
    (re.compile(r"(?<=pid )[0-9]+"), ANY_TEXT),
    (re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"), ANY_TEXT),
    (re.compile(r"\S+/ministack\.log"), ".sandbox/ministack.log"),
)
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
class Example:
    """A command, and where its expected output is in the lines of its page (`first` to before `last`)."""

    command: str
    hidden: bool
    first: int = 0
    last: int = 0
    indent: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """An example whose output is not the expected one. Lines count from 1."""

    page: Path
    line: int
    command: str
    expected: tuple[str, ...]
    actual: tuple[str, ...]

    def __str__(self) -> str:
        shown = "\n".join(["expected:", *self.expected, "actual:", *self.actual])
        return f"{self.page.relative_to(ROOT)}:{self.line}: $ {self.command}\n{shown}"


def find_examples(lines: Sequence[str]) -> Iterator[Example]:
    """Every example to replay, in the order of the page."""
    number, excluded = 0, False
    while number < len(lines):
        line = lines[number].strip()
        if line.startswith("<!-- replay:"):
            last = next(n for n in range(number, len(lines)) if "-->" in lines[n])
            text = "\n".join(lines[number : last + 1])
            yield Example(text.split("<!-- replay:", 1)[1].rsplit("-->", 1)[0].strip(), hidden=True)
            number = last
        elif line.startswith("```"):
            last = next(n for n in range(number + 1, len(lines)) if lines[n].strip() == "```")
            if line == "```console" and not excluded:
                yield from _examples_of_block(lines, number + 1, last)
            number = last
        excluded = line.startswith("<!-- not replayed:")
        number += 1


def _examples_of_block(lines: Sequence[str], first: int, last: int) -> Iterator[Example]:
    indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
    number = first
    while number < last:
        begin = number
        while lines[number].endswith("\\"):
            number += 1
        number += 1
        end = next((n for n in range(number, last) if lines[n].startswith(f"{indent}$ ")), last)
        command = "\n".join(line.removeprefix(indent) for line in lines[begin:number])
        yield Example(command.removeprefix("$ "), hidden=False, first=number, last=end, indent=indent)
        number = end


@dataclass(frozen=True, slots=True)
class Workspace:
    """A sandbox, and a folder in which commands run against it."""

    root: Path

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
        return environ

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
def workspace() -> Iterator[Workspace]:
    """Its sandbox is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="smtp-docs-") as folder:
        made = Workspace(Path(folder))
        try:
            yield made
        finally:
            made.end()


def replay(page: Path, place: Workspace, *, write: bool = False) -> list[Difference]:
    """Run the examples of a page. With `write`, the page shows the actual output afterwards."""
    lines = page.read_text(encoding="utf-8").split("\n")
    examples = [*find_examples(lines)]
    if not examples:
        return []
    place.begin_page()
    differences: list[Difference] = []
    written: list[tuple[Example, list[str]]] = []
    for example in examples:
        if example.hidden:
            place.must_run(example.command)
            continue
        expected = [line.removeprefix(example.indent) for line in lines[example.first : example.last]]
        actual = sort_progress(place.run(example.command)[1])
        if not matches(sort_progress(expected), actual):
            differences.append(Difference(page, example.first, example.command, tuple(expected), tuple(actual)))
            written.append((example, keep_placeholders(expected, actual)))
    if write:
        for example, output in reversed(written):
            lines[example.first : example.last] = [f"{example.indent}{line}".rstrip() for line in output]
        page.write_text("\n".join(lines), encoding="utf-8")
    return differences


def sort_progress(lines: Iterable[str]) -> list[str]:
    """Users finish in any order: neighbouring progress lines are sorted by name."""
    runs = groupby(lines, lambda line: bool(PROGRESS.match(line)))
    return [line for is_progress, run in runs for line in (sorted(run) if is_progress else run)]


def matches(expected: Sequence[str], actual: Sequence[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == ANY_LINES:
        return any(matches(expected[1:], actual[n:]) for n in range(len(actual) + 1))
    return bool(actual) and _line_matches(expected[0], actual[0]) and matches(expected[1:], actual[1:])


def _line_matches(expected: str, actual: str) -> bool:
    pattern = ".*".join(map(re.escape, expected.rstrip().split(ANY_TEXT)))
    return bool(re.fullmatch(pattern.replace(KEY_ID, "AKIA[A-Z0-9]{16}"), actual))


def keep_placeholders(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    """The actual lines; an expected line with a placeholder stays where it matches, and so does a single `...`."""
    if list(expected).count(ANY_LINES) == 1:
        at = expected.index(ANY_LINES)
        behind = len(actual) - (len(expected) - at - 1)
        if at <= behind:
            head, tail = keep_placeholders(expected[:at], actual[:at]), expected[at + 1 :]
            return [*head, ANY_LINES, *keep_placeholders(tail, actual[behind:])]
    kept = [line for line in expected if ANY_TEXT in line or KEY_ID in line]
    return [next((line for line in kept if _line_matches(line, shown)), _mask(shown)) for shown in actual]


def _mask(line: str) -> str:
    for pattern, shown in VOLATILE:
        line = pattern.sub(shown, line)
    return line


@click.command()
@click.option("--write", is_flag=True, help="Write the actual output into the pages.")
@click.argument("pages", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(write: bool, pages: tuple[Path, ...]) -> None:
    """Replay the console examples of README.md, CONTRIBUTING.md and docs/ (or of the given PAGES)."""
    differences: list[Difference] = []
    with workspace() as place:
        for page in map(Path.resolve, pages or PAGES):
            differences += replay(page, place, write=write)
    for difference in differences:
        click.echo(f"{difference}\n")
    click.echo(f"{len(differences)} outputs {'written' if write else 'differ'}")
    sys.exit(bool(differences) and not write)


if __name__ == "__main__":
    main()

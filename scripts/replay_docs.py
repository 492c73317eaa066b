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

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click

from reconciler.pipeline.lambda_zip import ROOT
from scripts.docs_workspace import Workspace, workspace

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
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
    (re.compile(r"\b[0-9a-f]{64}\b"), ANY_TEXT),
    (re.compile(r"\S+/ministack\.log"), ".sandbox/ministack.log"),
)


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

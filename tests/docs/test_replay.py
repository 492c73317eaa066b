"""The console examples of the documentation, replayed on a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.pipeline.lambda_zip import ROOT
from scripts.docs_workspace import Workspace, workspace
from scripts.replay_docs import (
    PAGES,
    find_examples,
    keep_placeholders,
    matches,
    replay,
    sort_progress,
)
from support.command import quick_command

REPLAYED = [page for page in PAGES if [*find_examples(page.read_text(encoding="utf-8").split("\n"))]]


@pytest.fixture(scope="module")
def place() -> Iterator[Workspace]:
    with quick_command(PYTHONUTF8="1") as added, workspace(added) as made:
        yield made


@pytest.mark.sandbox
@pytest.mark.xdist_group("docs")  # one sandbox for all pages
@pytest.mark.parametrize("page", REPLAYED, ids=lambda page: str(page.relative_to(ROOT)))
def test_output_of_every_example_is_as_documented(page: Path, place: Workspace) -> None:
    assert "\n\n".join(map(str, replay(page, place))) == ""


def test_examples_are_found_with_their_output() -> None:
    page = """\
<!-- replay: edit a b c -->
```console
$ one \\
    --two
1
$ three
```
<!-- not replayed: needs an account -->
```console
$ four
```
```
$ not a console block
```
  ```console
  $ five
  5
  ```"""
    lines = page.split("\n")
    found = [(example.command, lines[example.first : example.last]) for example in find_examples(lines)]
    assert found == [
        ("edit a b c", []),
        ("one \\\n    --two", ["1"]),
        ("three", []),
        ("five", ["  5"]),
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        (["a …, c"], ["a b, c"], True),
        (["a …, c"], ["a b, d"], False),
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a", "...", "d"], ["a", "d"], True),
        (["a", "...", "d"], ["a", "b"], False),
        ([], [], True),
        (["key AKIAIOSFODNN7EXAMPLE"], ["key AKIA0123456789ABCDEF"], True),
        ([], ["a"], False),
        (["a"], ["a", "b"], False),
    ],
)
def test_placeholders(expected: list[str], actual: list[str], same: bool) -> None:
    assert matches(expected, actual) is same


def test_progress_lines_have_no_fixed_order() -> None:
    assert sort_progress(["x", "  b: active", "  a: active", "y"]) == ["x", "  a: active", "  b: active", "y"]


def test_written_output_keeps_placeholders_that_match() -> None:
    assert keep_placeholders(["id …", "old"], ["id 1", "new"]) == ["id …", "new"]
    assert keep_placeholders(["a", "...", "c"], ["A", "x", "y", "c"]) == ["A", "...", "c"]
    assert keep_placeholders([], ["correlation id local-12345678"]) == ["correlation id local-…"]

"""I13: whatever is accepted, a parser of YAML 1.2 reads the same data from it. Dates are text in both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml12
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.manifests.yaml_source import read_source
from support.yaml_texts import DOCUMENTS, FULL, MANIFESTS, VALUES

anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_read_alike(text: str, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    source = read_source(path, "a.yaml")
    if not source.problems:
        assert is_same(source.data, yaml12.parse_yaml(text.removeprefix("\ufeff"))), text


def is_same(ours: Any, theirs: Any) -> bool:
    """Equal, with equal types: `1`, `1.0` and `true` are different."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return [*ours] == [*theirs] and all(is_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    return bool(ours == theirs)


@given(DOCUMENTS)
@anything
def test_yaml_1_2_reads_the_same_from_any_document_that_is_accepted(tmp_path: Path, text: str) -> None:
    assert_read_alike(text, tmp_path)


@given(MANIFESTS)
@anything
@example(FULL)
def test_yaml_1_2_reads_the_same_from_a_mutated_manifest(tmp_path: Path, text: str) -> None:
    assert_read_alike(text.encode(errors="ignore").decode(), tmp_path)


SCALARS = st.text("0123456789_.:+-eExobaAfFtTrRuUlLnNyYsSiI~=<>", min_size=1, max_size=8)


@given(st.lists(SCALARS | VALUES, min_size=1, max_size=8))
@anything
def test_yaml_1_2_reads_the_same_from_any_value_that_is_accepted(tmp_path: Path, values: list[str]) -> None:
    for value in values:
        assert_read_alike(f"a: {value}\n", tmp_path)
        assert_read_alike(f"{value}: a\n", tmp_path)
        assert_read_alike(f"- {value}\n", tmp_path)
        assert_read_alike(f"a: [{value}, {{{value}: {value}}}]\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1\n", 1),
        ("a: -7\n", -7),
        ("a: 1.5\n", 1.5),
        ("a: ~\n", None),
        ("a:\n", None),
        ("a: TRUE\n", True),
        ("a: 'yes'\n", "yes"),
        ("a: 2027-06-30\n", "2027-06-30"),
        ("a: 203.0.113.7\n", "203.0.113.7"),
        ("a: 2001:db8::1\n", "2001:db8::1"),
        ("a: [\n  b,\n# c\n ]\n", ["b"]),
        ("a: 'b\n\n  c'\n", "b\nc"),
    ],
)
def test_what_both_read_alike_is_accepted(text: str, data: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    source = read_source(path, "a.yaml")
    assert (source.problems, source.data) == ([], {"a": data})
    assert_read_alike(text, tmp_path)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a: |\n", (1, 4), "this block of text is empty"),
        ("a: |\n  b", (1, 4), "this block of text does not end with a line break"),
        ("a:\n|\n  b\n", (2, 1), "the '|' is not indented further than its key"),
        ("a: 'b\nc'\n", (2, 1), "this line continues a value, but is not indented further than its key"),
        ("a: [\n]\n", (2, 1), "this line continues a value, but is not indented further than its key"),
        ("a: [\n  'b'\n]\n", (3, 1), "this line continues a value, but is not indented further than its key"),
        ("a: [b]#c\n", (1, 7), "a comment begins directly after a value"),
        ("a: b\nc:\td\n", (2, 3), "a tab is not allowed: YAML 1.1 and 1.2 treat it differently"),
        ("? [a]\n: b\n", (1, 3), "a key must be plain text"),
    ],
)
def test_a_layout_that_only_one_version_accepts_is_refused(
    text: str, place: tuple[int, int], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    (problem,) = read_source(path, "a.yaml").problems
    assert ((problem.line, problem.column), problem.message) == (place, told)
    assert problem.hint

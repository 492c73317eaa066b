"""Problems as commands of GitHub's runner: each is read back as it was meant, and nothing else is a command."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.output.annotations import MOST, to_annotations


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner reads it: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs"""
    found = []
    for line in text.splitlines() if text else []:
        assert line.startswith("::")
        head, message = line[2:].split("::", 1)
        kind, _, properties = head.partition(" ")
        pairs = dict(pair.split("=", 1) for pair in properties.split(",") if pair)
        found.append((kind, {name: unquote(value) for name, value in pairs.items()}, unquote(message)))
    return found


def test_a_problem_is_shown_at_its_line_with_its_hint() -> None:
    error = InvalidInput([Problem("users/test/crm.yaml", 9, 5, "'hr@x' is not allowed", "use example.com")])
    assert to_annotations(error) == (
        "::error file=users/test/crm.yaml,line=9,col=5::'hr@x' is not allowed%0Ahint: use example.com"
    )


def test_a_problem_of_a_file_or_folder_has_no_line_and_one_of_nothing_no_file() -> None:
    assert to_annotations(InvalidInput([Problem("users/test", 0, 0, "does not exist")])) == (
        "::error file=users/test::does not exist"
    )
    error = ReconcileError("no environment 'x'", "known: test")
    assert to_annotations(error) == "::error::no environment 'x'%0Ahint: known: test"


def test_warnings_are_annotations_too() -> None:
    warning = Problem("reconcile.yaml", 0, 0, "eu-middle-9 is not a known SES SMTP region")
    assert to_annotations(None, [warning]) == (
        "::warning file=reconcile.yaml::eu-middle-9 is not a known SES SMTP region"
    )
    assert to_annotations(None) == ""


@pytest.mark.parametrize("number", [MOST, MOST + 1, 250])
def test_github_shows_ten_and_the_last_counts_the_rest(number: int) -> None:
    error = InvalidInput([Problem("a.yaml", line, 1, "wrong") for line in range(1, number + 1)])
    found = read(to_annotations(error))
    assert len(found) == MOST
    if number > MOST:
        assert found[-1][2] == f"and {number - MOST + 1} more errors: see the log of this step"


HOSTILE = st.text(
    alphabet=st.sampled_from("abc:%,=\r\n\u2028\x1b #[]") | st.characters(codec="utf-8"), min_size=1, max_size=40
) | st.sampled_from(["\n::set-env name=PATH::/tmp", "a%0A::stop-commands::x", "x,line=1::error::", "##[add-mask]a"])


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_name_and_no_value_begins_another_command_or_property(path: str, message: str, hint: str) -> None:
    text = to_annotations(InvalidInput([Problem(path, 3, 2, message, hint)]))
    assert text.isprintable()
    ((kind, properties, told),) = read(text)
    assert kind == "error"
    assert {*properties} == {"file", "line", "col"}
    assert (properties["line"], properties["col"]) == ("3", "2")
    assert [line.split(": ")[0] for line in told.split("\n")[1:]] == ["hint"]

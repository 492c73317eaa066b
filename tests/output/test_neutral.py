"""Arbitrary text in every field × every sink: nothing of it acts on a terminal, a runner or a comment."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.differences import Drift
from reconciler.core.record import Failure, Record, Revocation
from reconciler.errors import InvalidInput, Problem, ReconcileError, Refused, Terminal
from reconciler.output import drift as drift_output
from reconciler.output import plan as plan_output
from reconciler.output import plan_json, status
from reconciler.output.neutral import for_json, for_log, for_markdown, for_position
from reconciler.output.styled import plain
from reconciler.output.terminal import say, show_error, show_plan, show_warnings
from reconciler.planning.audit import Audit, Finding, Note
from reconciler.planning.iam_names import TakenName
from reconciler.planning.plan import Line, Origin, Plan, Revoked, Unmanaged
from reconciler.planning.renames import Rename
from support.attacks import ATTACKS, TEXTS
from support.neutral import assert_log_is_neutral, assert_markdown_is_neutral, code_of
from support.world import START

WIDTHS = st.sampled_from([None, 20, 40, 80])
SHOWN = st.lists(TEXTS, min_size=1, max_size=2).map(tuple)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple)


def some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


UNMANAGED = st.builds(
    Unmanaged, TEXTS, TEXTS, TEXTS, some(TEXTS), some(TEXTS), st.none() | TEXTS, st.booleans(), some(TEXTS)
)
ACTIONS = st.sampled_from(["create", "adopt", "update", "delete"])
PLANS = st.builds(
    Plan,
    environment=TEXTS,
    records=st.integers(0, 9),
    declared=st.integers(0, 9),
    lines=some(st.builds(Line, ACTIONS, TEXTS, SHOWN, TEXTS, st.integers(0, 9), st.integers(0, 2048))),
    unchanged=some(TEXTS),
    deleting=some(TEXTS),
    unmanaged=some(UNMANAGED),
    revoked=some(st.builds(Revoked, TEXTS, TEXTS, TEXTS, TEXTS)),
    refusals=PAIRS,
    origin=st.builds(Origin, TEXTS, TEXTS, TEXTS, TEXTS),
    settings=some(TEXTS),
    warnings=PAIRS,
    renames=some(st.builds(Rename, TEXTS, TEXTS)),
    taken=some(st.builds(TakenName, TEXTS, TEXTS)),
    iam_checked=st.booleans(),
)
AUDITS = st.builds(
    Audit,
    environment=TEXTS,
    declared=st.just(1),
    records=st.just(1),
    iam_users=st.just(1),
    checked=st.just(1),
    findings=some(st.builds(Finding, TEXTS, st.sampled_from(Drift), TEXTS, TEXTS, st.integers(0, 9))),
    notes=some(st.builds(Note, TEXTS, TEXTS)),
)
RECORDS = st.builds(
    Record,
    name=TEXTS,
    status=st.one_of(TEXTS, st.just("failed")),
    problems=some(TEXTS),
    failure=st.none() | st.builds(Failure, TEXTS, TEXTS, TEXTS),
    revoked=st.none() | st.builds(Revocation, TEXTS, TEXTS, TEXTS),
    previous_key=TEXTS,
    previous_key_retires_at=TEXTS,
)


@given(PLANS, WIDTHS)
def test_a_plan_steers_neither_a_log_nor_a_comment(plan: Plan, width: int | None) -> None:
    assert_log_is_neutral(plain(plan_output.to_lines(plan, width)))
    assert_markdown_is_neutral(plan_output.to_markdown(plan))


@given(PLANS)
def test_a_plan_in_json_steers_no_log_and_means_the_same(plan: Plan) -> None:
    text = plan_json.to_json(plan)
    assert text.isascii()
    assert_log_is_neutral(text)
    assert plan_json.from_dict(json.loads(text)) == plan


@given(AUDITS, WIDTHS)
def test_an_audit_steers_neither_a_log_nor_a_comment(audit: Audit, width: int | None) -> None:
    for text in (plain(drift_output.to_lines(audit, width)), drift_output.to_json(audit)):
        assert_log_is_neutral(text)
    assert_markdown_is_neutral(drift_output.to_markdown(audit))


@given(st.lists(RECORDS, min_size=1, max_size=3), st.booleans(), WIDTHS)
def test_a_status_steers_no_log(records: list[Record], wide: bool, width: int | None) -> None:
    assert_log_is_neutral(plain(status.to_lines(records, START + timedelta(days=1), wide, width)))


ERRORS: list[Callable[[str], ReconcileError]] = [
    lambda text: ReconcileError(text, text),
    lambda text: Refused([(text, text)]),
    lambda text: InvalidInput([Problem(text, 1, 2, text, text), Problem(text, 0, 0, text)]),
    lambda text: Terminal(text, text, text, text),
]


@pytest.mark.parametrize("columns", ["", "30"])
@pytest.mark.parametrize("text", ATTACKS, ids=ascii)
def test_no_error_warning_or_line_steers_a_log(
    text: str, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for make in ERRORS:
        show_error(make(text))
    say(text)
    say(text, err=True)
    show_warnings([(text, text)])
    show_plan(Plan(text, 1, 1, (), (), (text,), ()))
    for stream in capsys.readouterr():
        assert_log_is_neutral(stream)


@given(TEXTS)
@example("##[a]" * 3)
def test_neutral_text_stays_as_it_is(text: str) -> None:
    assert for_log(for_log(text)) == for_log(text)


@pytest.mark.parametrize(
    "text",
    [
        "billing@example.com",
        "*@example.com",
        "2001:db8::/32",
        "C# ## x",
        "a: b",
        "Grüße 日本語 →",
        "arn:aws:iam::123456789012:user/a",
    ],
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert for_log(text) == text
    assert for_markdown(text) == f"`{text}`"
    assert json.loads(for_json(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[debug]", "\\x23#[debug]"),
        ("###[debug]", "#\\x23#[debug]"),
        ("##vso[x]", "\\x23#vso[x]"),
        ("::error::x", "\\x3a:error::x"),
        ("a ::error::x", "a \\x3a:error::x"),
        ("\x1b[2K\n", "\\x1b[2K\\n"),
        ("\u3164\ufe0f", "\\u3164\\ufe0f"),
    ],
)
def test_what_would_act_is_spelled_out(text: str, shown: str) -> None:
    assert for_log(text) == shown


def test_a_file_name_names_no_other_position() -> None:
    assert for_position("users/test/a.yaml:9:9: b.yaml") == "users/test/a.yaml\\x3a9\\x3a9: b.yaml"
    assert for_position("users/test/a.yaml") == "users/test/a.yaml"


@given(TEXTS.filter(lambda text: text.strip() == text and text))
def test_markdown_is_one_code_span_with_the_text(text: str) -> None:
    (code,) = code_of(for_markdown(text))
    assert code.replace("\\x60", "`") == for_log(text).replace("\\x60", "`").replace("|", "\\x7c")


def test_nothing_stays_nothing() -> None:
    shown: Sequence[str] = [for_log(""), for_markdown("")]
    assert set(shown) == {""}

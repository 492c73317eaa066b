"""Tables fit the terminal, and nothing in them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.output.styled import Segment, Style, display_width, plain
from reconciler.output.table import LONGEST_ALIGNED, Column, Table, wrap

PEOPLE = Table([Column("user"), Column("text", wraps=True), Column("size", drop_below=30), Column("at", drop_below=10)])


def shown(table: Table, width: int | None, *rows: tuple[str, ...]) -> list[str]:
    lines = table.lines([[Segment(text) for text in row] for row in rows], width)
    return plain(lines).split("\n") if lines else []


ROW = ("crm", "one two three four five six seven eight", "10/20", "a.yaml:3")


def test_what_fits_is_shown_as_it_is() -> None:
    line = "crm  one two three four five six seven eight  10/20  a.yaml:3"
    assert shown(PEOPLE, len(line), ROW) == [line]
    assert shown(PEOPLE, None, ROW) == [line]


def test_long_texts_continue_below_themselves() -> None:
    assert shown(PEOPLE, 60, ROW) == [
        "crm  one two three four five six seven       10/20  a.yaml:3",
        "     eight",
    ]


def test_the_least_useful_column_goes_first_and_is_named() -> None:
    assert shown(PEOPLE, 50, ROW) == [
        "crm  one two three four five six seven    a.yaml:3",
        "     eight",
        "(not shown at this width: size)",
    ]
    assert shown(PEOPLE, 18, ROW) == [
        "crm  one two three",
        "     four five six",
        "     seven eight",
        "(not shown at this width: size, at)",
    ]


def test_a_word_is_never_broken() -> None:
    word = "customer-notifications@invoices.example.com"
    assert shown(PEOPLE, 30, ("crm", f"gains {word}", "", "")) == ["crm  gains", f"     {word}"]


def test_a_column_without_texts_takes_no_room() -> None:
    assert shown(PEOPLE, 80, ("crm", "text", "", "a.yaml:3")) == ["crm  text  a.yaml:3"]
    assert shown(PEOPLE, 80, ("", "", "", "")) == []
    assert shown(PEOPLE, 80) == []


def test_the_last_column_stays() -> None:
    assert shown(PEOPLE, 3, ("", "", "", "a.yaml:3")) == ["a.yaml:3"]


def test_without_a_width_a_long_text_does_not_push_the_columns_of_the_others_away() -> None:
    long, short = shown(PEOPLE, None, ("crm", "x " * 100 + "end", "1/2", "a:1"), ("wiki", "y", "1/2", "b:1"))
    assert long.endswith("end  1/2  a:1")
    assert short.index("1/2") == len("wiki  ") + LONGEST_ALIGNED + 2


def test_headings_are_bold_and_capital() -> None:
    table = Table([Column("user"), Column("note", wraps=True)], headed=True)
    head, row = table.lines([[Segment("crm", Style.BAD), Segment("x")]], 80)
    assert plain([head, row]) == "USER  NOTE\ncrm   x"
    assert {segment.style for segment in head} == {Style.HEADING}
    assert row[0].style is Style.BAD
    assert row[1].style is None


def test_wrapped_lines_keep_their_style() -> None:
    lines = Table([Column("text", wraps=True)]).lines([[Segment("one two", Style.GOOD)]], 4)
    assert [[(segment.text, segment.style) for segment in line] for line in lines] == [
        [("one", Style.GOOD)],
        [("two", Style.GOOD)],
    ]


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("東京", 4), ("e\u0301a", 2), ("ｆｕｌｌ", 8), ("→", 1), ("\U0001f600", 2), ("❤\ufe0f", 1), ("", 0)],
)
def test_characters_count_by_the_room_they_take(text: str, width: int) -> None:
    assert display_width(text) == width


def test_wide_names_stay_aligned() -> None:
    wide, narrow = shown(PEOPLE, 80, ("東京", "x", "", ""), ("abcd", "x", "", ""))
    assert (wide, narrow) == ("東京  x", "abcd  x")


def test_segments_hold_nothing_that_a_terminal_interprets() -> None:
    assert Segment("a\x1b[2K\nb").text == "a\\x1b[2K\\nb"


def test_wrapping_counts_columns_and_not_characters() -> None:
    assert wrap("東京 大阪 x", 9) == ["東京 大阪", "x"]
    assert wrap("a  b", 4) == ["a  b"]


TEXTS = st.text(st.sampled_from("ab 東é"), max_size=60).map(str.strip)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=5), st.integers(1, 120))
def test_no_word_is_lost_or_broken_at_any_width(rows: list[tuple[str, ...]], width: int) -> None:
    lines = shown(PEOPLE, width, *rows)
    hidden = lines.pop() if lines and lines[-1].startswith("(not shown") else ""
    words = [
        word
        for row in rows
        for column, text in zip(PEOPLE.columns, row, strict=True)
        if column.name not in hidden.partition(": ")[2].removesuffix(")").split(", ")
        for word in text.split()
    ]
    assert sorted(words) == sorted(word for line in lines for word in line.split())


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=5))
def test_without_a_width_every_row_is_one_whole_line(rows: list[tuple[str, ...]]) -> None:
    filled = [row for row in rows if any(row)]
    lines = shown(PEOPLE, None, *filled)
    assert len(lines) == len(filled)
    for line, row in zip(lines, filled, strict=True):
        assert all(text in line for text in row)


WORDS = st.lists(st.text("ab東", min_size=1, max_size=6), max_size=12).map(" ".join)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=5), st.integers(40, 120))
def test_lines_fit_the_terminal_where_words_do(rows: list[tuple[str, ...]], width: int) -> None:
    table = Table([Column("a", wraps=True), Column("b", wraps=True), Column("c", wraps=True)], headed=True)
    assert all(display_width(line) <= width for line in shown(table, width, *rows))

"""Whatever the layout of a manifest: an edit changes the entry, and no other byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.text import hidden_character
from reconciler.errors import ReconcileError
from reconciler.manifests import splice
from reconciler.manifests.schema import check_schema
from support.manifest_texts import Layout, data_of, layouts
from support.yaml_texts import FULL, VALUES, mutated

T = TypeVar("T")
NEW = {
    "name": "new-one", "description": "a: #b", "owner": "x@example.com", "allowed_from_addresses": ["*@example.com"],
}  # fmt: skip


def is_accepted(layout: Layout) -> bool:
    return not splice.parse("x", layout.content).problems


def inserted(old: Sequence[T], new: Sequence[T]) -> Sequence[T]:
    """What one insertion into the old content added. Where several places are possible, the order may differ."""
    length = len(new) - len(old)
    place = next((n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old))
    assert [*new[:place], *new[place + length :]] == [*old], "more than one insertion"
    return new[place : place + length]


@given(layouts().filter(is_accepted))
def test_adding_inserts_the_lines_of_the_entry_and_one_blank_line_at_most(layout: Layout) -> None:
    old = data_of(layout.content)
    edited = splice.add("x", layout.content, NEW)
    assert data_of(edited.content) == [*old, NEW]
    lines = bytes(inserted(layout.content, edited.content)).split(b"\n")
    assert len([line for line in lines if line.strip()]) <= len(NEW) + 1  # the same text may begin in the line before
    assert b"name: new-one" in edited.content.split(b"\n")[edited.line - 1]


@given(st.lists(st.text().filter(lambda text: not hidden_character(text)) | VALUES, min_size=1, max_size=3))
def test_any_visible_text_is_written_so_that_it_is_read_again(texts: list[str]) -> None:
    visible = [text for text in texts if "\t" not in text and "\n" not in text]
    fields = {**NEW, "description": "".join(visible), "allowed_from_addresses": visible}
    for content in (b"users: []\n", b"users:\n- {name: ab}\n"):
        assert data_of(splice.add("x", content, fields).content)[-1] == fields


@given(layouts(least=2).filter(is_accepted), st.data())
def test_removing_takes_out_one_stretch_of_lines(layout: Layout, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(layout.entries) - 1))
    old, entry = data_of(layout.content), layout.entries[index]
    edited = splice.remove("x", layout.content, index)
    assert data_of(edited.content) == [*old[:index], *old[index + 1 :]]
    removed = inserted(edited.content.splitlines(keepends=True), layout.content.splitlines(keepends=True))
    lines = [line.decode().rstrip() for line in removed]
    assert sorted(filter(None, lines)) == sorted(line.rstrip() for line in entry.lines)


@given(layouts().filter(is_accepted))
def test_the_last_entry_leaves_an_empty_list_to_which_one_can_be_added(layout: Layout) -> None:
    content = layout.content
    for _ in layout.entries:
        content = splice.remove("x", content, 0).content
    assert data_of(content) == []
    assert data_of(splice.add("x", content, NEW).content) == [NEW]


@given(layouts().filter(is_accepted), st.data())
def test_setting_a_field_changes_its_value_or_adds_it(layout: Layout, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(layout.entries) - 1))
    field, value = data.draw(st.sampled_from([("credential", 42), ("enabled", False)]))
    old: Any = data_of(layout.content)
    edited = splice.set_field("x", layout.content, index, field, value)
    expected = [*old]
    expected[index] = {**old[index], field: value}
    assert data_of(edited.content) == expected
    before, after = (content.split(b"\n") for content in (layout.content, edited.content))
    shown = f"{field}:".encode()
    if field in old[index] or len(after) == len(before):  # a value, or an entry in braces
        assert sum(one != other for one, other in zip(before, after, strict=True)) <= 1
    else:
        assert shown in bytes(inserted(layout.content, edited.content))
    assert shown in after[edited.line - 1]


@given(mutated(FULL))
def test_any_valid_manifest_is_edited_correctly_or_refused(text: str) -> None:
    content = text.encode("utf-8", "replace")
    source = splice.parse("x", content)
    if source.problems or check_schema(source, "users") or not source.data["users"]:
        return
    data = source.data["users"]
    for edit, expected in (
        (lambda: splice.add("x", content, NEW), [*data, NEW]),
        (lambda: splice.remove("x", content, 0), data[1:]),
        (lambda: splice.set_field("x", content, 0, "credential", 9), [{**data[0], "credential": 9}, *data[1:]]),
    ):
        try:
            made = splice.parse("x", edit().content)
        except ReconcileError:
            continue
        assert (made.problems, made.data["users"]) == ([], expected)

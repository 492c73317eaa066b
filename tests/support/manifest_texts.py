"""Manifests in every layout that is accepted, as pieces: what belongs to an entry, and what does not."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from hypothesis import strategies as st

from reconciler.manifests import splice

COMMENTS = st.sampled_from(["# a comment", "#", "# - name: old", "# users: []", "# ü: {x"])
VALUES = {
    "description": st.sampled_from(
        ["Invoices", '"a: b # c"', "'it''s'", "Größe  # why", ">-\n{deeper}folded\n{deeper}text", "one\n{deeper}two"]
    ),
    "owner": st.sampled_from(["a@example.com", '"a@example.com"  # team', "   a@example.com"]),
    "allowed_from_addresses": st.sampled_from(
        [
            "[a@example.com]", '[ "*@example.com",a@example.com ]  # all', "[\n{deeper}a@example.com,  # x\n{deeper}]",
            "\n{deeper}- a@example.com\n{deeper}# inside\n{deeper}- b@example.com",
        ]
    ),
    "enabled": st.sampled_from(["true", "false  # paused", "True"]),
    "credential": st.sampled_from(["1", "  7 # leaked", "41"]),
    "rotation": st.sampled_from(
        ["{every_days: 90}", "{ every_days: 90, overlap_days: 7 }", "\n{deeper}every_days: 90"]
    ),
}  # fmt: skip
REQUIRED = ("description", "owner", "allowed_from_addresses")


@dataclass(frozen=True)
class Entry:
    """`lines`: with the comments that belong to it. `gap`: blank lines after it."""

    name: str
    lines: tuple[str, ...]
    gap: int


@dataclass(frozen=True)
class Layout:
    content: bytes
    entries: tuple[Entry, ...]


@st.composite
def entries(draw: st.DrawFn, name: str, dash: int, width: int) -> Entry:
    optional = draw(st.lists(st.sampled_from(["enabled", "credential", "rotation"]), unique=True))
    fields = draw(st.permutations([*REQUIRED, *optional]))
    space = " " * (dash + width)
    if draw(st.integers(0, 4)) == 0:
        parts = [f"{field}: {draw(VALUES[field].filter(_fits_in_braces))}" for field in fields]
        body = [f"{' ' * dash}-{' ' * (width - 1)}{{{f'{draw(_JOINTS)}'.join([f'name: {name}', *parts])}}}"]
        body = [line for part in body for line in part.replace("{space}", f"{space}  ").split("\n")]
    else:
        first, *rest = ["name: " + name, *(f"{field}: {draw(VALUES[field])}" for field in fields)]
        opening = f"-{' ' * (width - 1)}{first}" if draw(st.integers(0, 4)) else f"-\n{space}{first}"
        body = [" " * dash + opening]
        for field in rest:
            body += [space + draw(COMMENTS)] if draw(st.integers(0, 4)) == 0 else []
            body.append(space + field.replace("{deeper}", f"{space}  "))
        body = [line for part in body for line in part.split("\n")]
    above = [" " * draw(st.integers(0, dash)) + text for text in draw(st.lists(COMMENTS, max_size=2))]
    below = [space + text for text in draw(st.lists(COMMENTS, max_size=1))]
    return Entry(name, (*above, *body, *below), draw(st.integers(0, 2)))


_JOINTS = st.sampled_from([", ", ",", ",\n{space}"])


def _fits_in_braces(value: str) -> bool:
    return not any(mark in value for mark in ("\n", "#", ">-"))


@st.composite
def layouts(draw: st.DrawFn, least: int = 1) -> Layout:
    dash, width = draw(st.integers(0, 4)), draw(st.integers(2, 4))
    names = ["ab", "cd", "ef"][: draw(st.integers(least, 3))]
    made = tuple(draw(entries(name, dash, width)) for name in names)
    head = [*draw(st.lists(COMMENTS, max_size=2)), draw(st.sampled_from(["users:", "users:  # all", '"users" :']))]
    head += draw(st.sampled_from([[], [], ["", "# first", ""]]))
    tail = draw(st.sampled_from([[], [], ["# the end"], ["", "", "# the end", ""]]))
    lines = [*head]
    for entry in made:
        lines += [*entry.lines, *[""] * entry.gap]
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join([*lines, *tail]) + draw(st.sampled_from([end, end, ""]))
    mark = draw(st.sampled_from([b"", b"", codecs.BOM_UTF8]))
    return Layout(mark + text.encode(), made)


def data_of(content: bytes) -> list[dict[str, object]]:
    source = splice.parse("x", content)
    assert source.problems == [], content.decode()
    users: list[dict[str, object]] = source.data["users"]
    return users

"""Change one entry in the text of a manifest. Every other byte stays as it is.

A writer of YAML would format the file anew: also one that keeps comments changes line ends, spaces and line breaks
within values. So the text is cut where the parser's nodes say; the result is parsed again and compared.
Comments directly above an entry belong to it, and so do comments directly below it that are indented further than
its `-`. All others stay.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from reconciler.errors import InvalidInput, ReconcileError
from reconciler.manifests.entry_lines import entry_lines
from reconciler.manifests.files import WithDraft
from reconciler.manifests.yaml_source import Place, Source, read_source


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` in place of what is from `start` to before `end`."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]


@dataclass(frozen=True, slots=True)
class Edited:
    """`line`: where the change is, or where the entry was."""

    content: bytes
    line: int


def add(shown: str, content: bytes, fields: Mapping[str, Any]) -> Edited:
    """`content`: a valid manifest. `fields`: in the order in which they are written. Raises ReconcileError."""

    def change(users: list[Any]) -> None:
        users.append(dict(fields))

    return _edit(shown, content, lambda source, text: _add_entry(source, text, fields), change, ("users", -1))


def set_field(shown: str, content: bytes, index: int, field: str, value: int | bool) -> Edited:
    def change(users: list[Any]) -> None:
        users[index][field] = value

    text = str(value).lower() if isinstance(value, bool) else str(value)
    place = ("users", index, field)
    return _edit(shown, content, lambda source, old: _set_field(source, old, index, field, text), change, place)


def remove(shown: str, content: bytes, index: int) -> Edited:
    def change(users: list[Any]) -> None:
        del users[index]

    edited = _edit(shown, content, lambda source, text: _remove_entry(source, text, index), change, ("users",))
    return replace(edited, line=parse(shown, content).line(("users", index)))


def _edit(
    shown: str,
    content: bytes,
    cut: Callable[[Source, str], list[Splice]],
    change: Callable[[list[Any]], None],
    place: Place,
) -> Edited:
    """`change` does to the data what `cut` does to the text."""
    source = parse(shown, content)
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    text = content.removeprefix(mark).decode()
    for splice in sorted(cut(source, text), key=lambda splice: splice.start, reverse=True):
        text = splice.apply(text)
    change(source.data["users"])
    edited = mark + text.encode()
    made = parse(shown, edited)
    if [problem for problem in made.problems if not problem.line]:
        raise InvalidInput(made.problems)  # too large
    if made.problems or made.data != source.data:
        raise ReconcileError(f"{shown}: a file with this layout is not edited", "edit it manually")
    return Edited(edited, made.line(place))


def parse(shown: str, content: bytes) -> Source:
    path = Path(shown)
    return read_source(path, shown, WithDraft(path, content))


def _add_entry(source: Source, text: str, fields: Mapping[str, Any]) -> list[Splice]:
    """The entry comes last, laid out as the last entry is."""
    key, users = _users(source)
    end_of_line = _end_of_line(text)
    if not users.value:
        return _fill_empty(source, text, key, users, [f"  {line}" for line in entry_lines(fields, 2)], end_of_line)
    _require_block(source, users)
    last, dash = users.value[-1], users.start_mark.column
    width = last.start_mark.column - dash if _is_block(last) else 2
    lines = [" " * dash + line for line in entry_lines(fields, width)]
    start, end = _extent(text, users, len(users.value) - 1)
    if len(users.value) == 1 or _is_blank(_line_before(text, start)):
        lines.insert(0, "")
    return [_insert_lines(text, end, lines, end_of_line)]


def _set_field(source: Source, text: str, index: int, field: str, value: str) -> list[Splice]:
    """A field that the entry lacks comes last."""
    entry = _users(source)[1].value[index]
    for key, node in entry.value:
        if key.value == field:
            return [Splice(node.start_mark.index, node.end_mark.index, value)]
    first, last = entry.value[0][0], entry.value[-1][1]
    end = _last_index(text, last)
    if not _is_block(entry):
        return [Splice(end, end, f", {field}: {value}")]
    line = f"{' ' * first.start_mark.column}{field}: {value}"
    return [_insert_lines(text, _next_line(text, end), [line], _end_of_line(text))]


def _remove_entry(source: Source, text: str, index: int) -> list[Splice]:
    """With the blank lines that separate it from the next entry, or, of the last entry, from the one before."""
    key, users = _users(source)
    _require_block(source, users)
    start, end = _extent(text, users, index)
    if index < len(users.value) - 1:
        while end < len(text) and _is_blank(text[end : _next_line(text, end)]):
            end = _next_line(text, end)
        return [Splice(start, end, "")]
    while _is_blank(line := _line_before(text, start)):
        start -= len(line)
    cut = Splice(start, end, "")
    if len(users.value) > 1:
        return [cut]
    after_colon = text.index(":", key.end_mark.index) + 1
    return [Splice(after_colon, after_colon, " []"), cut]


def _users(source: Source) -> tuple[yaml.Node, yaml.SequenceNode]:
    """The only key of a valid manifest, and the list."""
    assert isinstance(source.root, yaml.MappingNode)  # noqa: S101
    ((key, users),) = source.root.value
    return key, users


def _require_block(source: Source, users: yaml.SequenceNode) -> None:
    if users.flow_style:
        line = users.start_mark.line + 1
        raise ReconcileError(
            f"{source.path}:{line}: the users are listed in brackets; such a list is not edited",
            "edit the file manually, or begin each user on a line of its own with '- name:'",
        )


def _fill_empty(
    source: Source, text: str, key: yaml.Node, users: yaml.SequenceNode, lines: list[str], end_of_line: str
) -> list[Splice]:
    """`users: []` becomes a list of lines."""
    after_colon, end = text.index(":", key.end_mark.index) + 1, users.end_mark.index
    if text[after_colon:end].split() not in (["[]"], ["[", "]"]):
        _require_block(source, users)  # comments are in between
    return [Splice(after_colon, end, ""), _insert_lines(text, _next_line(text, end), lines, end_of_line)]


def _extent(text: str, users: yaml.SequenceNode, index: int) -> tuple[int, int]:
    """From the start of the first line of an entry to the start of the line after it, its comments included."""
    dash = users.start_mark.column
    start = text.rfind("\n", 0, users.value[index].start_mark.index) + 1
    while text[start + dash] != "-":  # a '-' on a line of its own
        start = text.rfind("\n", 0, start - 1) + 1
    while (line := _line_before(text, start)).lstrip().startswith("#") and _indent(line) <= dash:
        start -= len(line)
    end = _next_line(text, _last_index(text, users.value[index]))
    while (line := text[end : _next_line(text, end)]).lstrip().startswith("#") and _indent(line) > dash:
        end += len(line)
    return start, end


def _insert_lines(text: str, position: int, lines: list[str], end_of_line: str) -> Splice:
    """At the start of a line, or at the end of a text whose last line has no end; then it still has none."""
    block = end_of_line.join(lines)
    return Splice(position, position, block + end_of_line if text[:position].endswith("\n") else end_of_line + block)


def _last_index(text: str, node: yaml.Node) -> int:
    """After the last character of a value. The parser ends a block where the next token begins."""
    while isinstance(node, yaml.CollectionNode) and _is_block(node):
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return len(text[: node.end_mark.index].rstrip())


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _next_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)


def _line_before(text: str, position: int) -> str:
    """With its end; '' at the start of the text."""
    return text[text.rfind("\n", 0, max(position - 1, 0)) + 1 : position]


def _is_blank(line: str) -> bool:
    return bool(line) and not line.strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _end_of_line(text: str) -> str:
    """As the first line ends."""
    return "\r\n" if text[: text.find("\n") + 1].endswith("\r\n") else "\n"

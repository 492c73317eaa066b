"""Strict YAML with source positions.

Files are read as one document of plain mappings, lists and scalars. Anchors, aliases, tags and duplicate keys are
problems: what a reviewer sees is what is parsed.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconciler.errors import Problem

Place = tuple[str | int, ...]  # keys and indexes from the root down
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_PROBLEMS = 10  # in one file; after that it is not read further
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_UNUSUAL = re.compile(r"\r(?!\n)|[^\t\n\r -~]")  # all else is plain ASCII
# The Unicode categories that a reviewer cannot see: controls, format characters, surrogates, private use, unassigned
# code points, and the separators of lines and paragraphs.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LINE_BREAKS = frozenset("\r\x85\u2028\u2029")  # YAML 1.1 ends a line and a comment at them; editors and diffs do not
_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Source:
    """A file as plain data. `marks` and `keys`: (line, column) of each value and of each mapping key."""

    path: str
    data: Any = None
    marks: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        line, column = self._mark(place, at_key)
        return Problem(self.path, line, column, message, hint)

    def line(self, place: Place) -> int:
        return self._mark(place, False)[0]

    def _mark(self, place: Place, at_key: bool) -> tuple[int, int]:
        if at_key and place in self.keys:
            return self.keys[place]
        while place not in self.marks and place:
            place = place[:-1]
        return self.marks.get(place, (1, 1))


def read_source(path: Path, shown: str) -> Source:
    """Read a file. Do not use `data` when there are `problems`."""
    source = Source(shown)
    text = _read_text(path, source)
    if text is None:
        return source
    try:
        if not _check_events(text, source):
            return source
        node = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as error:
        source.problems.append(_syntax_problem(error, text, source))
        return source
    if node is None:
        source.problems.append(Problem(shown, 0, 0, "the file is empty", "delete it or add its content"))
        return source
    source.data = _plain(node, (), source)
    return source


def _read_text(path: Path, source: Source) -> str | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"the file has {size / 1e6:.1f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB"
            source.problems.append(Problem(source.path, 0, 0, message, "split it into one file per team"))
            return None
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        source.problems.append(Problem(source.path, 0, 0, f"the file cannot be read: {reason}"))
        return None
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        source.problems.append(Problem(source.path, line, column, message, "save the file as UTF-8"))
        return None
    if (hidden := _find_hidden(text)) is not None:
        source.problems.append(_hidden_problem(text, hidden, source.path))
        return None
    return text


def _find_hidden(text: str) -> int | None:
    """The position of the first character that is invisible, or that only the parser treats as a line break."""
    if text.isascii() and "\r" not in text and text.replace("\n", "").replace("\t", "").isprintable():
        return None
    for found in _UNUSUAL.finditer(text):
        if unicodedata.category(found.group()) in _HIDDEN:
            return found.start()
    return None


def _hidden_problem(text: str, position: int, path: str) -> Problem:
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    shown = f"U+{ord(text[position]):04X}"
    if text[position] in _LINE_BREAKS:
        message = f"the line break {shown} is not allowed: editors and diffs do not show it"
        return Problem(path, line, column, message, "end lines with LF or CRLF only")
    return Problem(path, line, column, f"the character {shown} is not allowed: it is invisible", "remove it")


def _check_events(text: str, source: Source) -> bool:
    """Report constructs that are unsafe to compose, before they are expanded."""
    depth = documents = 0
    event: Any
    for event in yaml.parse(text, Loader=Loader):
        mark = event.start_mark
        where = (source.path, mark.line + 1, mark.column + 1)
        if found := _forbidden(event):
            source.problems.append(Problem(*where, *found))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            source.problems.append(
                Problem(*where, f"nested more than {MAX_DEPTH} levels deep", "four levels are enough")
            )
        elif documents > 1:
            source.problems.append(Problem(*where, "a second YAML document begins", "use one document: remove '---'"))
        if depth > MAX_DEPTH or documents > 1 or len(source.problems) >= MAX_PROBLEMS:
            break
    return not source.problems


def _forbidden(event: Any) -> tuple[str, str] | None:
    """An alias, an anchor or a tag, and what to write instead."""
    if isinstance(event, yaml.AliasEvent):
        return f"the alias *{event.anchor} is not allowed", "repeat the value where it is used"
    if getattr(event, "anchor", None):
        return f"the anchor &{event.anchor} is not allowed", "repeat the value where it is used"
    if getattr(event, "tag", None):
        return f"the tag {event.tag} is not allowed", "write the plain value"
    return None


def _syntax_problem(error: yaml.YAMLError, text: str, source: Source) -> Problem:
    mark = (error.problem_mark or error.context_mark) if isinstance(error, yaml.MarkedYAMLError) else None
    if mark is None:
        return Problem(source.path, 1, 1, "not valid YAML")
    said = " ".join(part for part in (error.problem, error.context) if part)  # type: ignore[attr-defined]
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    hint = _syntax_hint(line, mark.column)
    return Problem(source.path, mark.line + 1, mark.column + 1, f"not valid YAML: {said}", hint)


def _syntax_hint(line: str, column: int) -> str:
    if "\t" in line[: column + 1]:
        return "indent with spaces, not with tabs"
    if re.search(r"[\s\[,:-]\*", f" {line}"):
        return 'a value that begins with * needs quotes: "*@example.com"'
    return "check indentation and quotes near this position"


def _plain(node: yaml.Node, place: Place, source: Source) -> Any:
    source.marks[place] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
        return dict(_pairs(node, place, source))
    if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        return [_plain(child, (*place, index), source) for index, child in enumerate(node.value)]
    return _scalar(node)


def _pairs(node: yaml.MappingNode, place: Place, source: Source) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode):
            source.problems.append(Problem(source.path, line, column, "a key must be plain text"))
            continue
        name = str(key.value)
        if name in seen:
            if len(source.problems) >= MAX_PROBLEMS:
                return
            message = f"duplicate key '{name}' (first on line {seen[name]})"
            source.problems.append(Problem(source.path, line, column, message, "remove one of them"))
            continue
        seen[name] = line
        source.keys[(*place, name)] = (line, column)
        yield name, _plain(value, (*place, name), source)


def _scalar(node: yaml.Node) -> Any:
    """Whole numbers, booleans and null are converted; everything else stays text, dates included."""
    kind = node.tag.removeprefix(_TAG)
    text = str(node.value)
    if kind in ("str", "timestamp", "value", "merge"):
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    if kind == "int" and _DECIMAL.fullmatch(text):
        return int(text)
    return text  # fractions, octal, sexagesimal and others: the schema reports what it expects

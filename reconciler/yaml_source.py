"""YAML with the place of everything, and nothing that YAML can surprise with.

Files are read as one document of plain mappings, lists and scalars. Anchors, aliases, tags and duplicate keys are
problems, not features: what a reviewer reads is what is meant.
"""

from __future__ import annotations

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
_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Source:
    """A file as plain data. `marks` and `keys`: (line, column) of every value and of every mapping key."""

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
    """Read a file. Whatever is wrong with it ends up in `problems`; then `data` is not to be used."""
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
        source.problems.append(Problem(shown, 0, 0, "the file is empty", "delete it, or write what it should hold"))
        return source
    source.data = _plain(node, (), source)
    return source


def _read_text(path: Path, source: Source) -> str | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"the file has {size / 1e6:.1f} MB, more than the limit of {MAX_BYTES / 1e6:.0f} MB"
            source.problems.append(Problem(source.path, 0, 0, message, "split it, one file per team"))
            return None
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        source.problems.append(Problem(source.path, 0, 0, f"the file cannot be read: {reason}"))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        source.problems.append(Problem(source.path, line, column, message, "save the file as UTF-8"))
        return None


def _check_events(text: str, source: Source) -> bool:
    """Refuse what could not be composed safely: it is seen here before it is expanded."""
    depth = documents = 0
    event: Any
    for event in yaml.parse(text, Loader=Loader):
        mark = event.start_mark
        where = (source.path, mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            sign = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            found = Problem(*where, f"{sign}{event.anchor} is not allowed", "write the value out where it is used")
            source.problems.append(found)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                source.problems.append(Problem(*where, f"nested more than {MAX_DEPTH} levels deep"))
                return False
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                source.problems.append(Problem(*where, "a second document begins", "one document a file: no '---'"))
    return not source.problems


def _syntax_problem(error: yaml.YAMLError, text: str, source: Source) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        said = " ".join(part for part in (error.problem, error.context) if part)
        return Problem(source.path, mark.line + 1, mark.column + 1, f"not valid YAML: {said}", _syntax_hint(said))
    position = getattr(error, "position", None)
    if position is not None:
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        code = ord(text[position]) if position < len(text) else 0
        return Problem(source.path, line, column, f"the character U+{code:04X} is not allowed in YAML")
    return Problem(source.path, 1, 1, "not valid YAML")


def _syntax_hint(said: str) -> str:
    if "\\t" in said or "'\t'" in said:
        return "indent with spaces, not with tabs"
    if "alias" in said:
        return 'a value that begins with * needs quotes: "*@example.com"'
    return "check indentation and quotes around here"


def _plain(node: yaml.Node, place: Place, source: Source) -> Any:
    source.marks[place] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
        return dict(_pairs(node, place, source))
    if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        return [_plain(child, (*place, index), source) for index, child in enumerate(node.value)]
    return _scalar(node, place, source)


def _pairs(node: yaml.MappingNode, place: Place, source: Source) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode):
            source.problems.append(Problem(source.path, line, column, "a key must be plain text"))
            continue
        name = str(key.value)
        if name in seen:
            message = f"the key '{name}' stands here a second time (first on line {seen[name]})"
            source.problems.append(Problem(source.path, line, column, message, "keep one of them"))
            continue
        seen[name] = line
        source.keys[(*place, name)] = (line, column)
        yield name, _plain(value, (*place, name), source)


def _scalar(node: yaml.Node, place: Place, source: Source) -> Any:
    """Text stays text, also where YAML 1.1 would see a date; numbers, booleans and null are converted."""
    kind = node.tag.removeprefix(_TAG)
    text = str(node.value)
    if kind in ("str", "timestamp", "value", "merge"):
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    try:
        if kind == "int":
            return int(text.replace("_", ""))
        if kind == "float":
            return float(text.replace("_", ""))
    except ValueError:
        return text  # octal, sexagesimal and the like: text to us, and the schema will say what it wants
    source.problems.append(source.problem(place, f"the tag {node.tag} is not allowed", "write the plain value"))
    return None

"""Strict YAML with source positions.

Files are read as one document of plain mappings, lists and scalars. Anchors, aliases, tags and duplicate keys are
problems: what a reviewer sees is what is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconciler.core.text import clip, quote
from reconciler.errors import Problem
from reconciler.manifests.file_text import read_text
from reconciler.manifests.files import DISK, Contents
from reconciler.manifests.yaml_versions import check_layout, read_scalar

Place = tuple[str | int, ...]  # keys and indexes from the root down
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Pair = tuple[yaml.Node, yaml.Node]  # a key and its value

MAX_DEPTH = 20
MAX_PROBLEMS = 10  # in one file; after that it is not read further
# Where an alias, an anchor, a tag, a directive or a second document may begin. They begin neither within a word nor
# directly after a quote, which opens a text, or closes one that nothing but an indicator may follow.
_UNSAFE = re.compile(r"(?<![\w\"'])[*&!]|^(?:%|---|\.\.\.)", re.MULTILINE)


@dataclass(slots=True)
class Source:
    """A file as plain data. Positions are looked up in the nodes that the parser made, which hold them anyway."""

    path: str
    data: Any = None
    root: yaml.Node | None = field(default=None, repr=False)
    problems: list[Problem] = field(default_factory=list)
    _pairs: dict[yaml.Node, dict[str, Pair]] = field(
        default_factory=dict, repr=False
    )  # of mappings that were looked at

    def problem(self, place: Place, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """At the value of `place` or at its key; where there is none, at what it would be in."""
        key, value = self._find(place)
        return Problem(self.path, *_position((at_key and key) or value), message, hint)

    def add(self, node: yaml.Node, message: str, hint: str) -> None:
        """A problem of the file as YAML, unless there are enough."""
        self.add_at(_position(node), message, hint)

    def add_at(self, position: tuple[int, int], message: str, hint: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.path, *position, message, hint))

    def line(self, place: Place) -> int:
        return _position(self._find(place)[1])[0]

    def _find(self, place: Place) -> tuple[yaml.Node | None, yaml.Node | None]:
        """The key, if all of the place exists, and the node."""
        key, node = None, self.root
        for part in place:
            key = None
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
            elif isinstance(node, yaml.MappingNode) and part in (pairs := self._index(node)):
                key, node = pairs[str(part)]
            else:
                break
        return key, node

    def _index(self, node: yaml.MappingNode) -> dict[str, Pair]:
        if node not in self._pairs:
            self._pairs[node] = {key.value: (key, value) for key, value in node.value}
        return self._pairs[node]


class _NodeLoader(Loader):  # type: ignore[misc]
    """Composes nodes without the tags of YAML 1.1, which nothing reads here, and not deeper than MAX_DEPTH."""

    depth = 0

    def resolve(self, *_: object) -> str:
        return ""

    def descend_resolver(self, *_: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError

    def ascend_resolver(self) -> None:
        self.depth -= 1


def read_source(path: Path, shown: str, files: Contents = DISK) -> Source:
    """Read a file. Do not use `data` when there are `problems`."""
    source = Source(shown)
    text = read_text(path, shown, files)
    if isinstance(text, Problem):
        source.problems.append(text)
        return source
    try:
        source.root = _compose(text, source)
    except yaml.YAMLError as error:
        source.problems.append(_syntax_problem(error, text, source))
    if source.problems:
        return source
    if source.root is None:
        source.problems.append(Problem(shown, 0, 0, "the file is empty", "delete it or add its content"))
        return source
    for line, column, *fault in check_layout(source.root, text):
        source.add_at((line, column), *fault)
    source.data = _plain(source.root, source)
    return source


def _compose(text: str, source: Source) -> yaml.Node | None:
    """Most files hold nothing that the events have to be checked for. Whatever is unusual is found in the events."""
    if not _UNSAFE.search(text):
        try:
            return yaml.compose(text, Loader=_NodeLoader)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=Loader) if _check_events(text, source) else None


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
    """An alias, an anchor, a tag or a directive, and what to write instead."""
    if isinstance(event, yaml.AliasEvent):
        return f"the alias *{clip(event.anchor or '')} is not allowed", "repeat the value where it is used"
    if getattr(event, "anchor", None):
        return f"the anchor &{clip(event.anchor)} is not allowed", "repeat the value where it is used"
    if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
        return "directives such as %YAML and %TAG are not allowed", "remove the line"
    if getattr(event, "tag", None):
        return f"the tag {clip(event.tag)} is not allowed", "write the plain value"
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


def _plain(node: yaml.Node, source: Source) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, source)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, source) for child in node.value]
    data: dict[str, Any] = {}
    first: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _scalar(key, source) if isinstance(key, yaml.ScalarNode) else None
        if not isinstance(name, str):
            source.add(key, "a key must be plain text", "put it in quotes")
        elif (other := first.setdefault(name, key)) is not key:
            line = other.start_mark.line + 1
            source.add(key, f"duplicate key '{quote(name)}' (first on line {line})", "remove one of them")
        else:
            data[name] = _plain(value, source)
    return data


def _position(node: yaml.Node | None) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node else (1, 1)


def _scalar(node: yaml.ScalarNode, source: Source) -> Any:
    value, fault = read_scalar(node)
    if fault:
        source.add(node, *fault)
    return value

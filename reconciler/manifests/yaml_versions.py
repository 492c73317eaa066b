"""Accept only what YAML 1.1 and YAML 1.2 read alike.

The parser reads YAML 1.1; editors, their schema checks and other tools read YAML 1.2, and a reviewer reads neither
specification. A property test compares what is accepted with an independent parser of YAML 1.2.
https://yaml.org/type/ (1.1), https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import yaml

from reconciler.core.text import quote

Fault = tuple[str, str]  # message, hint
# Unquoted values that both read as the same.
_SAME: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_LONG = re.compile(r"[-+]?[1-9][0-9]{18,}")
_FRACTION = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}")
# Unquoted values that one of them, or a common parser of one, does not read as text. Dates are kept as text.
_BOOLEANS = frozenset("y Y yes Yes YES n N no No NO on On ON off Off OFF".split())
_NUMERIC = frozenset("-+.0123456789=<?:")  # what the patterns here begin with
_SPECIAL = re.compile(
    r"=|<<|[-?:]|[-+]*(0b[-+01_]*|0o[-+0-7_]*|0x[-+0-9a-fA-F_]*|[0-9_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+([eE][-+]?[0-9]+)?|\.(inf|Inf|INF|nan|NaN|NAN))"
)
_HEADER_WITH_COMMENT = re.compile(r"[|>][-+0-9]*#")


def read_scalar(node: yaml.ScalarNode) -> tuple[Any, Fault | None]:
    """Text, unless an unquoted value is the same number, boolean or null in both."""
    text = str(node.value)
    if node.style:
        return text, None
    if text in _SAME:
        return _SAME[text], None
    if text in _BOOLEANS:
        return text, (
            f"'{text}' is a boolean in YAML 1.1 and text in YAML 1.2",
            "write true or false, or put it in quotes if it is text",
        )
    if text[0] not in _NUMERIC:
        return text, None
    if _WHOLE.fullmatch(text):
        return int(text), None
    if _FRACTION.fullmatch(text):
        return float(text), None
    if _LONG.fullmatch(text):
        return text, (f"'{quote(text)}' has more than 18 digits", "put it in quotes if it is text")
    if _SPECIAL.fullmatch(text):
        return text, (
            f"'{quote(text)}' is not the same value in YAML 1.1 and YAML 1.2",
            "write a plain decimal number, or put it in quotes if it is text",
        )
    return text, None


def check_layout(root: yaml.Node, text: str) -> Iterator[tuple[int, int, str, str]]:
    """Line, column, message and hint of everything that only one of them accepts."""
    if (tab := text.find("\t")) >= 0:
        line, column = text.count("\n", 0, tab) + 1, tab - text.rfind("\n", 0, tab)
        yield line, column, "a tab is not allowed: YAML 1.1 and 1.2 treat it differently", "use spaces"
    lines = _Lines(text)
    may_be_key = "?" in text
    for node, indent in _nodes(root):
        if isinstance(node, yaml.ScalarNode) and not (node.style or may_be_key):
            continue  # plain text, as most nodes are
        start, end = node.start_mark, node.end_mark
        if may_be_key and text[start.index - 1 : start.index] == "?":
            yield start.line + 1, start.column, "a '?' stands directly before a value", "remove it, or use quotes"
        if not _is_delimited(node):
            if (
                isinstance(node, yaml.ScalarNode)
                and node.style in ("|", ">")
                and (fault := _check_block(node, text, lines, indent))
            ):
                yield start.line + 1, start.column + 1, *fault
            continue
        if (number := _outdented(node, lines, indent)) is not None:
            message = "this line continues a value, but is not indented further than its key"
            yield number + 1, 1, message, "indent it with more spaces"
        if text.startswith("#", end.index):
            yield (
                end.line + 1,
                end.column + 1,
                "a comment begins directly after a value",
                "write a space before the '#'",
            )


class _Line:
    def __init__(self, text: str) -> None:
        content = text.strip()
        self.indent = len(text) - len(text.lstrip())
        self.is_blank = not content
        self.is_comment = content.startswith("#")


class _Lines(dict[int, _Line]):
    """Each line is looked at when it is first needed, and only once: many nodes may be on it."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _texts(self) -> list[str]:
        return self._text.split("\n")

    def __missing__(self, number: int) -> _Line:
        return self.setdefault(number, _Line(self._texts[number]))


def _check_block(node: yaml.ScalarNode, text: str, lines: _Lines, indent: int) -> Fault | None:
    """Text after `|` or `>`. At the end of a file, parsers disagree about its last line break."""
    if _HEADER_WITH_COMMENT.match(text, node.start_mark.index):
        return f"a comment begins directly after the '{node.style}'", "write a space before the '#'"
    mark = node.start_mark
    if mark.column <= indent and mark.column <= lines[mark.line].indent:
        return f"the '{node.style}' is not indented further than its key", "indent it with more spaces"
    if not node.value:
        return "this block of text is empty", 'write "" instead'
    if not text.endswith("\n") and node.end_mark.index >= len(text):
        return "this block of text does not end with a line break", "add a line break at the end of the file"
    return None


def _nodes(root: yaml.Node) -> Iterator[tuple[yaml.Node, int]]:
    """Every node, with the column of the block mapping or block list that it is in; -1 if there is none."""
    waiting = [(root, -1)]
    while waiting:
        node, indent = waiting.pop()
        yield node, indent
        if isinstance(node, yaml.ScalarNode):
            continue
        inner = -1 if _is_delimited(node) else node.start_mark.column
        if isinstance(node, yaml.SequenceNode):
            waiting.extend((item, inner) for item in reversed(node.value))
        else:
            for key, value in reversed(node.value):
                waiting += (value, inner), (key, -1)


def _is_delimited(node: Any) -> bool:
    """In brackets, braces or quotes."""
    if isinstance(node, yaml.CollectionNode):
        return bool(node.flow_style)
    return node.style in ("'", '"')


def _outdented(node: yaml.Node, lines: _Lines, indent: int) -> int | None:
    """The first line of the node, closing bracket included, that is not indented further than what the node is in."""
    first, last = node.start_mark, node.end_mark
    if first.line == last.line and first.column > indent:
        return None  # also where it is the first of its line
    for number in range(first.line, last.line + 1):
        line = lines[number]
        if line.is_blank or (number == first.line and first.column > line.indent):
            continue
        if line.is_comment and isinstance(node, yaml.CollectionNode):
            continue  # comments may be anywhere
        if line.indent <= indent:
            return number
    return None

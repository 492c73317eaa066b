"""Text of files, records and AWS is data. It is neutralised here, and only here, for every sink that would act on it.

Characters are spelled out as Python does (`\\x1b`), never removed: a reader sees that something is there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from reconciler.core.text import SHAPELESS, printable

_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)

# Runners read commands from the log: `##[name]`, and `##vso[` and `##teamcity[` of other products, anywhere in a line;
# `::name::` at its beginning. A wrapped line begins at any word.
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
_COMMAND = re.compile(r"#(?=#\w*\[)|(?<!\S):(?=:)")


_BACKTICKS = re.compile("``+")


def for_log(text: str) -> str:
    """One line for a terminal or a CI log."""
    if text.isascii() and text.isprintable() and "##" not in text and "::" not in text:
        return text
    return _COMMAND.sub(_spell, SHAPELESS.sub(_spell, printable(text)))


def for_position(path: str) -> str:
    """The file in `FILE:LINE:COLUMN: message`, which editors and other tools read: it cannot name another position."""
    return re.sub(r":(?=\d+:)", r"\\x3a", for_log(path))


def for_markdown(text: str) -> str:
    """A code span, for a comment or a job summary; empty for an empty text.

    In code, GitHub looks neither for Markdown and HTML nor for mentions, references, commits, links, emoji, formulas
    and the custom links of a repository. Neither a backslash nor an entity has this effect.
    """
    text = _BACKTICKS.sub(_spell, for_log(text)).replace("|", "\\x7c")  # in a table, `|` ends the cell even in code
    if "`" in text:
        return f"`` {text} ``"
    return f"`{text}`" if text else ""


def for_page(text: str) -> str:
    """One line for a page or a spreadsheet: what has no shape, or reorders text, is spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return SHAPELESS.sub(_spell, printable(text))


def for_json(data: Any) -> str:
    """A JSON document of ASCII text. In a log, no line of it is a command."""
    return json.dumps(data, indent=2).replace("##", "#\\u0023")


def _spell(found: re.Match[str]) -> str:
    return "".join(f"\\x{ord(c):02x}" if c.isascii() else ascii(c)[1:-1] for c in found.group())

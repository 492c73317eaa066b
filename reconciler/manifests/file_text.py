"""The text of a file: bounded, UTF-8, and without characters that a reviewer cannot see."""

from __future__ import annotations

import codecs
import errno
import re
from pathlib import Path

from reconciler.core.text import is_hidden
from reconciler.errors import Problem
from reconciler.manifests.files import DISK, MAX_BYTES, Contents

_UNUSUAL = re.compile(r"\r(?!\n)|[^\t\n\r -~]")  # all else is plain ASCII
_LINE_BREAKS = frozenset("\r\x85\u2028\u2029")  # YAML 1.1 ends a line and a comment at them; editors and diffs do not


def read_text(path: Path, shown: str, files: Contents = DISK) -> str | Problem:
    try:
        raw, size = files.read(path)
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else (error.strerror or "unknown reason").lower()
        return Problem(shown, 0, 0, f"the file cannot be read: {reason}")
    if size > MAX_BYTES:
        message = f"the file has {size / 1e6:.1f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB"
        return Problem(shown, 0, 0, message, "split it into one file per team")
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return Problem(shown, line, column, message, "save the file as UTF-8")
    if (hidden := _find_hidden(text)) is not None:
        return _hidden_problem(text, hidden, shown)
    return text


def _find_hidden(text: str) -> int | None:
    """The position of the first character that is invisible, or that only the parser treats as a line break."""
    if text.isascii() and "\r" not in text and text.replace("\n", "").replace("\t", "").isprintable():
        return None
    for found in _UNUSUAL.finditer(text):
        if is_hidden(found.group()):
            return found.start()
    return None


def _hidden_problem(text: str, position: int, path: str) -> Problem:
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    shown = f"U+{ord(text[position]):04X}"
    if text[position] in _LINE_BREAKS:
        message = f"the line break {shown} is not allowed: editors and diffs do not show it"
        return Problem(path, line, column, message, "end lines with LF or CRLF only")
    if text[position].isspace():
        message = f"the character {shown} is not allowed: it looks like an ordinary space"
        return Problem(path, line, column, message, "write an ordinary space")
    return Problem(path, line, column, f"the character {shown} is not allowed: it is invisible", "remove it")

"""What would act on output: a CI runner that reads its log, and GitHub that renders Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

# GitHub's dialect, as far as the parser has it. Links are recognised without a scheme as well, as GitHub does.
GFM = MarkdownIt("gfm-like", {"linkify": True, "html": True})
GFM.linkify.set({"fuzzy_link": True, "fuzzy_email": True, "fuzzy_ip": True})

# What our own Markdown consists of. All that is not text has no attributes and no content.
STRUCTURE = frozenset(
    f"{kind}_{end}"
    for kind in (
        "blockquote", "bullet_list", "heading", "list_item", "paragraph", "strong", "table", "tbody", "td", "th",
        "thead", "tr",
    )
    for end in ("open", "close")
)  # fmt: skip
# What GitHub adds after it has rendered the Markdown, in every text that is not code.
# https://docs.github.com/en/get-started/writing-on-github
ACTIVE = re.compile(
    r"(?<!\w)@[a-z0-9]|#\d|\bGH-\d|\b[0-9a-f]{7,64}\b|://|\bwww\.|:[a-z0-9_+-]+:|[$]|\[!|\[\^|&#?\w+;", re.IGNORECASE
)
COMMANDS = re.compile(r"##\w*\[|^\s*::", re.MULTILINE)


def assert_log_is_neutral(text: str) -> None:
    """No character and no line of it acts on a terminal or on a runner."""
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not _is_command(line), line


def _is_command(line: str) -> bool:
    """The runner takes `::name::` at the beginning, after white space, and `##[name]` anywhere.

    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    return COMMANDS.search(line) is not None


def assert_markdown_is_neutral(text: str) -> None:
    """Rendered, it contains our own structure, text of ours, and code."""
    assert_log_is_neutral(text)
    for token in _tokens(GFM.parse(text)):
        if token.type in ("text", "softbreak"):
            assert not ACTIVE.search(token.content), token.content
        elif token.type == "html_inline":
            assert token.content == "<br>"
        else:
            assert token.type in STRUCTURE | {"inline", "code_inline"}, token
            assert not {*token.attrs} - {"style"}, token


def code_of(text: str) -> list[str]:
    """The contents of its code spans."""
    return [token.content for token in _tokens(GFM.parse(text)) if token.type == "code_inline"]


def _tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])

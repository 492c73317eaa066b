"""The pages of the documentation, and what they contain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT

GUIDES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
PAGES = (*GUIDES, *(page for page in sorted(ROOT.glob("*.md")) if page not in GUIDES))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """Without code blocks and HTML comments."""
    return re.sub(r"<!--.*?-->", "", FENCE.sub("", text_of(page)), flags=re.DOTALL)


def spans(page: Path) -> list[str]:
    """Inline code."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(page))]


def commands(page: Path) -> Iterator[str]:
    """Command lines of console blocks, without comments; a continued one is one line."""
    for kind, block in FENCE.findall(text_of(page)):
        if kind == "console":
            for line in re.sub(r"\\\n", " ", block).split("\n"):
                if line.strip().startswith("$ "):
                    yield line.strip().removeprefix("$ ").split(" #")[0]

"""The picture of a plan in README.md."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from reconciler.pipeline.lambda_zip import ROOT
from scripts.picture import COLORS, FOREGROUND, draw, pieces

SVG = "{http://www.w3.org/2000/svg}"


def test_pieces_keep_column_colour_and_weight() -> None:
    assert [*pieces("ab\x1b[32mcd\x1b[0m\x1b[1me\x1b[0m")] == [
        (0, "ab", FOREGROUND, False),
        (2, "cd", COLORS["32"], False),
        (4, "e", FOREGROUND, True),
    ]


def test_picture_is_well_formed_and_needs_nothing_else() -> None:
    root = ElementTree.fromstring(draw("a <b>\n\x1b[31m& c\x1b[0m", "title"))  # noqa: S314 - our own
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a <b>", "& c"]
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}image", f"{SVG}script", f"{SVG}style"})


def test_committed_picture_is_readable() -> None:
    root = ElementTree.fromstring((ROOT / "docs" / "images" / "plan.svg").read_bytes())  # noqa: S314
    assert "$ reconcile plan --env sandbox" in [text.text for text in root.iter(f"{SVG}text")]

"""The documentation uses one term for each concept, and none of the words that make a sentence hard to read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.pages import PAGES, prose_of
from reconciler.pipeline.lambda_zip import ROOT

AVOIDED = re.compile(
    r"\b(somebody|nobody|whom|told|by hand|driven? again|work(s|ed)? off|rows?|rails?|marks?|unsaid|mended?|sees to it"
    r"|stands in|what is meant|woken|wakes?|foreign|ghost)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"`[^`]+`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_avoided_word_occurs(page: Path) -> None:
    prose = CODE.sub("", prose_of(page))
    assert [found.group() for found in AVOIDED.finditer(prose)] == []

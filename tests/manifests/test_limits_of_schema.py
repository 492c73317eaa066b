"""The schema states the limits that `core.user` defines; records are held to the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core import user
from reconciler.manifests.schema import SCHEMA_DIR

SCHEMA: dict[str, Any] = json.loads((SCHEMA_DIR / "users.schema.json").read_text(encoding="utf-8"))
PROPERTIES = SCHEMA["$defs"]["user"]["properties"]
ROTATION = PROPERTIES["rotation"]["properties"]


@pytest.mark.parametrize(
    ("field", "pattern"), [("name", user.NAME), ("description", user.DESCRIPTION), ("owner", user.OWNER)]
)
def test_patterns_are_the_same(field: str, pattern: Any) -> None:
    assert PROPERTIES[field]["pattern"] == f"^{pattern.pattern}$"


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        (PROPERTIES["credential"], user.CREDENTIAL),
        (ROTATION["every_days"], user.EVERY_DAYS),
        (ROTATION["overlap_days"], user.OVERLAP_DAYS),
    ],
    ids=["credential", "every_days", "overlap_days"],
)
def test_numbers_are_the_same(field: dict[str, Any], limits: user.Limits) -> None:
    assert (field["minimum"], field["maximum"]) == (limits.least, limits.most)


def texts(schema: Any) -> list[dict[str, Any]]:
    """Every part of a schema with a pattern."""
    if isinstance(schema, list):
        return [found for part in schema for found in texts(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if isinstance(schema.get("pattern"), str) else []
    return own + texts([*schema.values()])


@pytest.mark.parametrize("name", ["users", "reconcile"])
def test_every_pattern_is_searched_in_bounded_text_and_repeats_no_repetition(name: str) -> None:
    """Time is linear: the length is checked first, and no repeated group contains a repetition."""
    found = texts(json.loads((SCHEMA_DIR / f"{name}.schema.json").read_text(encoding="utf-8")))
    assert len(found) >= 3
    for part in found:
        assert 0 < part["maxLength"] <= 255
        assert not re.search(r"\([^()]*[*+][^()]*\)[*+{]", part["pattern"]), part["pattern"]


DOMAIN = json.loads((SCHEMA_DIR / "reconcile.schema.json").read_text(encoding="utf-8"))["$defs"]["environment"][
    "properties"
]["allowed_domains"]["items"]
FORMER_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*[a-z0-9]")


@given(st.text("ab1.-A_", max_size=12) | st.from_regex(FORMER_DOMAIN, fullmatch=True))
@example("example.com")
@example("a.b-c.de")
@example("a.b")
@example("example.com\n")
def test_a_domain_is_labels_that_neither_begin_nor_end_with_a_hyphen(text: str) -> None:
    assert bool(re.fullmatch(DOMAIN["pattern"], text)) is bool(FORMER_DOMAIN.fullmatch(text))


def test_lengths_defaults_and_hints_are_the_same() -> None:
    assert PROPERTIES["owner"]["maxLength"] == user.MAX_OWNER
    assert PROPERTIES["description"]["maxLength"] == user.MAX_DESCRIPTION
    assert PROPERTIES["name"]["maxLength"] == 40
    assert ROTATION["overlap_days"]["default"] == user.DEFAULT_OVERLAP_DAYS
    assert PROPERTIES["name"]["description"] == user.NAME_HINT

"""The schema states the limits that `core.user` defines; records are held to the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

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


def test_lengths_defaults_and_hints_are_the_same() -> None:
    assert PROPERTIES["owner"]["maxLength"] == user.MAX_OWNER
    assert ROTATION["overlap_days"]["default"] == user.DEFAULT_OVERLAP_DAYS
    assert PROPERTIES["name"]["description"] == user.NAME_HINT

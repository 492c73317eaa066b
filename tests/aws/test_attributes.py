"""I17: every value that DynamoDB can store is read, and written back as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from reconciler.aws.attributes import Unreadable, pack, unpack
from simulation.notation import same_items
from support.generated import TYPED_ITEMS


@given(TYPED_ITEMS)
def test_what_was_read_is_written_back_unchanged(item: dict[str, Any]) -> None:
    """A write is conditional on values that were read, whatever they are (I11)."""
    assert same_items(pack(unpack(item)), item)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ({"S": ""}, ""),
        ({"N": "1E+60"}, Decimal("1E+60")),
        ({"N": "9" * 38}, Decimal("9" * 38)),
        ({"N": "-1E-130"}, Decimal("-1E-130")),
        ({"B": b"sealed"}, b"sealed"),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"SS": ["b", "a"]}, {"a", "b"}),
        ({"NS": ["1", "1E+60"]}, {Decimal(1), Decimal("1E+60")}),
        ({"BS": [b"x"]}, {b"x"}),
        ({"L": [{"N": "1"}, {"M": {"a": {"NULL": True}}}]}, [Decimal(1), {"a": None}]),
        ({"M": {}}, {}),
    ],
)
def test_every_type(typed: dict[str, Any], plain: Any) -> None:
    assert unpack({"a": typed}) == {"a": plain}


@pytest.mark.parametrize("typed", [{"NEW": "type"}, {"N": "many"}, {}, {"S": "a", "N": "1"}, {"L": 7}, "text", None])
def test_a_type_that_is_not_known_is_read_as_such_and_affects_nothing_else(typed: Any) -> None:
    assert unpack({"a": typed, "b": {"S": "x"}}) == {"a": Unreadable(typed), "b": "x"}


@pytest.mark.parametrize("value", [1.5, object(), {"a": {1.5}}])
def test_what_dynamodb_cannot_store_is_a_defect_of_ours(value: Any) -> None:
    with pytest.raises(TypeError):
        pack({"a": value})

"""I17: the item in which a sweep keeps its position may contain anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.aws.attributes import pack
from reconciler.aws.sweep_state import SK, DynamoSweepStates
from reconciler.core.record import PK
from reconciler.errors import Conflict
from reconciler.ports import SweepState
from simulation.clock import Clock
from simulation.dynamodb import DynamoDb
from simulation.world import TABLE_ARN
from support.generated import TYPED
from support.world import TABLE

SEEN = "2026-06-01T12:00:00Z"


def states(**item: Any) -> DynamoSweepStates:
    """`item`: attributes with their types."""
    table = DynamoDb(Clock(), TABLE_ARN, shards=1)
    if item:
        table.put({**pack({"PK": PK, "SK": SK}), **item})
    return DynamoSweepStates(table, TABLE)  # type: ignore[arg-type]


def test_what_was_saved_is_loaded() -> None:
    stored = states()
    assert stored.load() == SweepState()
    saved = stored.save(SweepState("crm", {"old-crm": SEEN}))
    assert stored.load() == saved == SweepState("crm", {"old-crm": SEEN}, 1)
    assert stored.save(saved).version == 2
    with pytest.raises(Conflict):
        stored.save(SweepState("wiki", {}, saved.version))


@given(st.dictionaries(st.sampled_from(["position", "orphans", "version", "rounds", "other"]), TYPED, min_size=1))
def test_any_item_is_loaded_and_replaced(item: dict[str, Any]) -> None:
    stored = states(**item)
    state = stored.load()
    saved = stored.save(SweepState("crm", state.orphans, state.version))
    assert stored.load() == saved
    assert stored.save(saved).version == saved.version + 1


@pytest.mark.parametrize("version", ["1E+60", "9" * 38, "-1", "1.5", "1E-130"])
def test_a_version_that_no_sweep_wrote_starts_again(version: str) -> None:
    stored = states(version={"N": version})
    assert stored.save(stored.load()).version == 1


@pytest.mark.parametrize("position", [{"S": "x" * 1020}, {"S": "ü" * 600}, {"N": "7"}, {"M": {}}])
def test_a_position_that_no_key_can_have_starts_the_round_again(position: dict[str, Any]) -> None:
    """DynamoDB would refuse it as the start of a query, in every sweep."""
    assert states(position=position).load().position == ""


def test_of_the_orphans_only_those_are_kept_that_a_sweep_can_have_written() -> None:
    orphans = {"old-crm": SEEN, "Not A Name": SEEN, "wiki": "a while ago", "shop": 7, "news": None}
    assert states(**pack({"orphans": orphans})).load().orphans == {"old-crm": SEEN}
    assert states(**pack({"orphans": {f"user-{n}": SEEN for n in range(5000)}})).load().orphans == {}
    assert states(**pack({"orphans": ["old-crm"]})).load().orphans == {}

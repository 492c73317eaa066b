"""The position of a sweep, in an item of its own next to the records of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reconciler.aws.dynamodb import Table
from reconciler.aws.records import can_be_key
from reconciler.core.record import parse_timestamp
from reconciler.core.record_parser import read_counter
from reconciler.core.user import NAME
from reconciler.errors import Conflict
from reconciler.ports import SweepState

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SK = "SWEEP#state"
MOST_ORPHANS = 1000  # more than a sweep remembers: the item was modified manually


class DynamoSweepStates:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def load(self) -> SweepState:
        """What is invalid is ignored: the round starts again, and so does the grace period of an orphan."""
        item = self._table.get(SK) or {}
        position = item.get("position")
        return SweepState(
            position=position if isinstance(position, str) and can_be_key(position) else "",
            orphans=_read_orphans(item.get("orphans")),
            version=item.get("version"),
            rounds=read_counter(item.get("rounds")) or 0,
        )

    def save(self, state: SweepState) -> SweepState:
        """Raises Conflict if another sweep has saved its state."""
        version = (read_counter(state.version) or 0) + 1
        saved = SweepState(state.position, dict(state.orphans), version, state.rounds)
        values: dict[str, Any] = asdict(saved)
        try:
            self._table.update(SK, values, [], {"version": state.version}, create=True)
        except Conflict:
            if self.load() != saved:  # otherwise it was our own write, whose answer was lost
                raise
        return saved


def _read_orphans(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MOST_ORPHANS:
        return {}
    return {
        name: seen
        for name, seen in value.items()
        if NAME.fullmatch(name) and isinstance(seen, str) and parse_timestamp(seen)
    }

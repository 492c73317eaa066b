"""The position of a sweep, in an item of its own next to the records of users."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.aws.dynamodb import Table
from reconciler.errors import Conflict
from reconciler.ports import SweepState

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SK = "SWEEP#state"


class DynamoSweepStates:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def load(self) -> SweepState:
        """An invalid state is ignored: the round starts again."""
        item = self._table.get(SK) or {}
        position, orphans, version = item.get("position"), item.get("orphans"), item.get("version")
        return SweepState(
            position=position if isinstance(position, str) else "",
            orphans={k: str(v) for k, v in orphans.items()} if isinstance(orphans, Mapping) else {},
            version=version,
        )

    def save(self, state: SweepState) -> SweepState:
        """Raises Conflict if another sweep has saved its state."""
        version = int(state.version) + 1 if isinstance(state.version, Decimal | int) else 1
        values: dict[str, Any] = {"position": state.position, "orphans": dict(state.orphans), "version": version}
        saved = SweepState(state.position, dict(state.orphans), version)
        try:
            self._table.update(SK, values, [], [("version", state.version)], create=True)
        except Conflict:
            if self.load() != saved:  # otherwise it was our own write, whose answer was lost
                raise
        return saved

"""Where a sweep stands, kept in a row of its own beside the users'."""

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
        """A state that somebody has garbled is none: the round begins anew."""
        item = self._table.get(SK) or {}
        position, orphans, version = item.get("position"), item.get("orphans"), item.get("version")
        return SweepState(
            position=position if isinstance(position, str) else "",
            orphans={k: str(v) for k, v in orphans.items()} if isinstance(orphans, Mapping) else {},
            version=version,
        )

    def save(self, state: SweepState) -> SweepState:
        """Raises Conflict when another sweep has saved its own meanwhile."""
        version = int(state.version) + 1 if isinstance(state.version, Decimal | int) else 1
        values: dict[str, Any] = {"position": state.position, "orphans": dict(state.orphans), "version": version}
        saved = SweepState(state.position, dict(state.orphans), version)
        try:
            self._table.update(SK, values, [], [("version", state.version)], create=True)
        except Conflict:
            if self.load() != saved:  # else it was our own write, whose answer got lost
                raise
        return saved

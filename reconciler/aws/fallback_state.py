"""When every waiting user got a message because a batch could not be read, in an item next to the records of users."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.aws.dynamodb import Table
from reconciler.core.record import parse_timestamp, timestamp
from reconciler.ports import Fallback

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SK = "FALLBACK#state"


class DynamoFallbacks:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def claim(self, message_id: str, now: datetime, window: timedelta) -> Fallback:
        """The fallback of this time window: that of this message, unless another one was first.

        An invalid state is replaced. Raises Conflict if it changes concurrently.
        """
        item = self._table.get(SK) or {}
        at, message = item.get("at"), item.get("message")
        last = parse_timestamp(at) if isinstance(at, str) else None
        if last and abs(now - last) < window:
            return Fallback(last, message if isinstance(message, str) else "")
        claimed = timestamp(now)
        self._table.update(SK, {"at": claimed, "message": message_id}, [], {"at": at}, create=True)
        return Fallback(parse_timestamp(claimed) or now, message_id)

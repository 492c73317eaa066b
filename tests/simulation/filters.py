"""The settings of the event source mapping, and which records pass its filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulation.dynamodb import StreamRecord


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings in `pipeline.yaml`."""

    batch_size: int
    retries: int
    record_age: timedelta
    bisect: bool
    filters: list[dict[str, Any]]
    timeout: timedelta

    def passes(self, record: StreamRecord) -> bool:
        return any(_matches(pattern, record) for pattern in self.filters)


def _matches(pattern: dict[str, Any], record: StreamRecord) -> bool:
    images = {"Keys": {"PK": {"S": record.key[0]}, "SK": {"S": record.key[1]}}, "NewImage": record.new or {}}
    seen = {"eventName": record.event, "dynamodb": images}
    return _subset(pattern, seen)


def _subset(pattern: Any, value: Any) -> bool:
    """Lambda's filter patterns: maps must contain every named part; lists name the allowed values, or that any is."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and _subset(p, value[name]) for name, p in pattern.items())
    return value in pattern or {"exists": True} in pattern

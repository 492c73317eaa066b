"""A model of what triggers the manager: the event source mapping as Lambda reports it; and of the SES account."""

from __future__ import annotations

from typing import Any

from reconciler.pipeline.definition import load_pipeline
from simulation.dynamodb import DynamoDb
from simulation.faults import refusal
from simulation.scheduler import Actor

FUNCTION = load_pipeline("test").functions["manager"].name
FAULTS = ("disabled", "replaced")


class Trigger:
    """`source`: the stream that the mapping reads. `changes`: how often someone has changed it."""

    def __init__(self, table: DynamoDb) -> None:
        self._table = table
        self.source = table.stream_arn
        self.enabled = True
        self.changes = 0

    @property
    def delivers(self) -> bool:
        return self.enabled and self.source == self._table.stream_arn

    def damage(self, how: str) -> None:
        """`disabled`: the mapping. `replaced`: the table's stream was turned off and on again."""
        self.changes += 1
        if how == "disabled":
            self.enabled = False
        else:
            self._table.replace_stream()

    def judge(self, sweep: Actor, changes: int) -> list[str]:
        """A sweep says whether the trigger delivers, unless an error hid it or it changed meanwhile."""
        if sweep.error is not None or sweep.result["errors"] or self.changes != changes:
            return []
        if sweep.result["trigger_broken"] == int(not self.delivers):
            return []
        return [f"I8: the trigger delivers: {self.delivers}, but the sweep says {sweep.result}"]

    def list_event_source_mappings(self, *, FunctionName: str) -> dict[str, Any]:
        if FunctionName != FUNCTION:
            raise refusal("ResourceNotFoundException", "ListEventSourceMappings")
        state = "Enabled" if self.enabled else "Disabled"
        return {"EventSourceMappings": [{"EventSourceArn": self.source, "State": state}]}


class Ses:
    def get_account(self) -> dict[str, Any]:
        return {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}

"""Whether changes of the table reach the credential manager: the table's stream, and the event source mappings."""

from __future__ import annotations

from dataclasses import dataclass

VIEW = "NEW_AND_OLD_IMAGES"  # the mapping's filters read NewImage; without it, they drop every change
# https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
STOPPED = frozenset({"Disabling", "Disabled", "Deleting"})


@dataclass(frozen=True, slots=True)
class Mapping:
    """An event source mapping of the credential manager."""

    source_arn: str
    state: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """`stream_arn` and `view` (StreamViewType) of the table's stream: empty if the stream is off."""

    table_arn: str
    stream_arn: str
    view: str
    mappings: tuple[Mapping, ...]

    @property
    def fault(self) -> str:
        """Why no change of a record invokes the credential manager; empty if there is no reason."""
        if not self.stream_arn:
            return "the stream of the table is off"
        if self.view != VIEW:
            return f"the stream of the table contains {self.view}; it must contain {VIEW}"
        ours = [mapping for mapping in self.mappings if mapping.source_arn.startswith(f"{self.table_arn}/stream/")]
        if not ours:
            return "no event source mapping invokes the credential manager for this table"
        current = [mapping for mapping in ours if mapping.source_arn == self.stream_arn]
        if not current:
            return "the stream of the table was replaced; the event source mapping still reads the previous one"
        if all(mapping.state in STOPPED for mapping in current):
            return f"the event source mapping is {current[0].state.lower()}"
        return ""

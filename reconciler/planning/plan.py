"""The plan: what a run would do, as an object. `output.plan` renders it as text, Markdown and JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.core import policy
from reconciler.core.policy import Sending
from reconciler.core.record import Record
from reconciler.planning.diff import Adopt, Change, Create, Delete, Diff, Update
from reconciler.planning.limits import Refusal
from reconciler.planning.wording import describe

ACTIONS = {Create: "create", Adopt: "adopt", Update: "update", Delete: "delete"}


@dataclass(frozen=True, slots=True)
class Line:
    """One change of a plan. `source` and `policy_size` are empty for a delete."""

    action: str
    name: str
    details: tuple[str, ...]
    manifest: str = ""
    line: int = 0
    policy_size: int = 0

    @property
    def source(self) -> str:
        return f"{self.manifest}:{self.line}" if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A record that this environment's reconciler does not manage: shown, never modified."""

    name: str
    status: str
    managed_by: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """A user whose keys an operator deactivated: shown in every plan until it is resumed."""

    name: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Plan:
    environment: str
    records: int
    declared: int
    lines: tuple[Line, ...]
    unchanged: tuple[str, ...]
    deleting: tuple[str, ...]
    unmanaged: tuple[Unmanaged, ...]
    revoked: tuple[Revoked, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def count(self, action: str) -> int:
        return Counter(line.action for line in self.lines)[action]


def make_plan(
    environment: str, changes: Diff, records: int, declared: int, sending: Sending, refusals: list[Refusal]
) -> Plan:
    return Plan(
        environment=environment,
        records=records,
        declared=declared,
        lines=tuple(_line(change, sending) for change in changes.changes),
        unchanged=changes.unchanged,
        deleting=changes.deleting,
        unmanaged=tuple(Unmanaged(record.name, record.status, record.managed_by) for record in changes.unmanaged),
        revoked=tuple(_revoked(record) for record in changes.revoked),
        refusals=tuple(refusals),
    )


def _revoked(record: Record) -> Revoked:
    assert record.revoked  # noqa: S101 - the diff lists only these
    return Revoked(record.name, record.revoked.actor, record.revoked.reason, record.revoked.at)


def _line(change: Change, sending: Sending) -> Line:
    action, details = ACTIONS[type(change)], tuple(describe(change))
    if isinstance(change, Delete):
        return Line(action, change.name, details)
    declaration = change.declaration
    size = policy.measure(policy.build(declaration.user, sending))
    return Line(action, change.name, details, declaration.manifest, declaration.line, size)

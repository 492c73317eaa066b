"""The plan: what a run would do, as an object. Text, Markdown and JSON are renderings of it (see `output.plan`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.core import policy
from reconciler.core.policy import Sending
from reconciler.core.record import Record
from reconciler.planning.diff import Adopt, Change, Create, Delete, Diff, Update
from reconciler.planning.limits import Refusal
from reconciler.planning.wording import words_of

ACTIONS = {Create: "create", Adopt: "adopt", Update: "update", Delete: "delete"}


@dataclass(frozen=True, slots=True)
class Line:
    """One change as it is shown. `source` and `policy_size` are empty for a delete."""

    action: str
    name: str
    words: tuple[str, ...]
    manifest: str = ""
    line: int = 0
    policy_size: int = 0

    @property
    def source(self) -> str:
        return f"{self.manifest}:{self.line}" if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A row that is not ours: shown, never touched."""

    name: str
    status: str
    managed_by: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """A user whose keys a person has switched off: shown in every plan until it is resumed."""

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
    leaving: tuple[str, ...]
    foreign: tuple[Foreign, ...]
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
        leaving=changes.leaving,
        foreign=tuple(Foreign(row.name, row.status, row.managed_by) for row in changes.foreign),
        revoked=tuple(_revoked(row) for row in changes.revoked),
        refusals=tuple(refusals),
    )


def _revoked(record: Record) -> Revoked:
    assert record.revoked  # noqa: S101 - the diff lists these only
    return Revoked(record.name, record.revoked.actor, record.revoked.reason, record.revoked.at)


def _line(change: Change, sending: Sending) -> Line:
    action, words = ACTIONS[type(change)], tuple(words_of(change))
    if isinstance(change, Delete):
        return Line(action, change.name, words)
    at = change.declaration
    size = policy.measure(policy.build(at.user, sending))
    return Line(action, change.name, words, at.manifest, at.line, size)

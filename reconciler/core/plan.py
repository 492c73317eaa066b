"""The plan: what a run would do, as an object. Text, Markdown and JSON are renderings of it (see `render`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.core import policy
from reconciler.core.diff import Adopt, Change, Create, Delete, Diff, Update
from reconciler.core.guard import Refusal
from reconciler.core.policy import Sending
from reconciler.core.record import Record
from reconciler.core.wording import words_of

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


def to_dict(plan: Plan) -> dict[str, Any]:
    """Plain data for JSON; `from_dict` reads it back."""
    return {
        "format": 1,
        "environment": plan.environment,
        "records": plan.records,
        "declared": plan.declared,
        "changes": [
            {
                "action": line.action,
                "name": line.name,
                "words": list(line.words),
                "manifest": line.manifest or None,
                "line": line.line or None,
                "policy": {"size": line.policy_size, "quota": policy.QUOTA} if line.policy_size else None,
            }
            for line in plan.lines
        ],
        "unchanged": list(plan.unchanged),
        "leaving": list(plan.leaving),
        "foreign": [{"name": row.name, "status": row.status, "managed_by": row.managed_by} for row in plan.foreign],
        "revoked": [asdict(row) for row in plan.revoked],
        "refusals": [{"reason": reason, "hint": hint} for reason, hint in plan.refusals],
    }


def from_dict(data: dict[str, Any]) -> Plan:
    return Plan(
        environment=data["environment"],
        records=data["records"],
        declared=data["declared"],
        lines=tuple(
            Line(
                change["action"],
                change["name"],
                tuple(change["words"]),
                change["manifest"] or "",
                change["line"] or 0,
                change["policy"]["size"] if change["policy"] else 0,
            )
            for change in data["changes"]
        ),
        unchanged=tuple(data["unchanged"]),
        leaving=tuple(data["leaving"]),
        foreign=tuple(Foreign(row["name"], row["status"], row["managed_by"]) for row in data["foreign"]),
        revoked=tuple(Revoked(**row) for row in data["revoked"]),
        refusals=tuple((refusal["reason"], refusal["hint"]) for refusal in data["refusals"]),
    )

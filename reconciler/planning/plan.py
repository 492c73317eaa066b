"""The plan: what a run would do, as an object. `output.plan` renders it as text, Markdown and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from reconciler.core import policy
from reconciler.core.policy import Sending
from reconciler.core.record import Record
from reconciler.planning.diff import Adopt, Change, Create, Delete, Diff, Update
from reconciler.planning.duration import SHORT, expected_seconds
from reconciler.planning.iam_names import TakenName
from reconciler.planning.limits import Refusal
from reconciler.planning.renames import Rename, find_renames
from reconciler.planning.reserved import Reservation, find_reserved
from reconciler.planning.wording import describe

NO_EXAMPLES: Mapping[str, str] = MappingProxyType({})
ACTIONS = {Create: "create", Adopt: "adopt", Update: "update", Delete: "delete"}


@dataclass(frozen=True, slots=True)
class Line:
    """One change of a plan. `source` and `policy_size` are empty for a delete.

    `example`: an attempt to send that was refused before and is allowed now; empty if the change widens nothing.
    """

    action: str
    name: str
    details: tuple[str, ...]
    manifest: str = ""
    line: int = 0
    policy_size: int = 0
    example: str = ""

    @property
    def source(self) -> str:
        return f"{self.manifest}:{self.line}" if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A record that this environment's reconciler does not manage: shown with what it grants, never modified.

    The credential manager processes it like any other, so its grant is real.
    """

    name: str
    status: str
    managed_by: str
    allowed_from_addresses: tuple[str, ...] = ()
    allowed_source_ips: tuple[str, ...] = ()
    expires: str | None = None
    enabled: bool = True
    problems: tuple[str, ...] = ()  # why the record is invalid
    reserved: tuple[str, ...] = ()  # addresses reserved for others, of which it may send as a part

    @classmethod
    def of(cls, record: Record, reserved: Sequence[Reservation] = ()) -> Unmanaged:
        user = record.user
        if user is None:
            return cls(record.name, record.status, record.managed_by, problems=record.problems)
        return cls(
            record.name,
            record.status,
            record.managed_by,
            user.allowed_from_addresses,
            user.allowed_source_ips,
            user.expires.isoformat() if user.expires else None,
            user.enabled,
            reserved=find_reserved(user, reserved),
        )


@dataclass(frozen=True, slots=True)
class Revoked:
    """A user whose keys an operator deactivated: shown in every plan until it is resumed."""

    name: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plan comes from and who asks for it. Outside of CI, only the first two are known."""

    commit: str = ""
    actor: str = ""
    ci_actor: str = ""
    run: str = ""
    pull_request: str = ""
    approver: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`settings`: those that differ from the last apply. `warnings`: doubts about the history, each with a hint.

    `renames`: each is a create and a delete among the lines. `taken`: names that unmanaged IAM users have taken;
    `iam_checked`: whether IAM could be read for them. `expected_seconds`: how long an apply takes; 0 for a short one.
    """

    environment: str
    records: int
    declared: int
    lines: tuple[Line, ...]
    unchanged: tuple[str, ...]
    deleting: tuple[str, ...]
    unmanaged: tuple[Unmanaged, ...]
    revoked: tuple[Revoked, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    origin: Origin = Origin()
    settings: tuple[str, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    renames: tuple[Rename, ...] = ()
    taken: tuple[TakenName, ...] = ()
    iam_checked: bool = True
    expected_seconds: int = 0

    def count(self, action: str) -> int:
        return Counter(line.action for line in self.lines)[action]


def make_plan(
    environment: str,
    changes: Diff,
    records: int,
    declared: int,
    sending: Sending,
    refusals: list[Refusal],
    *,
    origin: Origin = Origin(),
    settings: tuple[str, ...] = (),
    warnings: tuple[Refusal, ...] = (),
    taken: Sequence[TakenName] | None = (),
    reserved: Sequence[Reservation] = (),
    examples: Mapping[str, str] = NO_EXAMPLES,
) -> Plan:
    """`taken`: None if IAM could not be read. `examples`: of `find_examples`."""
    renames = find_renames(changes.changes)
    clauses = {one.old: f"looks like a rename to {one.new}" for one in renames} | {
        one.new: f"looks like a rename of {one.old}: new password; the old one ends when {one.old} is deleted"
        for one in renames
    }
    seconds = round(expected_seconds(changes.changes))
    return Plan(
        environment=environment,
        records=records,
        declared=declared,
        lines=tuple(
            _line(change, sending, clauses.get(change.name), examples.get(change.name, ""))
            for change in changes.changes
        ),
        unchanged=changes.unchanged,
        deleting=changes.deleting,
        unmanaged=tuple(Unmanaged.of(record, reserved) for record in changes.unmanaged),
        revoked=tuple(_revoked(record) for record in changes.revoked),
        refusals=tuple(refusals),
        origin=origin,
        settings=settings,
        warnings=warnings,
        renames=renames,
        taken=tuple(taken or ()),
        iam_checked=taken is not None,
        expected_seconds=seconds if seconds > SHORT else 0,
    )


def _revoked(record: Record) -> Revoked:
    assert record.revoked  # noqa: S101 - the diff lists only these
    return Revoked(record.name, record.revoked.actor, record.revoked.reason, record.revoked.at)


def _line(change: Change, sending: Sending, rename: str | None, example: str) -> Line:
    action, details = ACTIONS[type(change)], (*describe(change), *([rename] if rename else []))
    if isinstance(change, Delete):
        return Line(action, change.name, details)
    declaration = change.declaration
    size = policy.measure(policy.build(declaration.user, sending))
    return Line(action, change.name, details, declaration.manifest, declaration.line, size, example)

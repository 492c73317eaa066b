"""The audit: manifests, rows and IAM held against each other. What differs is told; nothing is decided or changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.decision import Decision, Identity, LookAgain
from reconciler.core.differences import Difference, Drift, find_differences, warnings
from reconciler.core.lifecycle import STORED_AFTER, decide, unknown_keys
from reconciler.core.ownership import iam_user_name
from reconciler.core.policy import Sending
from reconciler.core.record import AWAITING, Record, Status, manager_mark
from reconciler.core.record_state import RecordState
from reconciler.core.text import count
from reconciler.core.user import Declaration, spec_hash
from reconciler.planning.diff import Create, Delete, Diff, Update, diff
from reconciler.planning.wording import words_of

SETTLED = frozenset({Status.ACTIVE, Status.DISABLED})
SWEPT_AFTER = timedelta(days=1)  # what time alone asks for is done by then, where the sweep runs
# These are seen on an IAM user whatever its row asks for.
ALWAYS = frozenset({Drift.ATTACHMENT, Drift.BOUNDARY})


@dataclass(frozen=True, slots=True)
class Sides:
    """What the three say, by the name of the SMTP user. Rows must come with their ciphertexts.

    `identities`: of every declared user, every row and every IAM user under our path, where IAM has one.
    `strangers`: IAM users under our path whose names are no SMTP user's.
    """

    desired: Mapping[str, Declaration]
    records: Mapping[str, Record]
    identities: Mapping[str, Identity | None]
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `name`: the SMTP user, or the IAM user where it stands for none."""

    name: str
    kind: Drift
    words: str
    manifest: str = ""
    line: int = 0

    @property
    def source(self) -> str:
        return f"{self.manifest}:{self.line}" if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Note:
    """No difference, but good to know."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings and notes are sorted by name. `unclear`: of whom IAM may not show yet what is there."""

    environment: str
    declared: int
    rows: int
    iam_users: int
    checked: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    unclear: frozenset[str] = frozenset()

    @property
    def differing(self) -> frozenset[str]:
        return frozenset(finding.name for finding in self.findings)


def audit(sides: Sides, environment: str, sending: Sending, now: datetime) -> Audit:
    changes = diff(sides.desired, sides.records.values(), manager_mark(environment), sending, now)
    states = {record.name: RecordState.of(record, sending, now) for record in sides.records.values()}
    found = list(_compare_declarations(changes, states))
    notes: list[Note] = []
    unclear: set[str] = set()
    for name, state in states.items():
        found += [(name, difference) for difference in _judge_record(state)]
        notes += [Note(name, words) for words in _notes_of(state)]
    for name in states.keys() | sides.identities.keys():
        differences, reason = _compare_iam(environment, name, states.get(name), sides.identities.get(name))
        found += [(name, difference) for difference in differences]
        if reason:
            notes.append(Note(name, f"not clear yet: {reason}"))
            unclear.add(name)
    findings = [_finding(name, difference, sides.desired.get(name)) for name, difference in found]
    findings += [Finding(iam_user, Drift.FOREIGN, _STRANGE) for iam_user in sides.strangers]
    names = {*sides.desired, *sides.records, *sides.identities, *sides.strangers}
    return Audit(
        environment=environment,
        declared=len(sides.desired),
        rows=len(sides.records),
        iam_users=sum(identity is not None for identity in sides.identities.values()) + len(sides.strangers),
        checked=len(names),
        findings=tuple(sorted(findings, key=_order)),
        notes=tuple(sorted(notes, key=lambda note: (note.name, note.words))),
        unclear=frozenset(unclear),
    )


def grow_up(identity: Identity | None, before: Identity | None) -> Identity | None:
    """`identity` as it counts at a second look: keys that were there `before` are too old to be about to be stored."""
    if identity is None or before is None:
        return identity
    known = {key.id for key in before.keys}
    keys = tuple(replace(key, created_at=None) if key.id in known else key for key in identity.keys)
    return replace(identity, keys=keys)


def _compare_declarations(changes: Diff, states: Mapping[str, RecordState]) -> Iterator[tuple[str, Difference]]:
    """Manifests against rows: what a run would change."""
    for change in changes.changes:
        match change:
            case Create():
                yield change.name, Difference(Drift.MISSING, "declared, but it has no row: a run would create it")
            case Delete(reasons=()):
                yield change.name, Difference(Drift.UNDECLARED, "no manifest declares it: a run would delete it")
            case Update() if _is_told_otherwise(change, states[change.name]):
                pass
            case Delete():
                pass  # its deletion hangs or has failed, and its status tells
            case _:
                words = "; ".join(words_of(change))
                yield change.name, Difference(Drift.DIFFERS, f"a run would change it: {words}")
    for row in changes.foreign:
        whose = f"managed by {row.managed_by}" if row.managed_by else "put by hand"
        yield row.name, Difference(Drift.FOREIGN, f"a row that is not ours and no manifest declares: {whose}")


def _is_told_otherwise(change: Update, state: RecordState) -> bool:
    """Driven again for its status or its time only."""
    record, user = change.record, change.declaration.user
    if record.user != user or record.spec_hash != spec_hash(user):
        return False
    due = record.status in SETTLED and state.due
    return due or record.status == Status.FAILED or state.overdue


def _judge_record(state: RecordState) -> Iterator[Difference]:
    """What a record alone says."""
    record = state.record
    if record.status == Status.FAILED:
        failure = record.failure
        yield Difference(Drift.FAILED, f"{failure.code}: {failure.message}" if failure else "for no reason given")
    if state.overdue:
        since = record.requested_at or "an unknown time"
        yield Difference(Drift.OVERDUE, f"{record.status} since {since}: does the credential manager run?")
    if _was_due_before(state):
        yield Difference(Drift.OVERDUE, f"{_DUE}, for more than a day: does the sweep run?")


_STRANGE = "an IAM user under our path that stands for no SMTP user"
_DUE = "expiry, rotation or the end of an overlap is due"


def _was_due_before(state: RecordState) -> bool:
    """Time required something a day ago already, so the sweep should have done it."""
    earlier = RecordState.of(state.record, state.sending, state.now - SWEPT_AFTER)
    return state.record.status in SETTLED and earlier.due


def _notes_of(state: RecordState) -> Iterator[str]:
    record = state.record
    if record.status in AWAITING and not state.overdue:
        yield f"under way: {record.status} since {record.requested_at}"
    if record.status in SETTLED and state.due and not _was_due_before(state):
        yield f"{_DUE}: the sweep sees to it"
    if revoked := record.revoked:
        reason = revoked.reason or "no reason given"
        yield f"revoked by {revoked.actor or 'somebody'}: {reason}; no key works until it is resumed"


def _compare_iam(
    environment: str, name: str, state: RecordState | None, identity: Identity | None
) -> tuple[list[Difference], str]:
    """A row against IAM: the differences, or why there cannot be said anything yet."""
    if identity is None:
        ghost = state is not None and state.record.status in SETTLED
        return [Difference(Drift.GHOST, "its IAM user is gone")] if ghost else [], ""
    if not identity.owned:
        words = f"IAM user {iam_user_name(environment, name)} does not carry our mark: it is not touched"
        return [Difference(Drift.FOREIGN, words)], ""
    found = [Difference(Drift.QUARANTINE, words) for words in warnings(identity.attachments)]
    if state is None:
        keys = count(sum(key.active for key in identity.keys), "active key")
        return [Difference(Drift.ORPHAN, f"an IAM user of ours without a row; {keys}"), *found], ""
    decision = decide(state, identity)
    if state.observed and (reason := _unclear(state, identity, decision)):
        return found, reason
    behind = find_differences(state, identity, decision)
    return found + [difference for difference in behind if state.observed or difference.kind in ALWAYS], ""


def _unclear(state: RecordState, identity: Identity, decision: Decision) -> str:
    if isinstance(decision.end, LookAgain):
        return decision.end.reason
    for key in unknown_keys(state.record, identity.keys):
        if key.created_at is not None and abs(state.now - key.created_at) < STORED_AFTER:
            return f"the key {key.id} was made a moment ago"
    return ""


def _finding(name: str, difference: Difference, declaration: Declaration | None) -> Finding:
    if declaration is None:
        return Finding(name, difference.kind, difference.words)
    return Finding(name, difference.kind, difference.words, declaration.manifest, declaration.line)


def _order(finding: Finding) -> tuple[str, int, str]:
    return finding.name, _KINDS.index(finding.kind), finding.words


_KINDS = list(Drift)

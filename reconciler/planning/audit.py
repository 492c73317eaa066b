"""The audit: compare manifests, records and IAM users. It reports differences and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.decision import Decision, Fail, Identity, Requeue
from reconciler.core.differences import Difference, Drift, find_differences, find_memberships, warnings
from reconciler.core.key_decision import STORED_AFTER, unknown_keys
from reconciler.core.lifecycle import decide
from reconciler.core.ownership import iam_user_name
from reconciler.core.policy import Sending
from reconciler.core.provenance import describe_origin
from reconciler.core.record import AWAITING, Record, Status, manager_tag
from reconciler.core.record_state import RecordState
from reconciler.core.text import count
from reconciler.core.user import Declaration, spec_hash
from reconciler.planning.diff import Create, Delete, Diff, Update, diff
from reconciler.planning.reserved import Reservation, find_reserved
from reconciler.planning.wording import describe

SETTLED = frozenset({Status.ACTIVE, Status.DISABLED})
SWEPT_AFTER = timedelta(days=1)  # while the sweep runs, what time alone requires is done by then


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Manifests, records and IAM users as they were read, by the name of the SMTP user; records with ciphertexts.

    `identities`: of every declared user, every record and every IAM user under our path, where IAM has one.
    `unrecognized_users`: IAM users under our path whose names belong to no SMTP user. `complete`: see Audit.
    """

    desired: Mapping[str, Declaration]
    records: Mapping[str, Record]
    identities: Mapping[str, Identity | None]
    unrecognized_users: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `name`: the SMTP user, or the IAM user where it belongs to none."""

    name: str
    kind: Drift
    description: str
    manifest: str = ""
    line: int = 0

    @property
    def source(self) -> str:
        return f"{self.manifest}:{self.line}" if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Note:
    """Information about a user that is not a difference."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings and notes are sorted by name. `inconclusive`: users whose current state IAM may not show yet.

    `complete`: console passwords and other ways to sign in were read of every user.
    """

    environment: str
    declared: int
    records: int
    iam_users: int
    checked: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    inconclusive: frozenset[str] = frozenset()
    complete: bool = True

    @property
    def differing(self) -> frozenset[str]:
        return frozenset(finding.name for finding in self.findings)


def audit(
    snapshot: Snapshot, environment: str, sending: Sending, now: datetime, reserved: Sequence[Reservation] = ()
) -> Audit:
    records = snapshot.records.values()
    changes = diff(snapshot.desired, records, manager_tag(environment), sending, now)
    states = {record.name: RecordState.of(record, sending, now) for record in records}
    found = list(_compare_declarations(changes, states, reserved))
    notes: list[Note] = []
    inconclusive: set[str] = set()
    for name, state in states.items():
        found += [(name, difference) for difference in _judge_record(state)]
        notes += [Note(name, description) for description in _notes_of(state)]
    for name in states.keys() | snapshot.identities.keys():
        differences, reason = _compare_iam(environment, name, states.get(name), snapshot.identities.get(name))
        found += [(name, difference) for difference in differences]
        if reason:
            notes.append(Note(name, f"inconclusive: {reason}"))
            inconclusive.add(name)
    unrecognized = snapshot.unrecognized_users
    findings = [_finding(name, difference, snapshot.desired.get(name)) for name, difference in found]
    findings += [Finding(iam_user, Drift.UNMANAGED, _UNRECOGNIZED) for iam_user in unrecognized]
    return Audit(
        environment=environment,
        declared=len(snapshot.desired),
        records=len(snapshot.records),
        iam_users=sum(identity is not None for identity in snapshot.identities.values()) + len(unrecognized),
        checked=len({*snapshot.desired, *snapshot.records, *snapshot.identities, *unrecognized}),
        findings=tuple(sorted(findings, key=_order)),
        notes=tuple(sorted(notes, key=lambda note: (note.name, note.description))),
        inconclusive=frozenset(inconclusive),
        complete=snapshot.complete,
    )


def ignore_age_of_known_keys(identity: Identity | None, before: Identity | None) -> Identity | None:
    """For a second observation: no function is still about to store a key that was listed `before`."""
    if identity is None or before is None:
        return identity
    known = {key.id for key in before.keys}
    keys = tuple(replace(key, created_at=None) if key.id in known else key for key in identity.keys)
    return replace(identity, keys=keys)


def _compare_declarations(
    changes: Diff, states: Mapping[str, RecordState], reserved: Sequence[Reservation]
) -> Iterator[tuple[str, Difference]]:
    """Manifests against records: what `reconcile apply` would change."""
    for change in changes.changes:
        match change:
            case Create():
                yield change.name, Difference(Drift.RECORD_MISSING, "declared without a record; apply would create it")
            case Delete(reasons=()):
                yield change.name, Difference(Drift.UNDECLARED, "no manifest declares it; apply would delete it")
            case Update() if _is_reported_otherwise(change, states[change.name]):
                pass
            case Delete():
                pass  # its deletion is stuck or has failed, which its status says
            case _:
                details = "; ".join(describe(change))
                yield change.name, Difference(Drift.RECORD_OUTDATED, f"apply would change it: {details}")
    for record in changes.unmanaged:
        whose = f"managed by {record.managed_by}" if record.managed_by else "created manually"
        taken = find_reserved(record.user, reserved) if record.user else ()
        more = f"; reserved for others: {', '.join(taken)}" if taken else ""
        what = f"an unmanaged record that no manifest declares: {whose}{more}"
        yield record.name, Difference(Drift.UNMANAGED, what)


def _is_reported_otherwise(change: Update, state: RecordState) -> bool:
    """It is only reprocessed because of its status or of time, and that is another finding or a note."""
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
        yield Difference(Drift.FAILED, f"{failure.code}: {failure.message}" if failure else "no reason is recorded")
    if state.overdue:
        since = record.requested_at or "an unknown time"
        yield Difference(Drift.OVERDUE, f"{record.status} since {since}; check that the credential manager runs")
    if _was_due_before(state):
        yield Difference(Drift.OVERDUE, f"{_DUE} for more than a day; check that the sweep runs")


_UNRECOGNIZED = "an IAM user under our path that belongs to no SMTP user"
_DUE = "expiry, rotation or the end of an overlap is due"


def _was_due_before(state: RecordState) -> bool:
    """Time required something a day ago already, so the sweep should have done it."""
    earlier = RecordState.of(state.record, state.sending, state.now - SWEPT_AFTER)
    return state.record.status in SETTLED and earlier.due


def _notes_of(state: RecordState) -> Iterator[str]:
    record = state.record
    if record.status in AWAITING and not state.overdue:
        yield f"in progress: {record.status} since {record.requested_at}"
    if record.status in SETTLED and state.due and not _was_due_before(state):
        yield f"{_DUE}; the next sweep processes it"
    if revoked := record.revoked:
        reason = revoked.reason or "no reason given"
        yield f"revoked by {revoked.actor or 'unknown'}: {reason}; keys stay inactive until it is resumed"


def _compare_iam(
    environment: str, name: str, state: RecordState | None, identity: Identity | None
) -> tuple[list[Difference], str]:
    """A record against IAM: the differences, or the reason why the comparison is inconclusive."""
    if identity is None:
        missing = state is not None and state.record.status in SETTLED
        return [Difference(Drift.IAM_USER_MISSING, "its IAM user is missing")] if missing else [], ""
    if not identity.owned:
        description = f"IAM user {iam_user_name(environment, name)} does not carry our tag and is never modified"
        return [Difference(Drift.UNMANAGED, description)], ""
    found = [Difference(Drift.KEY_EXPOSED, warning) for warning in warnings(identity.attachments)]
    found += find_memberships(iam_user_name(environment, name), identity.attachments)
    if state is None:
        keys = count(sum(key.active for key in identity.keys), "active key") + describe_origin(identity.provenance)
        return [Difference(Drift.ORPHAN, f"a managed IAM user without a record; {keys}"), *found], ""
    found += _active_although_revoked(state, identity)
    decision = decide(state, identity)
    if state.observed and (reason := _inconclusive_reason(state, identity, decision)):
        return found, reason
    if isinstance(decision.end, Fail) and not state.observed:
        return found, ""  # the next processing reports it
    return [*found, *find_differences(decision)], ""


def _active_although_revoked(state: RecordState, identity: Identity) -> list[Difference]:
    """A revocation that was written manually, or that failed. Once it is processed, any active key is drift."""
    if not state.record.revoked or state.observed or state.record.status in AWAITING:
        return []
    active = [key.id for key in identity.keys if key.active]
    return [Difference(Drift.KEY_CHANGED, f"access key {key} is active although the user is revoked") for key in active]


def _inconclusive_reason(state: RecordState, identity: Identity, decision: Decision) -> str:
    if isinstance(decision.end, Requeue):
        return decision.end.reason
    for key in unknown_keys(state.record, identity.keys):
        if key.created_at is not None and abs(state.now - key.created_at) < STORED_AFTER:
            return f"access key {key.id} was just created"
    return ""


def _finding(name: str, difference: Difference, declaration: Declaration | None) -> Finding:
    if declaration is None:
        return Finding(name, difference.kind, difference.description)
    return Finding(name, difference.kind, difference.description, declaration.manifest, declaration.line)


def _order(finding: Finding) -> tuple[str, int, str]:
    return finding.name, _KINDS.index(finding.kind), finding.description


_KINDS = list(Drift)

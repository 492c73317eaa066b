"""The access review: every user with its permission, its source, its use, and what a reviewer should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.decision import Identity
from reconciler.core.differences import Drift
from reconciler.core.record import Record, parse_timestamp
from reconciler.core.user import Declaration, User
from reconciler.planning.audit import Audit, Snapshot
from reconciler.planning.codeowners import Rule
from reconciler.planning.report_findings import Kind, ReviewFinding, find, order

# States of users without a record.
NOT_APPLIED, ORPHAN, UNRECOGNIZED = "not applied", "orphan", "unrecognized"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """`last_used`: None with `use_is_known`: IAM has no record of any use."""

    id: str
    active: bool
    created_at: datetime | None
    last_used: datetime | None = None
    use_is_known: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """Where the permission comes from: the commit that was applied, and where the manifests declare it now."""

    commit: str = ""
    approver: str = ""
    pull_request: str = ""
    actor: str = ""  # of the last request, such as a revocation
    run: str = ""
    requested_at: str = ""
    manifest: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One user of the review. `user`: the permission of its record; None if nothing valid says what it may do."""

    name: str
    state: str
    user: User | None
    grant: Grant
    keys: tuple[AccessKey, ...] = ()
    key_created_at: datetime | None = None  # of the current key
    findings: tuple[ReviewFinding, ...] = ()

    @property
    def last_used(self) -> datetime | None:
        return max((key.last_used for key in self.keys if key.last_used), default=None)

    @property
    def use_is_known(self) -> bool:
        """Of every key: the one that is unknown may have been used later than the others."""
        return bool(self.keys) and all(key.use_is_known for key in self.keys)


@dataclass(frozen=True, slots=True)
class Uses:
    """`last`: when keys were used last, by their ids, None for a key that was never used. Any other is unknown."""

    last: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`notes`: what was not checked, and why. Entries are sorted by name."""

    environment: str
    account_id: str
    region: str
    at: datetime
    by: str
    commit: str
    repository: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Kind | Drift, int]:
        """Users by kind of finding, in the order in which kinds are shown."""
        kinds = [kind for entry in self.entries for kind in {finding.kind for finding in entry.findings}]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=order)}


def entries(
    snapshot: Snapshot, audit: Audit, uses: Uses, owners: tuple[Rule, ...] | None, now: datetime
) -> tuple[Entry, ...]:
    """`owners`: the rules of CODEOWNERS, or None if there is none."""
    drift = _by_name(audit)
    identities = {name for name, identity in snapshot.identities.items() if identity}
    names = snapshot.records.keys() | snapshot.desired.keys() | identities | set(snapshot.unrecognized_users)
    found = (_entry(name, snapshot, uses, drift.get(name, ()), owners, now) for name in sorted(names))
    return tuple(found)


def _by_name(audit: Audit) -> dict[str, list[ReviewFinding]]:
    found: dict[str, list[ReviewFinding]] = {}
    for one in audit.findings:
        found.setdefault(one.name, []).append(ReviewFinding(one.kind, one.description))
    return found


def _entry(
    name: str,
    snapshot: Snapshot,
    uses: Uses,
    drift: Iterable[ReviewFinding],
    owners: tuple[Rule, ...] | None,
    now: datetime,
) -> Entry:
    record, declaration = snapshot.records.get(name), snapshot.desired.get(name)
    identity = snapshot.identities.get(name)
    keys = tuple(_keys(identity, record, uses))
    current = next((key.created_at for key in keys if record and key.id == record.smtp_username), None)
    created_at = (parse_timestamp(record.key_created_at) if record else None) or current
    user = record.user if record else declaration.user if declaration else None
    entry = Entry(
        name, _state(name, record, declaration, snapshot), user, _grant(record, declaration), keys, created_at
    )
    findings = {*drift, *find(entry, record, owners, now)}
    in_order = sorted(findings, key=lambda finding: (order(finding.kind), finding.description))
    return Entry(name, entry.state, user, entry.grant, keys, created_at, tuple(in_order))


def _state(name: str, record: Record | None, declaration: Declaration | None, snapshot: Snapshot) -> str:
    if record:
        return record.status or "none"
    if declaration:
        return NOT_APPLIED
    return UNRECOGNIZED if name in snapshot.unrecognized_users else ORPHAN


def _grant(record: Record | None, declaration: Declaration | None) -> Grant:
    manifest, line = (declaration.manifest, declaration.line) if declaration else (record.manifest if record else "", 0)
    if record is None:
        return Grant(manifest=manifest, line=line)
    return Grant(
        commit=record.commit,
        approver=record.approver,
        pull_request=record.pull_request,
        actor=record.actor,
        run=record.run,
        requested_at=record.requested_at,
        manifest=manifest,
        line=line,
    )


def _keys(identity: Identity | None, record: Record | None, uses: Uses) -> Iterator[AccessKey]:
    """As IAM lists them. IAM's time may be missing after a second reading; then the record's is used."""
    for key in identity.keys if identity else ():
        recorded = parse_timestamp(record.key_created_at) if record and record.smtp_username == key.id else None
        yield AccessKey(key.id, key.active, key.created_at or recorded, uses.last.get(key.id), key.id in uses.last)

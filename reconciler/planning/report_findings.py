"""What a reviewer should look at: findings of the access review beside those of the audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from reconciler.core.differences import Drift
from reconciler.core.record import Record, Status
from reconciler.core.text import count
from reconciler.core.user import User
from reconciler.planning.codeowners import Rule, why_unknown

if TYPE_CHECKING:
    from reconciler.planning.report import Entry

UNUSED_AFTER = timedelta(days=90)


class Kind(StrEnum):
    REVOKED = "revoked"
    INVALID_RECORD = "invalid_record"
    WILDCARD = "wildcard"
    UNUSED = "unused"
    OWNER_UNKNOWN = "owner_unknown"
    NO_OWNER = "no_owner"
    NO_EXPIRY = "no_expiry"


class Severity(IntEnum):
    """HIGH: the permission is not the reviewed one, or cannot be reviewed. LOW: worth a thought, often intended."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    kind: Kind | Drift
    description: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """`title`: as people read it. `advice`: what a reviewer decides or does."""

    severity: Severity
    title: str
    advice: str


_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
# Of every kind, in the order in which they are shown.
MEANINGS: dict[Kind | Drift, Meaning] = {
    Drift.KEY_EXPOSED: Meaning(_HIGH, "Key exposed", "AWS found its access key in public: revoke the user."),
    Drift.UNMANAGED: Meaning(_HIGH, "Unmanaged", "No pull request granted it: declare and adopt it, or remove it."),
    Drift.ORPHAN: Meaning(_HIGH, "Orphan", "An IAM user without a record; the sweep deletes it after 24 hours."),
    Drift.POLICY_CHANGED: Meaning(_HIGH, "Policy changed", "The policy in IAM is not the declared one; find out why."),
    Drift.KEY_CHANGED: Meaning(_HIGH, "Key changed", "An access key was added, deleted, activated or deactivated."),
    Drift.ATTACHMENT_ADDED: Meaning(_HIGH, "Attachment added", "A policy, group or way to sign in was added in IAM."),
    Drift.BOUNDARY_CHANGED: Meaning(_HIGH, "Boundary changed", "Tags or permissions boundary were changed in IAM."),
    Drift.UNDECLARED: Meaning(_HIGH, "Undeclared", "No manifest declares it any more; the next apply deletes it."),
    Kind.REVOKED: Meaning(_MEDIUM, "Revoked", "Its keys are inactive: remove its entry, or resume it."),
    Drift.FAILED: Meaning(_MEDIUM, "Failed", "Correct the cause, then run reconcile retry."),
    Kind.INVALID_RECORD: Meaning(_MEDIUM, "Invalid record", "Its record is invalid, so its permission is unknown."),
    Drift.IAM_USER_MISSING: Meaning(_MEDIUM, "IAM user missing", "It cannot send; the sweep creates it again."),
    Drift.RECORD_MISSING: Meaning(_MEDIUM, "Not applied", "It is declared, but was not applied yet."),
    Drift.RECORD_OUTDATED: Meaning(_MEDIUM, "Record outdated", "The manifest was changed and not applied yet."),
    Drift.OVERDUE: Meaning(_MEDIUM, "Overdue", "A change has been waiting for too long; check functions and sweep."),
    Kind.WILDCARD: Meaning(_MEDIUM, "Wildcard", "It covers many addresses: list those that are used."),
    Kind.UNUSED: Meaning(_MEDIUM, "Unused", "No use for 90 days: ask its owner, then disable or remove it."),
    Kind.NO_OWNER: Meaning(_MEDIUM, "No owner", "No one is responsible for it: declare an owner, or remove it."),
    Kind.OWNER_UNKNOWN: Meaning(_MEDIUM, "Owner unknown", "CODEOWNERS does not know its owner: correct one of them."),
    Kind.NO_EXPIRY: Meaning(_LOW, "No expiry", "It is valid until it is removed: consider an expiry date."),
}  # fmt: skip
_ORDER = {kind: position for position, kind in enumerate(MEANINGS)}


def order(kind: Kind | Drift) -> int:
    return _ORDER[kind]


def find(
    entry: Entry, record: Record | None, owners: tuple[Rule, ...] | None, now: datetime
) -> Iterator[ReviewFinding]:
    """`owners`: the rules of CODEOWNERS, or None if there is none."""
    if record and record.revoked:
        reason = record.revoked.reason or "no reason given"
        yield ReviewFinding(Kind.REVOKED, f"by {record.revoked.actor or 'an unknown actor'}: {reason}")
    if record and record.user is None:
        yield ReviewFinding(Kind.INVALID_RECORD, "; ".join(record.problems))
    if unused := _why_unused(entry, now):
        yield ReviewFinding(Kind.UNUSED, unused)
    if entry.user:
        yield from _judge_user(entry.user, entry.grant.manifest, owners)


def _judge_user(user: User, manifest: str, owners: tuple[Rule, ...] | None) -> Iterator[ReviewFinding]:
    if patterns := [address for address in user.allowed_from_addresses if "*" in address]:
        yield ReviewFinding(Kind.WILDCARD, f"may send as {', '.join(patterns)}")
    if not user.owner:
        yield ReviewFinding(Kind.NO_OWNER, "no owner is recorded")
    elif owners is not None and manifest and (reason := why_unknown(owners, manifest, user.owner)):
        yield ReviewFinding(Kind.OWNER_UNKNOWN, reason)
    if user.expires is None:
        yield ReviewFinding(Kind.NO_EXPIRY, "valid until it is removed")


def _why_unused(entry: Entry, now: datetime) -> str:
    """Only of a key that could have been used for so long, and whose use is known. A disabled user has none to use."""
    created, used = entry.key_created_at, entry.last_used
    if entry.state == Status.DISABLED or not entry.use_is_known or created is None or now - created < UNUSED_AFTER:
        return ""
    if used is None:
        return f"never used; its key is {count((now - created).days, 'day')} old"
    return f"not used for {count((now - used).days, 'day')}" if now - used >= UNUSED_AFTER else ""

"""The history of one user: what each change of its entry meant, and which pull request it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.core.record import Record, parse_timestamp
from reconciler.core.user import User
from reconciler.planning.permission_change import PermissionChange, compare


class Event(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    RENAMED = "renamed"
    MOVED = "moved"
    REMOVED = "removed"
    RECORD = "record"  # what the record says


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change of an entry comes from. Without a commit it is not committed. All of it is text of a stranger."""

    commit: str = ""
    author: str = ""
    committer: str = ""
    pull_request: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """An entry at a commit. `user`: None for an entry that is not valid."""

    name: str
    user: User | None
    manifest: str
    line: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """`at`: in UTC. `details`: what changed besides the permission. `version`: the entry, or the one removed."""

    event: Event
    at: datetime
    origin: Origin = Origin()
    change: PermissionChange = field(default_factory=PermissionChange)
    details: tuple[str, ...] = ()
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class UserHistory:
    """Newest first. `incomplete`: why the beginning is missing; empty if it is there."""

    environment: str
    name: str
    entries: tuple[HistoryEntry, ...]
    incomplete: str = ""


def describe_step(old: Version | None, new: Version | None, at: datetime, origin: Origin) -> HistoryEntry | None:
    """What happened between two versions of an entry; None if nothing did that a user would notice.

    The permission is judged at that time: what has expired since was a permission then.
    """
    if old is None and new is None:
        return None
    before, after = (version.user if version else None for version in (old, new))
    change = compare(before, after, at)
    details = (*_places(old, new), *_fields(old, new))
    if old and new and not (change.gains or change.loses or details):
        return None
    return HistoryEntry(_event(old, new), at, origin, change, details, new or old)


def _event(old: Version | None, new: Version | None) -> Event:
    if old is None:
        return Event.CREATED
    if new is None:
        return Event.REMOVED
    if old.name != new.name:
        return Event.RENAMED
    return Event.MOVED if old.manifest != new.manifest and old.user == new.user else Event.CHANGED


def _places(old: Version | None, new: Version | None) -> list[str]:
    if old is None or new is None:
        return []
    clauses = [f"renamed from {old.name}: a new password"] if old.name != new.name else []
    return clauses + ([f"moved from {old.manifest} to {new.manifest}"] if old.manifest != new.manifest else [])


def _fields(old: Version | None, new: Version | None) -> list[str]:
    """The fields that are no part of the permission."""
    if new is not None and new.user is None:
        return ["the entry is not valid"]
    if old is None or new is None or new.user is None:
        return []
    if old.user is None:
        return ["the entry is valid again"]
    one, other = old.user, new.user
    clauses = []
    if one.enabled != other.enabled:
        clauses.append("enabled" if other.enabled else "disabled")
    if one.expires != other.expires:
        clauses.append(f"expires: {one.expires or 'never'} → {other.expires or 'never'}")
    if one.credential != other.credential:
        clauses.append(f"credential {one.credential} → {other.credential}: a new password")
    if one.rotation != other.rotation:
        clauses.append(f"rotation: every {other.rotation.every_days} days" if other.rotation else "no rotation")
    if one.owner != other.owner:
        clauses.append(f"owner: {one.owner or '(none)'} → {other.owner or '(none)'}")
    if one.description != other.description:
        clauses.append("description changed")
    return clauses


# `Merge pull request #12 from …` (GitHub), `… (#12)` after a squash, `See merge request group/project!12` (GitLab), and
# `… (pull request #12)` (Bitbucket). Anyone who writes a commit message can write the same.
_SUBJECTS = (
    re.compile(r"Merge pull request #(?P<number>[0-9]{1,9})\b"),
    re.compile(r".*\((?:pull request )?#(?P<number>[0-9]{1,9})\)\s*"),
)
_GITLAB = re.compile(r"^See merge request (?P<project>[\w./-]{0,200})!(?P<number>[0-9]{1,9})\s*$", re.MULTILINE)


def find_pull_request(message: str) -> str:
    """The pull request that a commit message names, as `#12` or `group/project!12`; empty if it names none."""
    subject = message.partition("\n")[0]
    for pattern in _SUBJECTS:
        if found := pattern.match(subject):
            return f"#{found['number']}"
    found = _GITLAB.search(message)
    return f"{found['project']}!{found['number']}" if found else ""


def record_entries(record: Record) -> list[HistoryEntry]:
    """What the record says about its own times. Whoever may write a record can write them."""
    texts = [
        (record.requested_at, f"requested by {record.actor or 'unknown'}{_because(record)}"),
        (record.key_created_at, f"access key issued for credential {record.key_credential or 1}"),
        (record.settled_at, f"processed: {record.settled_status or record.status}"),
        (record.previous_key_retires_at, "the previous access key becomes inactive"),
        (record.previous_key_deletes_at, "the previous access key is deleted"),
    ]
    if record.failure:
        texts.append((record.failure.at, f"failed: {record.failure.code}: {record.failure.message}"))
    if record.revoked:
        who = record.revoked.actor or "unknown"
        texts.append((record.revoked.at, f"revoked by {who}: {record.revoked.reason or 'no reason given'}"))
    timed = ((parse_timestamp(at), text) for at, text in texts)
    return [HistoryEntry(Event.RECORD, at, details=(text,)) for at, text in timed if at]


def _because(record: Record) -> str:
    facts = (
        ("commit", record.commit[:12]),
        ("pull request", record.pull_request),
        ("approved by", record.approver.replace(" ", ", ")),
    )
    return "".join(f", {label} {value}" for label, value in facts if value)


def merge(entries: Iterable[HistoryEntry], more: Iterable[HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """Both, newest first. Git's own order stays where the clocks of its authors disagree."""
    merged = [*entries]
    for each in more:
        older = (position for position, one in enumerate(merged) if one.at <= each.at)
        merged.insert(next(older, len(merged)), each)
    return tuple(merged)

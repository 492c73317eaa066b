"""Grants and their changes in plain words. Every widening of a grant is described here."""

from __future__ import annotations

from reconciler.core.record import Record, Status
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, User, spec_hash
from reconciler.planning.diff import Adopt, Change, Create, Update


def describe(change: Change) -> list[str]:
    """What a change means for the grant: one clause for each difference."""
    match change:
        case Create(declaration):
            return _new_grant(declaration.user)
        case Adopt(declaration, record):
            source = f"managed by {record.managed_by}" if record.managed_by else "created manually"
            granted = record.status in (Status.ACTIVE, Status.DISABLED)
            new = declaration.user
            return [f"adopts the record {source}", *(_difference(record.user, new) if granted else _new_grant(new))]
        case Update(declaration, record, reasons):
            if record.user == declaration.user and record.spec_hash != spec_hash(declaration.user):
                return [*_new_grant(declaration.user), *reasons]
            clauses = _difference(
                record.user,
                declaration.user,
                inactive=record.status == Status.DISABLED,
                revoked=record.revoked is not None,
            )
            return [*clauses, *_overlap_clauses(declaration.user, record), *reasons]
    revoked = ["stays revoked after its deletion"] if change.record.revoked else []
    return ["deletes access key, policy and IAM user", *revoked, *change.reasons]


def _overlap_clauses(new: User, record: Record) -> list[str]:
    """IAM allows two access keys: a second rotation during the overlap ends the oldest password early."""
    if record.previous_key and record.user and record.user.credential != new.credential and new.enabled:
        return ["the previous password stops working immediately"]
    return []


def describe_grant(addresses: tuple[str, ...], networks: tuple[str, ...], expires: object) -> list[str]:
    """`expires`: a day, or nothing."""
    clauses = [f"may send as {_join(addresses)}"]
    if networks:
        clauses.append(f"from {_join(networks)} only")
    if expires:
        clauses.append(f"until {expires}")
    return clauses


def _new_grant(user: User) -> list[str]:
    clauses = describe_grant(user.allowed_from_addresses, user.allowed_source_ips, user.expires)
    if not user.enabled:
        clauses.append("disabled: no access key yet")
    return clauses


def _difference(old: User | None, new: User, *, inactive: bool = False, revoked: bool = False) -> list[str]:
    """`inactive`: its access key is inactive now, so there is no overlap. `revoked`: the key stays inactive."""
    if old is None:
        return ["the record was invalid", *_new_grant(new)]
    clauses = _grant_clauses(old, new)
    if old.enabled != new.enabled:
        enabled = "enabled, but still revoked" if revoked else "enabled: may send again"
        clauses.append(enabled if new.enabled else "disabled: its access key becomes inactive")
    return [*clauses, *_expiry_clauses(old, new), *describe_others(old, new, inactive=inactive, revoked=revoked)]


def describe_terms(old: User, new: User) -> list[str]:
    """The differences of the permission as it is written."""
    return [*_grant_clauses(old, new), *_expiry_clauses(old, new)]


def describe_others(old: User, new: User, *, inactive: bool = False, revoked: bool = False) -> list[str]:
    """The differences that are not of the permission."""
    clauses = []
    if old.credential != new.credential:
        clauses.append(_password_clause(new, inactive=inactive or not old.enabled, revoked=revoked))
    if old.rotation != new.rotation:
        clauses.append(_rotation_clause(new))
    if old.owner != new.owner:
        clauses.append(f"owner {old.owner or '(none)'} → {new.owner}")
    if old.description != new.description:
        clauses.append("description changed")
    return clauses


def _grant_clauses(old: User, new: User) -> list[str]:
    return [*_set_clauses(old.allowed_from_addresses, new.allowed_from_addresses, ""), *_source_clauses(old, new)]


def _set_clauses(old: tuple[str, ...], new: tuple[str, ...], noun: str) -> list[str]:
    gained, lost = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    clauses = [f"gains {noun}{_join(gained)}"] if gained else []
    return clauses + ([f"loses {noun}{_join(lost)}"] if lost else [])


def _source_clauses(old: User, new: User) -> list[str]:
    if old.allowed_source_ips and not new.allowed_source_ips:
        return ["may now send from any network"]
    if new.allowed_source_ips and not old.allowed_source_ips:
        return [f"from {_join(new.allowed_source_ips)} only"]
    return _set_clauses(old.allowed_source_ips, new.allowed_source_ips, "source network ")


def _expiry_clauses(old: User, new: User) -> list[str]:
    if old.expires == new.expires:
        return []
    if new.expires is None:
        return [f"no longer expires (was {old.expires})"]
    if old.expires is None:
        return [f"expires after {new.expires}"]
    return [f"expiry {'extended' if new.expires > old.expires else 'shortened'} from {old.expires} to {new.expires}"]


def _password_clause(new: User, *, inactive: bool, revoked: bool) -> str:
    if not new.enabled or revoked:
        return f"gets a new password when it is {'resumed' if revoked else 'enabled'}"
    if inactive:
        return "gets a new password; the current one stops working immediately"
    overlap = new.rotation.overlap_days if new.rotation else DEFAULT_OVERLAP_DAYS
    return f"gets a new password; the current one works for {overlap} more days"


def _rotation_clause(new: User) -> str:
    if new.rotation is None:
        return "no longer rotates on a schedule"
    return f"rotates every {new.rotation.every_days} days with an overlap of {new.rotation.overlap_days} days"


def _join(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(values)

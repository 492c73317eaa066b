"""Grants and their changes in plain words. No grant widens without a sentence from here that says so."""

from __future__ import annotations

from reconciler.core.record import Record, Status
from reconciler.core.user import DEFAULT_OVERLAP_DAYS, User, spec_hash
from reconciler.planning.diff import Adopt, Change, Create, Update


def words_of(change: Change) -> list[str]:
    """What a change means for the right to send: one clause per thing that changes."""
    match change:
        case Create(declaration):
            return _new_grant(declaration.user)
        case Adopt(declaration, record):
            taken = f"taken over from {record.managed_by or 'a row put by hand'}"
            granted = record.status in (Status.ACTIVE, Status.DISABLED)
            new = declaration.user
            return [taken, *(_difference(record.user, new) if granted else _new_grant(new))]
        case Update(declaration, record, reasons):
            if record.user == declaration.user and record.spec_hash != spec_hash(declaration.user):
                return [*_new_grant(declaration.user), *reasons]
            words = _difference(
                record.user,
                declaration.user,
                switched_off=record.status == Status.DISABLED,
                revoked=record.revoked is not None,
            )
            return [*words, *_overlap_words(declaration.user, record), *reasons]
    return ["loses everything: key, policy and IAM user", *change.reasons]


def _overlap_words(new: User, record: Record) -> list[str]:
    """IAM allows two keys: a third rotation of passwords ends the first one early."""
    if record.previous_key and record.user and record.user.credential != new.credential and new.enabled:
        return ["the password before that ends at once"]
    return []


def _new_grant(user: User) -> list[str]:
    words = [f"may send as {_join(user.allowed_from_addresses)}"]
    if user.allowed_source_ips:
        words.append(f"from {_join(user.allowed_source_ips)} only")
    if user.expires:
        words.append(f"until {user.expires}")
    if not user.enabled:
        words.append("disabled: gets no key yet")
    return words


def _difference(old: User | None, new: User, *, switched_off: bool = False, revoked: bool = False) -> list[str]:
    """`switched_off`: its key is inactive now, so nothing of it overlaps. `revoked`: and it stays so."""
    if old is None:
        return ["the row could not be understood", *_new_grant(new)]
    words = _set_words(old.allowed_from_addresses, new.allowed_from_addresses, "")
    words += _source_words(old, new)
    if old.enabled != new.enabled:
        again = "enabled, but revoked" if revoked else "enabled: may send again"
        words.append(again if new.enabled else "disabled: its key becomes inactive")
    words += _expiry_words(old, new)
    if old.credential != new.credential:
        words.append(_password_words(new, switched_off=switched_off or not old.enabled, revoked=revoked))
    if old.rotation != new.rotation:
        words.append(_rotation_words(new))
    if old.owner != new.owner:
        words.append(f"owner {old.owner or 'nobody'} → {new.owner}")
    if old.description != new.description:
        words.append("description changed")
    return words


def _set_words(old: tuple[str, ...], new: tuple[str, ...], noun: str) -> list[str]:
    gained, lost = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    words = [f"gains {noun}{_join(gained)}"] if gained else []
    return words + ([f"loses {noun}{_join(lost)}"] if lost else [])


def _source_words(old: User, new: User) -> list[str]:
    if old.allowed_source_ips and not new.allowed_source_ips:
        return ["may now send from any network"]
    if new.allowed_source_ips and not old.allowed_source_ips:
        return [f"from {_join(new.allowed_source_ips)} only"]
    return _set_words(old.allowed_source_ips, new.allowed_source_ips, "source ")


def _expiry_words(old: User, new: User) -> list[str]:
    if old.expires == new.expires:
        return []
    if new.expires is None:
        return [f"no longer ends (was {old.expires})"]
    if old.expires is None:
        return [f"ends after {new.expires}"]
    return [f"{'extended' if new.expires > old.expires else 'shortened'} from {old.expires} to {new.expires}"]


def _password_words(new: User, *, switched_off: bool, revoked: bool) -> str:
    if not new.enabled or revoked:
        return f"gets a new password when it is {'resumed' if revoked else 'enabled'}"
    if switched_off:
        return "gets a new password; the old one ends at once"
    overlap = new.rotation.overlap_days if new.rotation else DEFAULT_OVERLAP_DAYS
    return f"gets a new password; the old one ends {overlap} days later"


def _rotation_words(new: User) -> str:
    if new.rotation is None:
        return "rotation stops"
    return f"rotates every {new.rotation.every_days} days, overlap {new.rotation.overlap_days}"


def _join(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(values)

"""How the permission of one user changes, computed exactly: what it gains, what it loses, and an example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.user import User
from reconciler.planning.address_sets import example_outside, intersect, is_covered, not_covered
from reconciler.planning.evaluation import SendAttempt
from reconciler.planning.network_sets import example_in, not_within, overlapping, ranges, subtract
from reconciler.planning.permission import Permission, permission_of


@dataclass(frozen=True, slots=True)
class PermissionChange:
    """`gains` and `loses`: plain words, one clause each.

    `example` and `attempt`: the same attempt to send, in words and to evaluate. It was refused before and is allowed
    now. There is one exactly if the change widens the permission.
    """

    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    example: str = ""
    attempt: SendAttempt | None = None

    @property
    def widens(self) -> bool:
        return self.attempt is not None


def compare(old: User | None, new: User | None, now: datetime) -> PermissionChange:
    """None: no such user. Both are judged at `now`; what happened before does not count."""
    before, after = permission_of(old, now), permission_of(new, now)
    attempt = find_widening(before, after, now)
    return PermissionChange(
        _gains(old, before, after),
        _loses(new, before, after),
        _describe(attempt, before, after) if attempt else "",
        attempt,
    )


def find_widening(before: Permission, after: Permission, now: datetime) -> SendAttempt | None:
    """An attempt that `after` allows and `before` does not, or None: then `after` is within `before`.

    Both are products. `after` is within `before` exactly if it is empty or each of its factors is within the other's.
    """
    if not after:
        return None
    networks = ranges(after.networks)
    if not before:
        return SendAttempt(_any_address(after), now, example_in(networks))
    if gained := not_covered(after.addresses, before.addresses):
        return SendAttempt(example_outside(gained[0], before.addresses), now, example_in(networks))
    if more := subtract(networks, ranges(before.networks)):
        return SendAttempt(_any_address(after), now, example_in(more))
    if before.until and (after.until is None or after.until > before.until):
        return SendAttempt(_any_address(after), before.until, example_in(networks))
    return None


def _any_address(permission: Permission) -> str:
    return example_outside(permission.addresses[0], ())


def _describe(attempt: SendAttempt, before: Permission, after: Permission) -> str:
    """`from anywhere`: the source does not matter, for this address and this time."""
    is_later = before.until is not None and attempt.at == before.until
    is_new_source = bool(before) and not is_later and is_covered(attempt.from_address, before.addresses)
    words = [f"may send as {attempt.from_address}"]
    words.append(f"from {attempt.source_ip}" if after.networks or is_new_source else "from anywhere")
    if is_later:
        words.append(f"after {before.last_day}")
    if after.until:
        words.append(f"until {after.last_day}")
    return " ".join(words)


def _gains(old: User | None, before: Permission, after: Permission) -> tuple[str, ...]:
    if not after:
        return ()
    if not before:
        why = "" if old is None else "no longer expired: " if old.enabled else "enabled: "
        return (f"{why}may send {_in_words(after)}",)
    clauses = []
    if gained := not_covered(after.addresses, before.addresses):
        kept = _common(gained, before.addresses)
        clauses.append(f"may send as {_join(gained)}" + (f" (before: only as {_join(kept)})" if kept else ""))
    if before.networks and not after.networks:
        clauses.append("may send from anywhere")
    elif more := not_within(after.networks, before.networks):
        known = overlapping(more, before.networks)
        clauses.append(f"may send from {_join(more)}" + (f" (before: only from {_join(known)})" if known else ""))
    if before.until and not after.until:
        clauses.append(f"no longer expires (before: until {before.last_day})")
    elif before.until and after.until and after.until > before.until:
        clauses.append(f"may send until {after.last_day} (before: until {before.last_day})")
    return tuple(clauses)


def _loses(new: User | None, before: Permission, after: Permission) -> tuple[str, ...]:
    if not before:
        return ()
    if not after:
        why = "deleted" if new is None else "expired" if new.enabled else "disabled"
        return (f"{why}: may no longer send as {_join(before.addresses)}",)
    clauses = []
    if lost := not_covered(before.addresses, after.addresses):
        kept = _common(lost, after.addresses)
        clauses.append(f"may no longer send as {_join(lost)}" + (f" (still as {_join(kept)})" if kept else ""))
    if after.networks and not before.networks:
        clauses.append(f"may send from {_join(after.networks)} only")
    elif less := not_within(before.networks, after.networks):
        still = overlapping(less, after.networks)
        clauses.append(f"may no longer send from {_join(less)}" + (f" (still from {_join(still)})" if still else ""))
    if after.until and not before.until:
        clauses.append(f"expires after {after.last_day}")
    elif before.until and after.until and after.until < before.until:
        clauses.append(f"may send until {after.last_day} only (before: until {before.last_day})")
    return tuple(clauses)


def _common(patterns: Sequence[str], others: Sequence[str]) -> list[str]:
    """The parts of `patterns` that `others` match too."""
    return sorted({common for one in patterns for other in others if (common := intersect(one, other))})


def _in_words(permission: Permission) -> str:
    words = [f"as {_join(permission.addresses)}"]
    if permission.networks:
        words.append(f"from {_join(permission.networks)} only")
    if permission.until:
        words.append(f"until {permission.last_day}")
    return " ".join(words)


def _join(values: Iterable[str]) -> str:
    return ", ".join(values)

"""The difference between two states of the manifests, in permissions: per user, per environment and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reconciler.core.user import Declaration, User
from reconciler.planning.address_sets import AddressIndex, not_covered
from reconciler.planning.permission import permission_of
from reconciler.planning.permission_change import PermissionChange, compare
from reconciler.planning.permission_settings import SettingChange, Values, compare_environment
from reconciler.planning.renames import pair_renamed
from reconciler.planning.wording import describe_others, describe_terms

MOST_OTHERS = 10  # other users that are named for one widening

Declarations = Mapping[str, Declaration]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two states: the fields of each environment, and the users of those that are compared."""

    settings: Mapping[str, Values]
    users: Mapping[str, Declarations]


class Kind(StrEnum):
    NEW = "new"
    DELETED = "deleted"
    RENAMED = "renamed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Other:
    """Another user that may send as addresses that a user gains: `pattern` is what they have in common."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class UserChange:
    """`notes`: differences that do not change the permission. `source`: where it is declared, or was.

    `others` may be cut off; then `more_others` is true.
    """

    name: str
    kind: Kind
    change: PermissionChange
    notes: tuple[str, ...] = ()
    source: str = ""
    old_name: str = ""
    others: tuple[Other, ...] = ()
    more_others: bool = False

    @property
    def keeps(self) -> bool:
        return not self.change.gains and not self.change.loses


@dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """`users`: those that differ, widenings first. `unchanged`: how many do not."""

    name: str
    kind: Kind
    settings: tuple[SettingChange, ...]
    users: tuple[UserChange, ...]
    unchanged: int

    def differs(self) -> bool:
        return bool(self.settings or self.users or self.kind != Kind.CHANGED)


@dataclass(frozen=True, slots=True)
class PermissionDiff:
    """`base` and `head`: what is compared, as it is named; a commit that is empty is the working tree.

    `warnings`: (text, hint).
    """

    base: str
    base_commit: str
    head: str
    head_commit: str
    environments: tuple[EnvironmentDiff, ...]
    warnings: tuple[tuple[str, str], ...] = ()

    @property
    def users(self) -> list[UserChange]:
        return [user for environment in self.environments for user in environment.users]

    @property
    def gains(self) -> int:
        return sum(user.change.widens for user in self.users)

    @property
    def loses(self) -> int:
        return sum(bool(user.change.loses) for user in self.users)

    @property
    def keeps(self) -> int:
        """Users with the same permission as before."""
        return sum(user.keeps for user in self.users) + sum(each.unchanged for each in self.environments)

    @property
    def loosened(self) -> int:
        """Settings that permit more than before, or watch less."""
        return sum(setting.widens for environment in self.environments for setting in environment.settings)

    def differs(self) -> bool:
        return any(environment.differs() for environment in self.environments)


def compare_sides(old: Side, new: Side, names: Iterable[str], now: datetime) -> tuple[EnvironmentDiff, ...]:
    """`names`: of the environments to compare; those of the new side keep their order."""
    return tuple(_compare_environment(old, new, name, now) for name in names)


def _compare_environment(old: Side, new: Side, name: str, now: datetime) -> EnvironmentDiff:
    before, after = old.users.get(name, {}), new.users.get(name, {})
    changes = [*_changes(before, after, now)]
    index = AddressIndex((user, permission_of(found.user, now).addresses) for user, found in after.items())
    users = [_with_others(change, before, after, index, now) for change in changes]
    if name not in new.settings:
        return EnvironmentDiff(name, Kind.DELETED, (), _ordered(users), 0)
    kind = Kind.CHANGED if name in old.settings else Kind.NEW
    settings = compare_environment(old.settings.get(name, {}), new.settings[name])
    unchanged = len(after) - sum(change.kind != Kind.DELETED for change in changes)
    return EnvironmentDiff(name, kind, settings, _ordered(users), unchanged)


def _ordered(users: Iterable[UserChange]) -> tuple[UserChange, ...]:
    return tuple(sorted(users, key=lambda user: (not user.change.widens, not user.change.loses, user.name)))


def _changes(before: Declarations, after: Declarations, now: datetime) -> Iterable[UserChange]:
    deleted = {name: before[name].user for name in before.keys() - after.keys()}
    created = {name: after[name].user for name in after.keys() - before.keys()}
    renamed = pair_renamed(deleted.values(), created.values())
    for name, old_name in renamed.items():
        yield _renamed(before[old_name], after[name], now)
    for name in created.keys() - renamed.keys():
        change = compare(None, created[name], now)
        notes = () if change.gains else (f"new: {_why_empty(created[name])}",)
        yield UserChange(name, Kind.NEW, change, notes, _source(after[name]))
    for name in deleted.keys() - set(renamed.values()):
        change = compare(deleted[name], None, now)
        notes = () if change.loses else (f"deleted: {_why_empty(deleted[name])}",)
        yield UserChange(name, Kind.DELETED, change, notes, _source(before[name]))
    for name in before.keys() & after.keys():
        if before[name].user != after[name].user:
            yield _changed(before[name].user, after[name], now)


def _renamed(old: Declaration, new: Declaration, now: datetime) -> UserChange:
    """There is no rename in IAM: the new user gets a new password, and the old one ends."""
    change = compare(old.user, new.user, now)
    others = describe_others(replace(old.user, credential=new.user.credential), new.user)
    notes = (f"renamed from {old.user.name}: gets a new password", *_terms(old.user, new.user, change, now), *others)
    return UserChange(new.user.name, Kind.RENAMED, change, notes, _source(new), old.user.name)


def _changed(old: User, new: Declaration, now: datetime) -> UserChange:
    change = compare(old, new.user, now)
    others = describe_others(old, new.user, inactive=not old.may_send(now))
    notes = (*_terms(old, new.user, change, now), *others)
    return UserChange(new.user.name, Kind.CHANGED, change, notes, _source(new))


def _terms(old: User, new: User, change: PermissionChange, now: datetime) -> list[str]:
    """What is written differently in a permission that stays the same."""
    if change.gains or change.loses:
        return []
    terms = describe_terms(old, new)
    if old.enabled != new.enabled:
        terms.append("enabled" if new.enabled else "disabled")
    if not terms:
        return []
    if new.may_send(now):
        return [f"the same permission, written differently: {'; '.join(terms)}"]
    return [f"without effect, {_why_empty(new)}: {'; '.join(terms)}"]


def _why_empty(user: User) -> str:
    return "it has expired" if user.enabled else "it is disabled"


def _with_others(
    changed: UserChange, before: Declarations, after: Declarations, index: AddressIndex, now: datetime
) -> UserChange:
    """Who else may send as what a user gains. Where it gains no address: as any of its addresses."""
    if not changed.change.widens:
        return changed
    old = before.get(changed.old_name or changed.name)
    has = permission_of(after[changed.name].user, now).addresses
    had = permission_of(old.user if old else None, now).addresses
    others: dict[str, str] = {}
    for pattern in not_covered(has, had) or has:
        for name, common in index.find(pattern):
            if name != changed.name:
                others.setdefault(name, common)
            if len(others) > MOST_OTHERS:
                break
    shown = tuple(Other(name, common) for name, common in [*others.items()][:MOST_OTHERS])
    return replace(changed, others=shown, more_others=len(others) > MOST_OTHERS)


def _source(declaration: Declaration) -> str:
    return f"{declaration.manifest}:{declaration.line}"

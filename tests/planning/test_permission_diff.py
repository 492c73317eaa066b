"""The difference of whole manifests: renames, overlap with other users, new and deleted environments, order."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from reconciler.core.user import Declaration, User
from reconciler.planning.address_sets import AddressIndex, intersect
from reconciler.planning.permission_diff import EnvironmentDiff, Kind, Other, PermissionDiff, Side, compare_sides
from reconciler.planning.renames import pair_renamed
from support.world import a_user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def side(*users: User, name: str = "test", **settings: Any) -> Side:
    return Side({name: settings}, {name: {user.name: Declaration(user, "users/test/a.yaml", 2) for user in users}})


def diff(old: Side, new: Side) -> EnvironmentDiff:
    (found,) = compare_sides(old, new, ["test"], NOW)
    return found


def test_widenings_come_first_then_losses_then_what_stays_the_same() -> None:
    old = side(a_user("aa"), a_user("bb"), a_user("cc"), a_user("dd"))
    new = side(a_user("aa", owner="x@example.com"), a_user("cc", "hr@example.com"), a_user("dd"))
    found = diff(old, new)
    assert [(user.name, user.kind) for user in found.users] == [
        ("cc", Kind.CHANGED),
        ("bb", Kind.DELETED),
        ("aa", Kind.CHANGED),
    ]
    assert found.unchanged == 1
    total = PermissionDiff("a", "", "b", "", (found,))
    assert (total.gains, total.loses, total.keeps, total.loosened) == (1, 2, 2, 0)
    assert total.differs()


def test_a_new_environment_shows_all_its_settings_and_users_and_a_deleted_one_what_its_users_lose() -> None:
    full = side(a_user("crm"), allowed_domains=["example.com"])
    empty = Side({}, {})
    found = diff(empty, full)
    assert (found.kind, [user.change.widens for user in found.users]) == (Kind.NEW, [True])
    assert [(setting.name, setting.widens) for setting in found.settings] == [("allowed_domains", True)]
    found = diff(full, empty)
    assert (found.kind, found.settings, found.unchanged) == (Kind.DELETED, (), 0)
    assert [bool(user.change.loses) for user in found.users] == [True]
    assert diff(full, full) == EnvironmentDiff("test", Kind.CHANGED, (), (), 1)
    assert not diff(full, full).differs()


def test_other_users_that_may_send_as_what_a_user_gains_are_named() -> None:
    others = [
        a_user("aa", "hr@example.com"),
        a_user("bb", "*@example.com"),
        a_user("cc", "hr@example.com", enabled=False),
    ]
    more = [a_user("dd", "h*@example.com"), a_user("ee", "ceo@example.com"), a_user("ff", "hr@news.example.com")]
    old = side(*others, *more, a_user("me", "x@news.example.com"))
    new = side(*others, *more, a_user("me", "x@news.example.com", "hr@example.com"))
    (user,) = diff(old, new).users
    assert {other.name for other in user.others} == {"aa", "bb", "dd"}
    assert {other.pattern for other in user.others} == {"hr@example.com"}
    (user,) = diff(old, side(*others, *more, a_user("me", "x@news.example.com", "h*@example.com"))).users
    assert {*user.others} == {
        Other("aa", "hr@example.com"), Other("bb", "h*@example.com"), Other("dd", "h*@example.com")
    }  # fmt: skip
    assert not user.more_others


def test_where_no_address_is_gained_others_share_any_of_its_addresses() -> None:
    other = a_user("crm", "hr@example.com")
    (user,) = diff(
        side(other, a_user("me", "hr@example.com", expires="2027-06-30")), side(other, a_user("me", "hr@example.com"))
    ).users
    assert user.others == (Other("crm", "hr@example.com"),)


def test_no_more_than_ten_others_are_named() -> None:
    many = [a_user(f"user-{number}", f"a{number}@example.com") for number in range(11)]
    (user,) = diff(side(*many), side(*many, a_user("me", "*@example.com"))).users
    assert (len(user.others), user.more_others) == (10, True)
    (user,) = diff(side(*many[:10]), side(*many[:10], a_user("me", "*@example.com"))).users
    assert (len(user.others), user.more_others) == (10, False)


def test_the_index_finds_exactly_the_patterns_that_overlap() -> None:
    randomly = random.Random(5)  # noqa: S311
    for _ in range(300):
        patterns = [
            f"{''.join(randomly.choices('ab', k=randomly.randint(0, 3)))}{randomly.choice(('x', '*'))}@{domain}"
            for domain in randomly.choices(("d.io", "e.io"), k=8)
        ]
        wanted = patterns.pop()
        users = [(f"u{number}", [pattern]) for number, pattern in enumerate(patterns)]
        expected = {(name, common) for name, (own,) in users if (common := intersect(own, wanted))}
        assert {*AddressIndex(users).find(wanted)} == expected


def test_a_rename_keeps_the_permission_and_names_what_else_changes() -> None:
    old = side(a_user("crm", owner="crm@example.com", credential=3))
    (user,) = diff(old, side(a_user("sales", owner="crm@example.com", description="All sales"))).users
    assert (user.kind, user.old_name, user.keeps) == (Kind.RENAMED, "crm", True)
    assert user.notes == ("renamed from crm: gets a new password", "description changed")


def test_a_user_that_takes_the_addresses_of_another_owner_is_new_and_gains_them() -> None:
    """Its password is new: someone else may send as them, and the lines of renames may be cut."""
    users = diff(side(a_user("crm", owner="crm@example.com")), side(a_user("evil", owner="evil@example.com"))).users
    assert [(user.name, user.kind, user.change.widens) for user in users] == [
        ("evil", Kind.NEW, True),
        ("crm", Kind.DELETED, False),
    ]


def test_users_are_paired_only_where_one_is_meant() -> None:
    crm, other = a_user("crm", "a@example.com"), a_user("other", "a@example.com")
    assert pair_renamed([crm], [a_user("new", "a@example.com")]) == {"new": "crm"}
    assert pair_renamed([crm, other], [a_user("new", "a@example.com")]) == {}
    assert pair_renamed([crm], [a_user("new", "b@example.com")]) == {}
    less = a_user("new", "a@example.com", owner="o@example.com")
    more = a_user("old", "a@example.com", "b@example.com", owner="o@example.com")
    assert pair_renamed([more], [less]) == {"new": "old"}
    assert pair_renamed([more], [a_user("new", "a@example.com", owner="x@example.com")]) == {}
    assert pair_renamed([a_user("old", "a@example.com", "b@example.com")], [a_user("new", "a@example.com")]) == {}
    many = [a_user(f"user-{number}", f"a{number}@example.com") for number in range(101)]
    assert pair_renamed([more, *many], [less]) == {}


def test_a_user_that_is_disabled_while_it_is_expired_changes_nothing() -> None:
    expired = a_user("crm", expires="2026-05-31")
    (user,) = diff(side(expired), side(a_user("crm", expires="2026-05-31", enabled=False))).users
    assert user.notes == ("without effect, it is disabled: disabled",)
    (user,) = diff(side(a_user("crm", enabled=False)), side(a_user("crm", enabled=False, credential=2))).users
    assert user.notes == ("gets a new password when it is enabled",)

"""Named changes of one user's permission, in words. `tests/cli/test_diff_cases.py` has the table of the whole diff."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.user import User
from reconciler.planning.address_sets import contains, example_outside, intersect
from reconciler.planning.evaluation import SendAttempt
from reconciler.planning.network_sets import example_in, ranges
from reconciler.planning.permission import NOTHING, Permission, permission_of
from reconciler.planning.permission_change import PermissionChange, compare
from support.world import a_user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def user(*addresses: str, **fields: Any) -> User:
    return a_user("crm", *addresses, **fields)


def change(old: User | None, new: User | None) -> PermissionChange:
    return compare(old, new, NOW)


def test_a_permission_is_empty_without_a_user_when_disabled_and_when_expired() -> None:
    assert permission_of(None, NOW) == NOTHING
    assert permission_of(user(enabled=False), NOW) == NOTHING
    assert permission_of(user(expires="2026-05-31"), NOW) == NOTHING
    assert not NOTHING
    end = datetime(2026, 6, 2, tzinfo=UTC)
    assert permission_of(user(expires="2026-06-01", allowed_source_ips=["203.0.113.7"]), NOW) == Permission(
        ("billing@example.com",), ("203.0.113.7/32",), end
    )
    assert Permission(("a@example.com",), (), end).last_day == "2026-06-01"


def test_a_new_user_gains_everything_with_its_restrictions() -> None:
    found = change(None, user("*@example.com", allowed_source_ips=["203.0.113.0/24"], expires="2027-06-30"))
    assert found == PermissionChange(
        gains=("may send as *@example.com from 203.0.113.0/24 only until 2027-06-30",),
        example="may send as hr@example.com from 203.0.113.1 until 2027-06-30",
        attempt=SendAttempt("hr@example.com", NOW, "203.0.113.1"),
    )
    assert found.widens


@pytest.mark.parametrize(
    ("old", "new", "gains", "example"),
    [
        (user(), user(enabled=False), (), ""),
        (user(enabled=False), user(), ("enabled: may send as billing@example.com",),
         "may send as billing@example.com from anywhere"),
        (user(expires="2026-05-01"), user(), ("no longer expired: may send as billing@example.com",),
         "may send as billing@example.com from anywhere"),
        (user("*@example.com"), user("*@example.com", "hr@example.com"), (), ""),
        (user("a@example.com"), user("a@example.com", "b@example.com", expires="2027-06-30"),
         ("may send as b@example.com",), "may send as b@example.com from anywhere until 2027-06-30"),
        (user("hr@example.com", "alerts-*@example.com"), user("*@example.com"),
         ("may send as *@example.com (before: only as alerts-*@example.com, hr@example.com)",),
         "may send as ceo@example.com from anywhere"),
        (user(allowed_source_ips=["203.0.113.7"]), user(), ("may send from anywhere",),
         "may send as billing@example.com from 192.0.2.1"),
        (user(allowed_source_ips=["203.0.113.7"]), user(allowed_source_ips=["203.0.113.0/24"]),
         ("may send from 203.0.113.0/24 (before: only from 203.0.113.7/32)",),
         "may send as billing@example.com from 203.0.113.1"),
        (user(allowed_source_ips=["203.0.113.7"]), user(allowed_source_ips=["203.0.113.7", "2001:db8::/32"]),
         ("may send from 2001:db8::/32",), "may send as billing@example.com from 2001:db8::1"),
        (user(allowed_source_ips=["203.0.113.0/25", "203.0.113.128/25"]), user(allowed_source_ips=["203.0.113.0/24"]),
         (), ""),
        (user(expires="2027-06-30"), user(), ("no longer expires (before: until 2027-06-30)",),
         "may send as billing@example.com from anywhere after 2027-06-30"),
        (user(expires="2027-06-30"), user(expires="2028-06-30"),
         ("may send until 2028-06-30 (before: until 2027-06-30)",),
         "may send as billing@example.com from anywhere after 2027-06-30 until 2028-06-30"),
        (user(), user(owner="crm@example.com", credential=2), (), ""),
    ],
)  # fmt: skip
def test_what_is_gained(old: User, new: User, gains: tuple[str, ...], example: str) -> None:
    found = change(old, new)
    assert (found.gains, found.example, found.widens) == (gains, example, bool(example))


@pytest.mark.parametrize(
    ("old", "new", "loses"),
    [
        (user(), None, ("deleted: may no longer send as billing@example.com",)),
        (user(), user(enabled=False), ("disabled: may no longer send as billing@example.com",)),
        (user(), user(expires="2026-05-01"), ("expired: may no longer send as billing@example.com",)),
        (user(enabled=False), None, ()),
        (user("*@example.com"), user("hr@example.com"),
         ("may no longer send as *@example.com (still as hr@example.com)",)),
        (user("a@example.com", "b@example.com"), user("a@example.com"), ("may no longer send as b@example.com",)),
        (user(), user(allowed_source_ips=["203.0.113.7"]), ("may send from 203.0.113.7/32 only",)),
        (user(allowed_source_ips=["203.0.113.0/24"]), user(allowed_source_ips=["203.0.113.7"]),
         ("may no longer send from 203.0.113.0/24 (still from 203.0.113.7/32)",)),
        (user(allowed_source_ips=["203.0.113.0/24", "192.0.2.0/24"]), user(allowed_source_ips=["203.0.113.0/24"]),
         ("may no longer send from 192.0.2.0/24",)),
        (user(), user(expires="2027-06-30"), ("expires after 2027-06-30",)),
        (user(expires="2028-06-30"), user(expires="2027-06-30"),
         ("may send until 2027-06-30 only (before: until 2028-06-30)",)),
    ],
)  # fmt: skip
def test_what_is_lost(old: User, new: User | None, loses: tuple[str, ...]) -> None:
    found = change(old, new)
    assert (found.gains, found.loses, found.widens) == ((), loses, False)


def test_a_wildcard_matches_any_text_as_in_iam() -> None:
    assert contains("alerts-*@example.com", "alerts-a@b@example.com")
    assert contains("alerts-*@example.com", "alerts-@example.com")
    assert not contains("alerts-*@example.com", "Alerts-x@example.com")
    assert not contains("*@example.com", "hr@news.example.com")
    assert intersect("a*@example.com", "ab*@example.com") == "ab*@example.com"
    assert intersect("a*@example.com", "b*@example.com") == ""


def test_an_example_of_a_wildcard_is_an_address_that_is_not_covered() -> None:
    assert example_outside("*@example.com", ["h*@example.com", "*@news.example.com"]) == "ceo@example.com"
    every = [f"{first}*@example.com" for first in "abcdefghijklmnopqrstuvwxyz0123456789"]
    assert example_outside("a*@example.com", ["a" + each for each in every]) == "a@example.com"
    assert example_outside("a*@example.com", ["a@example.com", *("a" + each for each in every)]) == "a?@example.com"
    assert example_outside("a.*@example.com", ["a." + each for each in every]) == "a.?@example.com"
    longest = "a" * 64
    assert example_outside(f"{longest}*@example.com", ()) == f"{longest}@example.com"


def test_an_example_of_networks_is_an_address_for_documentation_where_there_is_one() -> None:
    assert example_in(ranges(())) == "192.0.2.1"
    assert example_in(ranges(("8.8.8.0/24",))) == "8.8.8.1"
    assert example_in(ranges(("8.8.8.8/32",))) == "8.8.8.8"

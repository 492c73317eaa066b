"""Every pair of permissions against brute force: the set of attempts that each allows, compared one by one.

PAIRS=1000000 compares more pairs.
"""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import combinations, product
from typing import Any

from reconciler.core.policy import build
from reconciler.core.user import User, make_user
from reconciler.planning.address_sets import intersect
from reconciler.planning.evaluation import SendAttempt, evaluate, like
from reconciler.planning.permission import permission_of
from reconciler.planning.permission_change import compare, find_widening
from support.world import SENDING

PAIRS = int(os.environ.get("PAIRS", "100000"))
TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

# Local parts of up to three of two granted characters, one of another case, `@`, and one that no grant contains.
LOCALS = ["".join(text) for length in range(4) for text in product("abA@z", repeat=length)]
ADDRESSES = [f"{local}@{domain}" for local in LOCALS for domain in ("d.io", "a.d.io")]
PATTERNS = [
    f"{local}{star}@{domain}"
    for local in ("", "a", "b", "A", "aa", "ab", "Ab")
    for star in ("", "*")
    for domain in ("d.io", "a.d.io")
    if local or star
]
NETWORKS = ["203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25", "203.0.113.7/32", "203.0.113.192/26",
            "203.0.112.0/24", "2001:db8::/32", "2001:db8::/33", "2001:db8:8000::/33", "2001:db8::1/128"]  # fmt: skip
# Each boundary of a network from both sides, and what is in none.
SOURCES = ["203.0.111.255", "203.0.112.0", "203.0.112.255", "203.0.113.0", "203.0.113.6", "203.0.113.7",
           "203.0.113.8", "203.0.113.127", "203.0.113.128", "203.0.113.191", "203.0.113.192", "203.0.113.255",
           "203.0.114.0", "192.0.2.1", "2001:db7:ffff::1", "2001:db8::", "2001:db8::1", "2001:db8::2",
           "2001:db8:7fff::1", "2001:db8:8000::", "2001:db8:ffff::1", "2001:db9::", "::1"]  # fmt: skip
EXPIRES = [None, *((TODAY + timedelta(days=days)).isoformat() for days in (-1, 0, 1, 2))]
TIMES = [NOW + timedelta(hours=hours) for hours in (0, 12, 36, 60, 24000)]


def some_users(count: int, randomly: random.Random) -> list[User]:
    return [
        make_user(
            {
                "name": "app",
                "allowed_from_addresses": randomly.sample(PATTERNS, randomly.choice((1, 1, 2, 3))),
                "allowed_source_ips": randomly.sample(NETWORKS, randomly.choice((0, 0, 1, 2, 3))),
                "expires": randomly.choice(EXPIRES),
                "enabled": randomly.random() > 0.1,
            }
        )
        for _ in range(count)
    ]


@cache
def bits_of(user: User) -> int:
    """One bit for each attempt that the user may make, by IAM's rules for the conditions of its policy."""
    if not user.enabled:
        return 0  # its access key is inactive
    condition = build(user, SENDING)["Statement"][0]["Condition"]
    addresses = address_bits(tuple(condition["StringLike"]["ses:FromAddress"]))
    bits = 0
    for at, (source, time) in enumerate(product(SOURCES, TIMES)):
        if restrictions_hold(tuple(user.allowed_source_ips), user.expires, source, time):
            bits |= addresses << at * len(ADDRESSES)
    return bits


@cache
def address_bits(patterns: tuple[str, ...]) -> int:
    return sum(1 << n for n, text in enumerate(ADDRESSES) if any(like(pattern, text) for pattern in patterns))


@cache
def restrictions_hold(networks: tuple[str, ...], expires: date | None, source: str, time: datetime) -> bool:
    fields: dict[str, Any] = {"allowed_source_ips": networks, "expires": expires.isoformat() if expires else None}
    user = make_user({"name": "app", "allowed_from_addresses": ["*@d.io"], **fields})
    return evaluate(build(user, SENDING), SendAttempt("a@d.io", time, source))


def allows(user: User, attempt: SendAttempt) -> bool:
    return user.enabled and evaluate(build(user, SENDING), attempt)


def test_a_permission_widens_exactly_if_brute_force_finds_an_attempt_that_was_refused_before() -> None:
    randomly = random.Random(1)  # noqa: S311 - the same pairs in every run
    users = [(permission_of(user, NOW), bits_of(user)) for user in some_users(1_000, randomly)]
    widened = 0
    for _ in range(PAIRS):
        (old, old_bits), (new, new_bits) = randomly.choice(users), randomly.choice(users)
        found = find_widening(old, new, NOW)
        assert (found is not None) == (new_bits & ~old_bits != 0), (old, new)
        widened += found is not None
    assert 0.2 < widened / PAIRS < 0.9


def test_a_change_names_a_gain_exactly_if_it_widens_and_a_loss_exactly_if_the_reverse_would_widen() -> None:
    randomly = random.Random(2)  # noqa: S311
    users = some_users(500, randomly)
    for _ in range(PAIRS // 10):
        old, new = randomly.choice(users), randomly.choice(users)
        change = compare(old, new, NOW)
        more, less = bits_of(new) & ~bits_of(old), bits_of(old) & ~bits_of(new)
        assert (change.widens, bool(change.gains), bool(change.loses)) == (bool(more), bool(more), bool(less))
        assert bool(change.example) == change.widens


def test_each_example_was_refused_before_and_is_allowed_now() -> None:
    randomly = random.Random(3)  # noqa: S311
    users = some_users(200, randomly)
    for _ in range(2_000):
        old, new = randomly.choice(users), randomly.choice(users)
        attempt = compare(old, new, NOW).attempt
        if attempt:
            assert allows(new, attempt)
            assert not allows(old, attempt)
            assert attempt.at >= NOW


def test_brute_force_is_the_evaluation_of_the_whole_policy() -> None:
    """The bits of a user, computed by parts, are those of its policy for every attempt."""
    for user in some_users(3, random.Random(4)):  # noqa: S311
        for at, (source, time) in enumerate(product(SOURCES, TIMES)):
            for n in range(0, len(ADDRESSES), 7):
                bit = bits_of(user) >> at * len(ADDRESSES) + n & 1
                assert bool(bit) == allows(user, SendAttempt(ADDRESSES[n], time, source))


def test_two_patterns_have_in_common_exactly_what_both_match() -> None:
    for one, other in combinations(PATTERNS, 2):
        common = intersect(one, other)
        both = address_bits((one,)) & address_bits((other,))
        assert (address_bits((common,)) if common else 0) == both

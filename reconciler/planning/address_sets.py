"""Sets of From addresses, as IAM's `StringLike` sees them: which are in one and not in another.

A pattern is an address, or ends its local part with `*` (`alerts-*@example.com`, `*@example.com`); `core.address`
refuses every other form. The sets are those of *all* strings, not of valid addresses only: IAM compares text, and
`*` matches any text, also `@`. As a domain holds no `@`, the last one of a string decides: `alerts-*@example.com` is
every string with `example.com` after its last `@` and `alerts-` at its beginning, and nothing else.

So a pattern is in a union of patterns exactly if it is in one of them: no finite number of longer prefixes or of
addresses contains all that follows a prefix, because `?` begins a valid local part and no grant can name it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from reconciler.core.address import MAX_LOCAL_PART

# Addresses that a reader recognizes, as examples of what a wildcard matches.
_LOCAL_PARTS = ("hr", "ceo", "finance", "security", "x", "y", "z", *"0123456789abcdefghijklmnopqrstuvw")
_NEVER_GRANTED = "?"  # valid at the end of a local part, and in no pattern


@lru_cache(maxsize=20_000)
def split_pattern(pattern: str) -> tuple[str, str, bool]:
    """The local part without its `*`, the domain, and whether it is a wildcard."""
    local, _, domain = pattern.rpartition("@")
    return local.removesuffix("*"), domain, local.endswith("*")


def contains(one: str, other: str) -> bool:
    """Does `one` match every address that `other` matches?"""
    local, domain, is_wildcard = split_pattern(one)
    other_local, other_domain, _ = split_pattern(other)
    if not is_wildcard:
        return one == other
    return domain == other_domain and other_local.startswith(local)


def is_covered(pattern: str, patterns: Iterable[str]) -> bool:
    """Does the union of `patterns` match every address that `pattern` matches?"""
    return any(contains(each, pattern) for each in patterns)


def intersect(one: str, other: str) -> str:
    """The pattern of what both match; empty if they match nothing in common."""
    if contains(one, other):
        return other
    return one if contains(other, one) else ""


def not_covered(patterns: Iterable[str], by: Iterable[str]) -> list[str]:
    by = [*by]
    return [pattern for pattern in patterns if not is_covered(pattern, by)]


def example_outside(pattern: str, patterns: Iterable[str]) -> str:
    """An address that `pattern` matches and `patterns` do not. They must not cover it."""
    local, domain, is_wildcard = split_pattern(pattern)
    if not is_wildcard:
        return pattern
    near = [each for each in patterns if intersect(each, pattern)]
    valid = (f"{text}@{domain}" for text in _continue(local) if len(text) <= MAX_LOCAL_PART)
    return next((found for found in valid if not is_covered(found, near)), f"{local}{_NEVER_GRANTED}@{domain}")


def _continue(prefix: str) -> Iterator[str]:
    for word in _LOCAL_PARTS:
        yield prefix + word
    if prefix and not prefix.endswith("."):
        yield prefix


class AddressIndex:
    """Which users may send as addresses of a pattern, without looking at every user."""

    def __init__(self, patterns_by_user: Iterable[tuple[str, Iterable[str]]]) -> None:
        self._users: dict[str, list[str]] = defaultdict(list)
        self._by_domain: dict[str, list[tuple[str, str]]] = defaultdict(list)  # sorted: (local part, pattern)
        for user, patterns in patterns_by_user:
            for pattern in patterns:
                self._users[pattern].append(user)
        for pattern in self._users:
            local, domain, _ = split_pattern(pattern)
            self._by_domain[domain].append((local, pattern))
        for found in self._by_domain.values():
            found.sort()

    def find(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Each user with the pattern of what it and `pattern` have in common. A user may occur several times."""
        local, domain, is_wildcard = split_pattern(pattern)
        for length in range(len(local) + 1):
            for user in self._users.get(f"{local[:length]}*@{domain}", ()):
                yield user, pattern
        if not is_wildcard:
            yield from ((user, pattern) for user in self._users.get(pattern, ()))
            return
        known = self._by_domain.get(domain, [])
        for own, narrower in known[bisect_left(known, (local, "")) :]:
            if not own.startswith(local):
                return
            if narrower != f"{local}*@{domain}":  # found above
                yield from ((user, narrower) for user in self._users[narrower])

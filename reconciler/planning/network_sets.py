"""Sets of source addresses: unions of IPv4 and IPv6 ranges. An empty list of networks is every address of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network

Range = tuple[int, int, int]  # version, first and last address

_EVERYTHING: tuple[Range, ...] = ((4, 0, 2**32 - 1), (6, 0, 2**128 - 1))
_ADDRESS: dict[int, type[IPv4Address] | type[IPv6Address]] = {4: IPv4Address, 6: IPv6Address}


@lru_cache(maxsize=5_000)
def _range(network: str) -> Range:
    parsed = ip_network(network)
    return parsed.version, int(parsed.network_address), int(parsed.broadcast_address)


# Examples of an address that anybody may have: https://www.rfc-editor.org/rfc/rfc5737
_EXAMPLES = tuple(_range(f"{text}/32") for text in ("192.0.2.1", "198.51.100.1", "203.0.113.1"))


@lru_cache(maxsize=5_000)
def ranges(networks: tuple[str, ...]) -> tuple[Range, ...]:
    """Sorted, without overlap, and neighbours joined: equal sets have equal ranges."""
    joined: list[Range] = []
    for version, first, last in sorted(map(_range, networks)) if networks else _EVERYTHING:
        if joined and joined[-1][0] == version and first <= joined[-1][2] + 1:
            joined[-1] = (version, joined[-1][1], max(last, joined[-1][2]))
        else:
            joined.append((version, first, last))
    return tuple(joined)


def subtract(one: Sequence[Range], other: Sequence[Range]) -> list[Range]:
    """What is in `one` and not in `other`, sorted."""
    return [part for version, first, last in one for part in _outside(version, first, last, other)]


def _outside(version: int, first: int, last: int, other: Sequence[Range]) -> Iterator[Range]:
    for other_version, other_first, other_last in other:
        if other_version != version or other_last < first or last < other_first:
            continue
        if first < other_first:
            yield version, first, other_first - 1
        first = other_last + 1
    if first <= last:
        yield version, first, last


def not_within(networks: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """Those of `networks` of which a part is not in the union of `others`."""
    known = ranges(others)
    return [network for network in networks if subtract((_range(network),), known)]


def overlapping(networks: Sequence[str], others: Sequence[str]) -> list[str]:
    """The parts of `networks` that are in `others` too. Of two networks that overlap, one contains the other."""
    pairs = ((one, other, _range(one), _range(other)) for one in networks for other in others)
    smaller = {
        one if mine[1] >= theirs[1] and mine[2] <= theirs[2] else other
        for one, other, mine, theirs in pairs
        if mine[0] == theirs[0] and mine[1] <= theirs[2] and theirs[1] <= mine[2]
    }
    return sorted(smaller)


def example_in(parts: Sequence[Range]) -> str:
    """One address of ranges that are not empty; one for documentation where there is one."""
    for version, example, _ in _EXAMPLES:
        if any(version == own and first <= example <= last for own, first, last in parts):
            return str(_ADDRESS[version](example))
    version, first, last = parts[0]
    return str(_ADDRESS[version](min(first + 1, last)))  # the first is the network's own address

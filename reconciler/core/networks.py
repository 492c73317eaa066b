"""Which networks are public.

IAM compares `aws:SourceIp` with the public address that a request comes from. A network that can never be such an
address would make a user `active` and refuse all its messages; networks that are every address restrict nothing.
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

Network = IPv4Network | IPv6Network

# What is never the source of a request over the internet. The documentation networks are left out, for examples.
_NOT_PUBLIC: dict[str, str] = {
    "0.0.0.0/8": "means this network",
    "10.0.0.0/8": "is private",
    "100.64.0.0/10": "is shared by customers of a provider",
    "127.0.0.0/8": "is the machine itself",
    "169.254.0.0/16": "is link-local",
    "172.16.0.0/12": "is private",
    "192.0.0.0/24": "is reserved",
    "192.88.99.0/24": "was for 6to4 relays",
    "192.168.0.0/16": "is private",
    "198.18.0.0/15": "is for benchmarks",
    "224.0.0.0/4": "is multicast",
    "240.0.0.0/4": "is reserved",
    "::/128": "is no address of a machine",
    "::1/128": "is the machine itself",
    "::ffff:0:0/96": "is IPv4 written as IPv6; IAM compares it as IPv4",
    "64:ff9b::/96": "is a translated IPv4 address; IAM compares it as IPv4",
    "64:ff9b:1::/48": "is a translated IPv4 address; IAM compares it as IPv4",
    "100::/64": "is discarded",
    "2001::/23": "is for protocols such as Teredo",
    "2002::/16": "is for 6to4",
    "5f00::/16": "is for segment routing",
    "fc00::/7": "is private",
    "fe80::/10": "is link-local",
    "fec0::/10": "is site-local",
    "ff00::/8": "is multicast",
    # Only 2000::/3 is assigned for public addresses.
    "::/3": "is not assigned",
    "4000::/2": "is not assigned",
    "8000::/1": "is not assigned",
}
_DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")


@dataclass(frozen=True, slots=True)
class _Range:
    """A network as numbers, which are compared many times faster."""

    version: int
    first: int
    last: int
    reason: str

    @classmethod
    def of(cls, network: Network, reason: str) -> _Range:
        return cls(network.version, int(network.network_address), int(network.broadcast_address), reason)


def _collapse(networks: Iterable[Network], version: int) -> tuple[Network, ...]:
    return tuple(collapse_addresses(network for network in networks if network.version == version))  # type: ignore[type-var]


_KNOWN = {ip_network(text): reason for text, reason in _NOT_PUBLIC.items()}
_REASONS = (
    *(_Range.of(network, reason) for network, reason in _KNOWN.items()),
    # What only several of them together contain.
    *(_Range.of(network, "is not assigned") for version in (4, 6) for network in _collapse(_KNOWN, version)),
)


@lru_cache
def _irrelevant(version: int) -> tuple[Network, ...]:
    return _collapse((*_KNOWN, *map(ip_network, _DOCUMENTATION)), version)


def why_not_public(network: Network) -> str:
    """What the network is; empty if a part of it is public."""
    own = _Range.of(network, "")
    for known in _REASONS:
        if own.version == known.version and known.first <= own.first and own.last <= known.last:
            return known.reason
    return ""


def allow_everything(networks: Iterable[Network]) -> int | None:
    """The IP version of which the networks together contain every public address."""
    given = [*networks]
    for version in sorted({network.version for network in given}):
        both = (*(network for network in given if network.version == version), *_irrelevant(version))
        may_be_all = sum(network.num_addresses for network in both) >= 2 ** both[0].max_prefixlen
        if may_be_all and _collapse(both, version)[0].prefixlen == 0:
            return version
    return None

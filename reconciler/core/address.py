"""Which From addresses and source networks may be granted, and why others may not.

The same rules apply to a manifest in CI and to a record that was created manually, because the address becomes a
`StringLike` pattern in an IAM policy, where `*` and `?` match anything and `${…}` is a variable:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from reconciler.core.networks import Network, allow_everything, why_not_public
from reconciler.core.text import clip, quote

_FORBIDDEN = re.compile(r"[?${}]|[^!-~]")
_ATOMS = re.compile(r"[A-Za-z0-9!#%&'+/=^_`|~-]+(\.[A-Za-z0-9!#%&'+/=^_`|~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
MAX_NETWORK = 64
_SUGGESTED_DOMAINS = 20  # a hint names no more


@dataclass(frozen=True, slots=True)
class Rules:
    """What an environment permits: exact domains (without subdomains), and whether `*` is allowed."""

    allowed_domains: frozenset[str]
    allow_wildcards: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is refused, and what is valid."""

    message: str
    hint: str


def normalize_address(address: str) -> str:
    """Domain in lower case; the local part unchanged, because IAM compares it case-sensitively."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def check_address(address: str, rules: Rules) -> Fault | None:
    """A From address of a grant."""
    if fault := _check_characters(address):
        return fault
    local, domain = normalize_address(address).split("@")
    shown = quote(address)
    return (
        _check_wildcard(shown, local, domain, rules)
        or _check_parts(shown, local, domain)
        or _check_allowed(shown, domain, rules)
    )


def check_mailbox(address: str) -> Fault | None:
    """The address of a person or a team: in any domain, without wildcards."""
    if fault := _check_characters(address):
        return fault
    local, domain = normalize_address(address).split("@")
    if "*" in local or "." not in domain:
        return Fault(f"'{quote(address)}' is not the address of a mailbox", _EXAMPLE)
    return _check_parts(quote(address), local, domain)


_EXAMPLE = "write local@domain, for example billing@example.com"


def _check_characters(address: str) -> Fault | None:
    if forbidden := _FORBIDDEN.search(address):
        return Fault(
            f"'{quote(address)}' contains {_spell(forbidden[0])}",
            "plain ASCII only, without spaces, '?', '$', '{' or '}': they have a meaning in IAM policies",
        )
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        return Fault(f"'{quote(address)}' is not an address", _EXAMPLE)
    return None


def _check_wildcard(shown: str, local: str, domain: str, rules: Rules) -> Fault | None:
    if "*" not in local:
        return None
    if local.count("*") > 1 or not local.endswith("*"):
        return Fault(
            f"'{shown}' has '*' in an invalid position",
            f"one '*', at the end of the local part: *@{clip(domain)} or alerts-*@{clip(domain)}",
        )
    if not rules.allow_wildcards:
        return Fault(f"'{shown}' is a wildcard", "this environment does not allow wildcards: list each address")
    return None


def _check_parts(shown: str, local: str, domain: str) -> Fault | None:
    if local.endswith("*"):
        local = local[:-1].removesuffix(".") if len(local) > 2 else local[:-1] or "x"
    if len(local) > MAX_LOCAL_PART or not _ATOMS.fullmatch(local):
        return Fault(f"'{shown}' has an invalid local part", f"letters, digits, . _ - +; up to {MAX_LOCAL_PART}")
    if "*" in domain:
        return Fault(f"'{shown}' has '*' in its domain", "'*' is allowed in the local part only: *@example.com")
    if not _is_domain(domain):
        return Fault(f"'{shown}' has an invalid domain", "for example billing@example.com")
    return None


@lru_cache(maxsize=1000)
def _is_domain(domain: str) -> bool:
    return len(domain) <= 253 and all(map(_LABEL.fullmatch, domain.split(".")))


def _check_allowed(shown: str, domain: str, rules: Rules) -> Fault | None:
    if domain in rules.allowed_domains:
        return None
    return Fault(
        f"'{shown}': the domain {clip(domain)} is not allowed here", _suggest_domain(domain, rules.allowed_domains)
    )


@lru_cache(maxsize=1000)
def _suggest_domain(domain: str, allowed: frozenset[str]) -> str:
    known = sorted(allowed)
    near = difflib.get_close_matches(domain, known[:100], 1, 0.7)
    more = f", and {len(known) - _SUGGESTED_DOMAINS} more" if len(known) > _SUGGESTED_DOMAINS else ""
    hint = f"allowed domains: {', '.join(known[:_SUGGESTED_DOMAINS]) or 'none'}{more}"
    return f"did you mean {near[0]}? {hint}" if near else hint


def _spell(character: str) -> str:
    return f"'{character}'" if "!" <= character <= "~" else f"the character U+{ord(character):04X}"


def normalize_network(text: str) -> str:
    """CIDR form: `203.0.113.7` becomes `203.0.113.7/32`. Raises ValueError as `ipaddress` does."""
    return str(_network(text))


@lru_cache(maxsize=1000)
def _network(text: str) -> Network:
    """Each is needed several times, and many users have the same."""
    return ipaddress.ip_network(text, strict=True)


def check_network(text: str) -> Fault | None:
    shown = quote(text)
    network = _parse_network(text, strict=True)
    if network is None:
        loose = _parse_network(text, strict=False)
        hint = f"did you mean {loose}?" if loose else "an address or a CIDR block, for example 203.0.113.0/24"
        return Fault(f"'{shown}' is not a network", hint)
    if "%" in text:
        return Fault(f"'{shown}' has a zone", "IAM does not support zones: remove '%' and what follows")
    if network.prefixlen == 0:
        return Fault(f"'{shown}' allows every address", "leave allowed_source_ips out to allow any source")
    if reason := why_not_public(network):
        return Fault(
            f"'{shown}' is not public: it {reason}",
            "aws:SourceIp holds public addresses only; through a VPC endpoint the key is absent",
        )
    return None


def check_networks(networks: Iterable[str]) -> Fault | None:
    """Valid networks that together restrict nothing."""
    version = allow_everything(map(_network, networks))
    if version is None:
        return None
    message = f"these networks together allow every IPv{version} address"
    return Fault(message, "leave allowed_source_ips out to allow any source")


def _parse_network(text: str, *, strict: bool) -> Network | None:
    try:
        if len(text) > MAX_NETWORK:
            return None
        return _network(text) if strict else ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None

"""Which From addresses and source networks may be granted, and why others may not.

The same rules apply to a manifest in CI and to a record that was created manually, because the address becomes a
`StringLike` pattern in an IAM policy, where `*` and `?` match anything and `${…}` is a variable:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass

_LOCAL = re.compile(r"[A-Za-z0-9!#%&'+/=^_`|~-]+(\.[A-Za-z0-9!#%&'+/=^_`|~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


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
    shown = ascii(address)[1:-1]
    if forbidden := next((c for c in address if c in "?${}" or not " " < c <= "~"), None):
        return Fault(
            f"'{shown}' contains {_spell(forbidden)}",
            "plain ASCII only, without spaces, '?', '$', '{' or '}': they have a meaning in IAM policies",
        )
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        return Fault(f"'{shown}' is not an address", "write local@domain, for example billing@example.com")
    local, domain = normalize_address(address).split("@")
    return _check_local(shown, local, domain, rules) or _check_domain(shown, domain, rules)


def _check_local(shown: str, local: str, domain: str, rules: Rules) -> Fault | None:
    if "*" in local:
        if local.count("*") > 1 or not local.endswith("*"):
            return Fault(
                f"'{shown}' has '*' in an invalid position",
                f"one '*', at the end of the local part: *@{domain} or alerts-*@{domain}",
            )
        if not rules.allow_wildcards:
            return Fault(f"'{shown}' is a wildcard", "this environment does not allow wildcards: list each address")
        local = local[:-1].removesuffix(".") if len(local) > 2 else local[:-1] or "x"
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        return Fault(f"'{shown}' has an invalid local part", "letters, digits, . _ - +; up to 64")
    return None


def _check_domain(shown: str, domain: str, rules: Rules) -> Fault | None:
    if "*" in domain:
        return Fault(f"'{shown}' has '*' in its domain", "'*' is allowed in the local part only: *@example.com")
    if len(domain) > 253 or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        return Fault(f"'{shown}' has an invalid domain", "for example billing@example.com")
    if domain not in rules.allowed_domains:
        allowed = sorted(rules.allowed_domains)
        near = difflib.get_close_matches(domain, allowed, 1, 0.7)
        hint = f"allowed domains: {', '.join(allowed) or 'none'}"
        return Fault(
            f"'{shown}': the domain {domain} is not allowed here",
            f"did you mean {near[0]}? {hint}" if near else hint,
        )
    return None


def _spell(character: str) -> str:
    return f"'{character}'" if "!" <= character <= "~" else f"the character U+{ord(character):04X}"


def normalize_network(text: str) -> str:
    """CIDR form: `203.0.113.7` becomes `203.0.113.7/32`. Raises ValueError as `ipaddress` does."""
    return str(ipaddress.ip_network(text, strict=True))


def check_network(text: str) -> Fault | None:
    try:
        network = ipaddress.ip_network(text, strict=True)
    except ValueError:
        loose = _loose_network(text)
        hint = f"did you mean {loose}?" if loose else "an address or a CIDR block, for example 203.0.113.0/24"
        return Fault(f"'{ascii(text)[1:-1]}' is not a network", hint)
    if "%" in text:
        return Fault(f"'{ascii(text)[1:-1]}' has a zone", "IAM does not support zones: remove '%' and what follows")
    if network.prefixlen == 0:
        return Fault(f"'{text}' allows every address", "leave allowed_source_ips out to allow any source")
    return None


def _loose_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return ""

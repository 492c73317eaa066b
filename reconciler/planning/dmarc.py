"""DMARC records (RFC 7489): how strict they are, what a subdomain inherits, how to change one without weakening it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.planning.dns_answers import Lookup, parents

POLICIES = ("none", "quarantine", "reject")
# Second-level domains under which anybody can register a name, such as co.uk. The list of them all changes weekly
# (publicsuffix.org); a suffix that is not recognised only means that its own policy is believed to be inherited.
SUFFIX = re.compile(r"(ac|co|com|edu|gob|gov|go|mil|ne|net|nom|or|org)\.[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Dmarc:
    """Tags in their order, names in lower case; the first is v."""

    tags: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return dict(self.tags).get(name, "")

    @property
    def problem(self) -> str:
        policy, names = self.get("p"), [name for name, _ in self.tags]
        if repeated := next((name for name in names if names.count(name) > 1), ""):
            return f"it has {repeated}= twice"
        if not policy:
            return "it has no p="
        if policy.lower() not in POLICIES:
            return f"p={policy} is no policy"
        if self.get("sp") and self.get("sp").lower() not in POLICIES:
            return f"sp={self.get('sp')} is no policy"
        return ""

    @property
    def strength(self) -> int:
        """Of the domain itself; of a repeated tag, the strictest."""
        return max(self._strength(value) for name, value in [*self.tags, ("p", "")] if name == "p")

    @property
    def subdomain_strength(self) -> int:
        """Of subdomains without a record."""
        given = [value for name, value in self.tags if name == "sp" and value.lower() in POLICIES]
        return max(map(self._strength, given), default=self.strength)

    def _strength(self, policy: str) -> int:
        percent = self.get("pct")
        return strength(policy, min(int(percent), 100) if re.fullmatch("[0-9]{1,9}", percent) else 100)

    @property
    def addresses(self) -> list[str]:
        """Email addresses that receive aggregate reports."""
        targets = (part.strip() for part in self.get("rua").split(","))
        return [part[7:].partition("!")[0] for part in targets if part.lower().startswith("mailto:")]

    def __str__(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.tags)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the domains above say. `domain`: the organisational domain. `record`: its own, if it has one.

    `floor`: the strictest of all domains above, whichever of them a receiver takes for the organisational one.
    """

    domain: str
    record: Dmarc | None
    floor: int
    strict: frozenset[str]  # alignment tags that one of them sets to `s`
    known: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """Settings: policies of the domain and of its subdomains, and where reports go ('' for nowhere)."""

    policy: str
    subdomain_policy: str
    address: str


def strength(policy: str, percent: int = 100) -> int:
    """0 to 200. What `pct` leaves out gets the next weaker policy (RFC 7489, 6.6.4)."""
    rank = POLICIES.index(policy.lower()) if policy.lower() in POLICIES else 0
    return 100 * (rank - 1) + percent if rank else 0


def policy_of(least: int) -> str:
    """The weakest policy that is at least as strict."""
    return POLICIES[-(-least // 100)]


def parse(value: str) -> Dmarc | None:
    """None for a TXT record that no receiver takes for DMARC."""
    if not re.match(r"v\s*=\s*DMARC1\s*(;|$)", value):
        return None
    parts = (part.partition("=") for part in value.split(";") if part.strip())
    return Dmarc(tuple((name.strip().lower(), text.strip()) for name, _, text in parts))


def parse_all(values: Iterable[str]) -> list[Dmarc]:
    return [found for found in map(parse, values) if found]


def organisation(domain: str) -> str:
    """The organisational domain."""
    return next((above for above in [*reversed(parents(domain))] if not SUFFIX.fullmatch(above)), domain)


def inherited(domain: str, lookup: Lookup) -> Inherited:
    above = {parent: lookup(f"_dmarc.{parent}", "TXT") for parent in parents(domain)}
    # Several records mean the same as none. One without a valid policy is not relied on, but may count somewhere.
    single = {parent: records[0] for parent, answer in above.items() if len(records := parse_all(answer.values)) == 1}
    found = {parent: record for parent, record in single.items() if record.get("p").lower() in POLICIES}
    top = organisation(domain)
    return Inherited(
        domain=top,
        record=found.get(top) if top != domain else None,
        floor=max((record.subdomain_strength for record in single.values()), default=0),
        strict=frozenset(
            tag
            for parent, record in found.items()
            for tag in ("adkim", "aspf")
            if record.get(tag).lower() == "s" and not SUFFIX.fullmatch(parent)
        ),
        known=all(answer.known for answer in above.values()),
    )


def merge(records: Sequence[Dmarc], above: Inherited, wish: Wish) -> Dmarc:
    """The record to publish, at least as strict as the wish and everything that is published."""
    kept = max(records, key=lambda record: (record.strength, record.subdomain_strength), default=None)
    wanted = max(strength(wish.policy), above.floor, *(record.strength for record in records), 0)
    wanted_below = max(
        strength(wish.subdomain_policy), above.floor, *(record.subdomain_strength for record in records), 0
    )
    tags = dict(kept.tags) if kept else {"v": "DMARC1", **dict.fromkeys(sorted(above.strict), "s")}
    for tag in ("adkim", "aspf"):
        if tags.get(tag, "").lower() != "s" and any(record.get(tag).lower() == "s" for record in records):
            tags[tag] = "s"
    if kept is None or kept.problem or wanted > kept.strength or wanted_below > kept.subdomain_strength:
        for tag in ("p", "sp", "pct", "t"):
            tags.pop(tag, None)
        policy, below = policy_of(wanted), policy_of(wanted_below)
        tags = {"v": "DMARC1", "p": policy, **({"sp": below} if below != policy else {}), **tags}
    merged = Dmarc(tuple(tags.items()))
    return with_address(merged, wish.address) if wish.address else merged


def with_address(record: Dmarc, address: str) -> Dmarc:
    if address.lower() in map(str.lower, record.addresses):
        return record
    tags = dict(record.tags)
    tags["rua"] = ", ".join(filter(None, [tags.get("rua", ""), f"mailto:{address}"]))
    return Dmarc(tuple(tags.items()))

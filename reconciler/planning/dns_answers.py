"""What resolvers answer, and the result of checking one record against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    FOUND = "found"
    NO_NAME = "the name does not exist"
    NO_RECORD = "the name has no record of this type"
    FAILED = "the name servers of the domain failed"
    SILENT = "the resolver did not answer"
    NOT_QUERIED = "not queried"


@dataclass(frozen=True, slots=True)
class Answer:
    """`values`: as text without the final dot; the strings of a TXT record are joined, one character per byte.

    `alias`: what the name is a CNAME of, empty if it is none.
    """

    outcome: Outcome
    values: tuple[str, ...] = ()
    alias: str = ""

    @property
    def known(self) -> bool:
        """Do the values say what is published?"""
        return self.outcome in (Outcome.FOUND, Outcome.NO_NAME, Outcome.NO_RECORD)

    @property
    def absence(self) -> str:
        """Why there are no values."""
        if self.outcome is Outcome.NO_NAME and self.alias:
            return f"nothing: it is a CNAME of {self.alias}, which does not exist"
        return f"nothing: {self.outcome}" if self.known else f"unknown: {self.outcome}"


Lookup = Callable[[str, str], Answer]  # (name, record type)


class Verdict(StrEnum):
    OK = "ok"
    ACCEPTABLE = "acceptable"  # it differs from what is wanted, and works
    OPTIONAL = "optional"
    UNKNOWN = "unknown"  # it could not be read
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One record, or one attribute in SES.

    `region`: empty for what does not depend on it. `type`: CNAME, MX, TXT, SES or HTTPS. `found`: what is published, or
    why nothing is. `fix`: how to get from found to wanted; for an acceptable record, a remark. `publish`: the value for
    the zone, empty where nothing may be published.
    """

    domain: str
    region: str
    kind: str
    type: str
    name: str
    wanted: str
    found: tuple[str, ...]
    verdict: Verdict
    fix: str = ""
    publish: str = ""

    @property
    def failed(self) -> bool:
        return self.verdict in (Verdict.MISSING, Verdict.WRONG)


def parents(domain: str) -> list[str]:
    """The domains above, the nearest first, without the top-level domain."""
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(1, len(labels) - 1)]


def doubled_name(name: str, kind: str, value: str, domain: str, lookup: Lookup) -> str:
    """Where the value is published if the zone was appended to a name that already contained it; '' if it is not."""
    names = (f"{name}.{zone}" for zone in (domain, *parents(domain)))
    return next((found for found in names if value in lookup(found, kind).values), "")


def without_zone(name: str, doubled: str) -> str:
    return f"{doubled} has this record: the zone was appended twice. Enter {name} with a final dot, or without the zone"

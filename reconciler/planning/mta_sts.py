"""MTA-STS (RFC 8461) and TLS-RPT (RFC 8460), for mail that a domain receives. They do not affect what SES sends."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MODES = ("none", "testing", "enforce")
MAX_AGE = 604800  # seconds: a week


@dataclass(frozen=True, slots=True)
class Fetched:
    """The policy file of a domain, or why there is none. `known`: false if it could not be found out."""

    text: str = ""
    problem: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    mode: str
    hosts: tuple[str, ...]


def policy_text(mode: str, hosts: Iterable[str]) -> str:
    return "\n".join(["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), f"max_age: {MAX_AGE}", ""])


def policy_id(text: str) -> str:
    """Senders fetch the policy again when its id changes, so it is derived from the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def parse_policy(text: str) -> Policy | str:
    """Or what is wrong with it."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in text.splitlines())]
    fields = dict(pairs)
    if fields.get("version") != "STSv1":
        return "its version is not STSv1"
    if fields.get("mode") not in MODES:
        return "its mode is not none, testing or enforce"
    if not re.fullmatch("[0-9]{1,10}", fields.get("max_age", "")):
        return "its max_age is no number"
    hosts = tuple(value.lower() for name, value in pairs if name == "mx")
    if not hosts and fields["mode"] != "none":
        return "it names no mx"
    return Policy(fields["mode"], hosts)


def uncovered(hosts: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Hosts that no pattern of a policy matches. `*.` stands for one label."""
    covered = {*patterns}
    return [host for host in hosts if not covered & {host, f"*.{host.partition('.')[2]}"}]


def tag_problem(value: str, version: str) -> str:
    """What is wrong with a TXT record of MTA-STS (STSv1) or TLS-RPT (TLSRPTv1); '' if it is valid."""
    if not re.match(rf"v={version}\s*(;|$)", value):
        return f"it does not begin with v={version};"
    tags = {name.strip(): text.strip() for name, _, text in (part.partition("=") for part in value.split(";"))}
    if version == "STSv1":
        return (
            "" if re.fullmatch("[A-Za-z0-9]{1,32}", tags.get("id", "")) else "its id is not 1 to 32 letters and digits"
        )
    targets = [target.strip().lower() for target in tags.get("rua", "").split(",")]
    return (
        "" if all(target.startswith(("mailto:", "https:")) for target in targets) else "its rua is no mailto: or https:"
    )

"""The IAM policy of a grant: build it and measure it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reconciler.core.arn import ses_arn
from reconciler.core.user import User, spec_hash

POLICY_NAME = "smtp-send"
SEND = "ses:SendRawEmail"  # the only action that SMTP uses
# All inline policies of one IAM user together, without white space:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
QUOTA = 2048
BOUNDARY_QUOTA = 6144  # of a managed policy

Document = dict[str, Any]
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Sending:
    """How an environment sends: the account, the SES regions and the configuration set."""

    account_id: str
    regions: tuple[str, ...]
    configuration_set: str

    def resources(self) -> list[str]:
        """Any identity, and the configuration set: SES authorizes both, so another configuration set is denied."""
        return [*_resources(self)]


@lru_cache
def _resources(sending: Sending) -> tuple[str, ...]:
    return tuple(
        ses_arn(region, sending.account_id, resource)
        for region in sending.regions
        for resource in ("identity/*", f"configuration-set/{sending.configuration_set}")
    )


def build(user: User, sending: Sending) -> Document:
    """Allow sending as the granted addresses only; source networks and expiry are compiled in."""
    condition: dict[str, dict[str, Any]] = {
        "StringLike": {"ses:FromAddress": list(user.allowed_from_addresses)},
    }
    if user.allowed_source_ips:
        condition["IpAddress"] = {"aws:SourceIp": list(user.allowed_source_ips)}
    if end := user.expires_at():
        condition["DateLessThan"] = {"aws:CurrentTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return _allow(SEND, sending.resources(), condition)


def grant_hash(user: User, sending: Sending) -> str:
    """16 hex digits over everything that defines a grant: the declaration and the environment's settings."""
    return hashlib.sha256(f"{spec_hash(user)} {sending.resources()}".encode()).hexdigest()[:16]


def boundary(sending: Sending, domains: Iterable[str]) -> Document:
    """The permissions boundary: whatever is attached to an SMTP user, it may only send, as these domains.

    terraform/modules/pipeline/boundary.tf builds the same document.
    """
    senders = [f"*@{domain}" for domain in sorted(domains)]
    document = _allow(SEND, sending.resources(), {"StringLike": {"ses:FromAddress": senders}})
    return {**document, "Statement": [{"Sid": "Send", **document["Statement"][0]}]}


def _allow(action: str, resources: list[str], condition: dict[str, dict[str, Any]]) -> Document:
    statement = {"Effect": "Allow", "Action": action, "Resource": resources, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def to_json(document: Document) -> str:
    return _JSON.encode(document)


def document_hash(document: Document) -> str:
    """32 hex digits: whoever writes grants must not find two documents with the same hash."""
    return hashlib.sha256(to_json(document).encode()).hexdigest()[:32]


def measure(document: Document) -> int:
    """Characters as IAM counts them against QUOTA. JSON escapes any white space but spaces."""
    text = to_json(document)
    return len(text) - text.count(" ")


def advise_split(user: User, sending: Sending) -> str:
    """How to reduce a policy that is too large."""
    base = measure(build(_with_addresses(user, ()), sending))
    room = QUOTA - base
    fits = 0
    for address in user.allowed_from_addresses:
        room -= len(address) + 3
        if room < -1:
            break
        fits += 1
    if fits == 0:
        return "its allowed_source_ips fill the policy: combine networks, or split the user"
    return (
        f"the first {fits} of its {len(user.allowed_from_addresses)} addresses would fit: "
        f"split it into several users, or use a wildcard where the environment permits one"
    )


def _with_addresses(user: User, addresses: tuple[str, ...]) -> User:
    return User(
        name=user.name,
        allowed_from_addresses=addresses,
        expires=user.expires,
        allowed_source_ips=user.allowed_source_ips,
    )

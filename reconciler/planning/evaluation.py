"""Evaluate the policy of a grant as IAM does."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.core.policy import SEND, Document


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """One attempt to send, as IAM evaluates it."""

    from_address: str
    at: datetime
    source_ip: str = "192.0.2.1"
    resource: str = ""
    action: str = SEND


def evaluate(document: Document, attempt: SendAttempt) -> bool:
    """Does the document allow the attempt? Evaluates what `build` can produce; everything else is denied."""
    return any(_statement_allows(statement, attempt) for statement in document["Statement"])


def _statement_allows(statement: dict[str, Any], attempt: SendAttempt) -> bool:
    if statement["Effect"] != "Allow" or attempt.action != statement["Action"]:
        return False
    if attempt.resource and not any(like(p, attempt.resource) for p in statement["Resource"]):
        return False
    return all(
        _condition_holds(operator, key, value, attempt)
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    )


def _condition_holds(operator: str, key: str, value: Any, attempt: SendAttempt) -> bool:
    match operator, key:
        case "StringLike", "ses:FromAddress":
            return any(like(pattern, attempt.from_address) for pattern in value)
        case "IpAddress", "aws:SourceIp":
            source = ipaddress.ip_address(attempt.source_ip)
            return any(source in ipaddress.ip_network(network) for network in value)
        case "DateLessThan", "aws:CurrentTime":
            return attempt.at < datetime.fromisoformat(value)
        case _:
            return False


def like(pattern: str, text: str) -> bool:
    """IAM's StringLike: case-sensitive; `*` matches any text, `?` any one character."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None

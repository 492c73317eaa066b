"""May a user send as an address? Evaluates the policy documents, and names what decides."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from reconciler.core.arn import ses_arn
from reconciler.core.decision import Attachment, Identity
from reconciler.core.policy import SEND, Document, Sending, boundary, build
from reconciler.core.record import Record
from reconciler.core.user import User
from reconciler.planning.evaluation import SendAttempt, evaluate, like

ANY_SOURCE = "192.0.2.1"  # for a policy without a condition on the source


class Reason(StrEnum):
    ALLOWED = "allowed"
    UNKNOWN = "unknown"  # IAM has something that is not evaluated here
    NOT_DEPLOYED = "not_deployed"  # no IAM user of this system
    REVOKED = "revoked"
    NO_KEY = "no_active_key"
    DISABLED = "disabled"
    ADDRESS = "address"
    NETWORK = "network"
    EXPIRED = "expired"
    BOUNDARY = "boundary"
    POLICY = "policy"  # the policy in IAM


@dataclass(frozen=True, slots=True)
class Question:
    """`source_ip`: empty if any source counts."""

    from_address: str
    at: datetime
    source_ip: str = ""


@dataclass(frozen=True, slots=True)
class Decider:
    """The field of an entry that decides, and the value in its list."""

    field: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text`: the reason in words. `conditions`: what else must hold, where it was not part of the question."""

    reason: Reason
    text: str
    deciders: tuple[Decider, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.ALLOWED

    @property
    def is_unknown(self) -> bool:
        return self.reason is Reason.UNKNOWN


@dataclass(frozen=True, slots=True)
class Answer:
    """`places`: the lines that decide, as (file, line, field, value), if a manifest declares the user."""

    environment: str
    name: str
    verdict: Verdict
    places: tuple[tuple[str, int, str, str], ...] = ()


def judge(user: User, sending: Sending, domains: Iterable[str], question: Question) -> Verdict:
    """As the manifest declares it: its policy and the permissions boundary, which IAM evaluates together."""
    if not user.enabled:
        return Verdict(Reason.DISABLED, f"{user.name} is disabled: its access key is inactive", (Decider("enabled"),))
    attempt = _attempt(user, question)
    allowed = is_allowed((build(user, sending), boundary(sending, domains)), sending, attempt)
    return _allowed(user, question) if allowed else _refused(user, question, domains)


def _attempt(user: User, question: Question) -> SendAttempt:
    """Where no source was asked for, one that the user may send from."""
    networks = user.allowed_source_ips
    own = str(ipaddress.ip_network(networks[0]).network_address) if networks else ANY_SOURCE
    return SendAttempt(question.from_address, question.at, question.source_ip or own)


def is_allowed(documents: Iterable[Document], sending: Sending, attempt: SendAttempt) -> bool:
    """In one of the SMTP regions: SES authorizes the identity and the configuration set."""
    documents = [*documents]
    domain = attempt.from_address.rpartition("@")[2]
    return any(
        all(
            evaluate(document, replace(attempt, resource=ses_arn(region, sending.account_id, resource)))
            for document in documents
            for resource in (f"identity/{domain}", f"configuration-set/{sending.configuration_set}")
        )
        for region in sending.regions
    )


def _allowed(user: User, question: Question) -> Verdict:
    matching = _matching(user, question)
    deciders = [Decider("allowed_from_addresses", pattern) for pattern in matching]
    conditions = []
    if user.allowed_source_ips and question.source_ip:
        deciders += [Decider("allowed_source_ips", network) for network in _networks_of(user, question)]
    elif user.allowed_source_ips:
        conditions.append(f"from {', '.join(user.allowed_source_ips)} only")
    if user.expires:
        conditions.append(f"until {user.expires}")
    return Verdict(Reason.ALLOWED, f"{', '.join(matching)} matches", tuple(deciders), tuple(conditions))


def _matching(user: User, question: Question) -> list[str]:
    return [pattern for pattern in user.allowed_from_addresses if like(pattern, question.from_address)]


def _networks_of(user: User, question: Question) -> list[str]:
    source = ipaddress.ip_address(question.source_ip)
    return [network for network in user.allowed_source_ips if source in ipaddress.ip_network(network)]


def _refused(user: User, question: Question, domains: Iterable[str]) -> Verdict:
    if not _matching(user, question):
        return _no_address(user, question)
    if question.source_ip and user.allowed_source_ips and not _networks_of(user, question):
        text = f"{question.source_ip} is in none of the networks of {user.name}: {', '.join(user.allowed_source_ips)}"
        return Verdict(Reason.NETWORK, text, (Decider("allowed_source_ips"),))
    if user.expires and not user.may_send(question.at):
        text = f"{user.name} expires: its last day is {user.expires}"
        return Verdict(Reason.EXPIRED, text, (Decider("expires"),))
    return Verdict(Reason.BOUNDARY, f"the permissions boundary allows only the domains {', '.join(sorted(domains))}")


def _no_address(user: User, question: Question) -> Verdict:
    text = f"no address of {user.name} matches {question.from_address}"
    wanted = question.from_address.lower()
    for pattern in user.allowed_from_addresses:
        if like(pattern.lower(), wanted):
            text += f"; nearest: {pattern}, case differs"
            return Verdict(Reason.ADDRESS, text, (Decider("allowed_from_addresses", pattern),))
    if near := get_close_matches(question.from_address, user.allowed_from_addresses, 1, 0.8):
        return Verdict(Reason.ADDRESS, f"{text}; nearest: {near[0]}", (Decider("allowed_from_addresses", near[0]),))
    return Verdict(Reason.ADDRESS, text, (Decider("allowed_from_addresses"),))


def judge_deployed(
    name: str, record: Record | None, identity: Identity | None, sending: Sending, domains: Iterable[str],
    question: Question,
) -> Verdict:  # fmt: skip
    """As it is deployed: the policy that IAM has, the keys, and the record. The boundary is the declared one."""
    if identity is None or not identity.owned:
        return Verdict(Reason.NOT_DEPLOYED, f"{name} has no IAM user of this system")
    if not any(key.active for key in identity.keys):
        if record and record.revoked:
            who = record.revoked.actor or "an unknown actor"
            return Verdict(Reason.REVOKED, f"{name} was revoked by {who}: {record.revoked.reason or 'no reason given'}")
        return Verdict(Reason.NO_KEY, f"{name} has no active access key")
    if doubts := [*_doubts(identity)]:
        return Verdict(Reason.UNKNOWN, f"{name}: {'; '.join(doubts)}; see `reconcile drift`")
    user = record.user if record else None
    if user and identity.policy == build(user, sending):
        found = judge(replace(user, enabled=True), sending, domains, question)
        return replace(found, text=f"{found.text} (deployed)")
    source = question.source_ip or ANY_SOURCE
    attempt = SendAttempt(question.from_address, question.at, source)
    documents = (identity.policy or {"Statement": []}, boundary(sending, domains))
    if is_allowed(documents, sending, attempt):
        return Verdict(Reason.ALLOWED, "the policy in IAM matches; it is not the one of the record")
    return Verdict(Reason.POLICY, "the policy in IAM does not match; it is not the one of the record")


def may_matter(identity: Identity, question: Question) -> bool:
    """Could this policy allow the address, or must the user be read for an answer? Before its keys are read."""
    if not identity.owned or is_in_doubt(identity):
        return identity.owned
    statements = identity.policy["Statement"] if identity.policy else []
    patterns = [each for one in statements for each in one["Condition"]["StringLike"]["ses:FromAddress"]]
    return any(like(pattern, question.from_address) for pattern in patterns)


def is_in_doubt(identity: Identity) -> bool:
    return any(True for _ in _doubts(identity))


def _doubts(identity: Identity) -> Iterable[str]:
    """What `evaluate` does not cover."""
    if identity.needs_repair:
        yield "its tags or its permissions boundary were changed"
    if added := [*filter(_grants, identity.attachments)]:
        yield f"{', '.join(map(str, added))} was added"
    if identity.policy is not None and not is_evaluable(identity.policy):
        yield "its policy was changed to one that is not evaluated here"


def _grants(attachment: Attachment) -> bool:
    return not attachment.is_quarantine


_CONDITIONS = {"StringLike": "ses:FromAddress", "IpAddress": "aws:SourceIp", "DateLessThan": "aws:CurrentTime"}


def is_evaluable(document: Any) -> bool:
    """Has it the form that `build` produces? Values may differ."""
    statements = document.get("Statement")
    return isinstance(statements, list) and all(map(_is_evaluable_statement, statements))


def _is_evaluable_statement(statement: Any) -> bool:
    if not isinstance(statement, dict) or statement.keys() - {"Sid"} != {"Effect", "Action", "Resource", "Condition"}:
        return False
    condition = statement["Condition"]
    if statement["Effect"] != "Allow" or statement["Action"] != SEND or not _is_texts(statement["Resource"]):
        return False
    if not isinstance(condition, dict) or "StringLike" not in condition or not condition.keys() <= _CONDITIONS.keys():
        return False
    return all(
        isinstance(keys, dict) and keys.keys() == {_CONDITIONS[operator]} and _is_value(operator, *keys.values())
        for operator, keys in condition.items()
    )


def _is_value(operator: str, value: Any) -> bool:
    try:
        if operator == "DateLessThan":
            return datetime.fromisoformat(value).tzinfo is not None
        return _is_texts(value) and (operator != "IpAddress" or all(map(ipaddress.ip_network, value)))
    except (TypeError, ValueError):
        return False


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and "${" not in each for each in value)

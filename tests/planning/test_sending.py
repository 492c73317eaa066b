"""Who may send as an address: the reason, and the field that decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.policy import boundary, build
from reconciler.core.record import Record, Revocation
from reconciler.core.user import User
from reconciler.planning.evaluation import SendAttempt, evaluate
from reconciler.planning.sending import (
    Answer,
    Decider,
    Question,
    Reason,
    Verdict,
    is_allowed,
    is_evaluable,
    judge,
    judge_deployed,
    may_matter,
)
from support.generated import users
from support.world import SENDING, a_user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DOMAINS = ("example.com", "news.example.com")
ADDRESSES, NETWORKS = "allowed_from_addresses", "allowed_source_ips"


def ask(user: User, address: str = "billing@example.com", ip: str = "", domains: Any = DOMAINS) -> Verdict:
    return judge(user, SENDING, domains, Question(address, NOW, ip))


@pytest.mark.parametrize(
    ("user", "question", "reason", "decider", "words"),
    [
        (a_user(), {}, Reason.ALLOWED, Decider(ADDRESSES, "billing@example.com"), "billing@example.com matches"),
        (a_user("crm", "*@example.com"), {}, Reason.ALLOWED, Decider(ADDRESSES, "*@example.com"), "*@example.com matc"),
        (a_user(enabled=False), {}, Reason.DISABLED, Decider("enabled"), "its access key is inactive"),
        (a_user(expires="2026-05-31"), {}, Reason.EXPIRED, Decider("expires"), "its last day is 2026-05-31"),
        (
            a_user(allowed_source_ips=["203.0.113.0/24"]), {"ip": "198.51.100.1"}, Reason.NETWORK, Decider(NETWORKS),
            "198.51.100.1 is in none of the networks of billing-mailer: 203.0.113.0/24",
        ),
        (
            a_user("crm", "Billing@example.com"), {}, Reason.ADDRESS, Decider(ADDRESSES, "Billing@example.com"),
            "no address of crm matches billing@example.com; nearest: Billing@example.com, case differs",
        ),
        (
            a_user("crm", "billings@example.com"), {}, Reason.ADDRESS, Decider(ADDRESSES, "billings@example.com"),
            "nearest: billings@example.com",
        ),
        (a_user("crm", "xyz@news.example.com"), {}, Reason.ADDRESS, Decider(ADDRESSES), "no address of crm matches"),
        (
            a_user(), {"domains": ["example.net"]}, Reason.BOUNDARY, None,
            "the permissions boundary allows only the domains example.net",
        ),
    ],
)  # fmt: skip
def test_the_reason_and_what_decides(
    user: User, question: dict[str, Any], reason: Reason, decider: Decider | None, words: str
) -> None:
    found = ask(user, **question)
    assert found.reason is reason
    assert found.deciders == ((decider,) if decider else ())
    assert words in found.text
    assert found.allowed is (reason is Reason.ALLOWED)


def test_what_was_not_asked_is_a_condition() -> None:
    user = a_user(allowed_source_ips=["203.0.113.0/24", "198.51.100.0/24"], expires="2026-12-31")
    assert ask(user).conditions == ("from 198.51.100.0/24, 203.0.113.0/24 only", "until 2026-12-31")
    found = ask(user, ip="203.0.113.9")
    assert found.conditions == ("until 2026-12-31",)
    assert found.deciders[1:] == (Decider(NETWORKS, "203.0.113.0/24"),)


ASKED = st.sampled_from(
    ["billing@example.com", "Billing@example.com", "alerts-1@example.com", "a@news.example.com", "x@example.net", "*@"]
)
SOURCES = st.sampled_from(["", "203.0.113.9", "198.51.100.1", "192.0.2.1", "2001:db8::1"])
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(users(), st.one_of(ASKED, st.none()), SOURCES, TIMES)
def test_the_verdict_is_that_of_the_documents(user: User, asked: str | None, source: str, at: datetime) -> None:
    """With a source, exactly; without one, there is a source for which it is."""
    address = asked or user.allowed_from_addresses[0].replace("*", "x")
    found = judge(user, SENDING, DOMAINS, Question(address, at, source))
    documents = (build(user, SENDING), boundary(SENDING, DOMAINS))
    own = [network.partition("/")[0] for network in user.allowed_source_ips] or ["192.0.2.1"]
    attempts = [SendAttempt(address, at, one) for one in ([source] if source else own)]
    expected = user.enabled and any(all(evaluate(document, attempt) for document in documents) for attempt in attempts)
    assert found.allowed is expected


OWNED = Identity(owned=True, keys=(Key("AKIA1", True),), policy=build(a_user(), SENDING), audited=True)
RECORD = Record(name="billing-mailer", user=a_user(enabled=False))
OTHER = build(a_user("crm", "crm@example.com"), SENDING)
INLINE = Attachment(AttachmentKind.INLINE_POLICY, "by-hand")
QUARANTINE = Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")


@pytest.mark.parametrize(
    ("record", "identity", "reason", "words"),
    [
        (RECORD, None, Reason.NOT_DEPLOYED, "has no IAM user"),
        (RECORD, Identity(owned=False), Reason.NOT_DEPLOYED, "has no IAM user of this system"),
        (RECORD, replace(OWNED, keys=(Key("AKIA1", False),)), Reason.NO_KEY, "has no active access key"),
        (
            replace(RECORD, revoked=Revocation("ann", "leaked", "")), replace(OWNED, keys=()), Reason.REVOKED,
            "was revoked by ann: leaked",
        ),
        (
            replace(RECORD, revoked=Revocation("", "", "")), replace(OWNED, keys=()), Reason.REVOKED,
            "was revoked by an unknown actor: no reason given",
        ),
        (RECORD, replace(OWNED, needs_repair=True), Reason.UNKNOWN, "permissions boundary were changed"),
        (RECORD, replace(OWNED, attachments=(INLINE,)), Reason.UNKNOWN, "inline policy by-hand was added"),
        (RECORD, replace(OWNED, policy={"Statement": "x"}), Reason.UNKNOWN, "not evaluated here"),
        (RECORD, replace(OWNED, attachments=(QUARANTINE,)), Reason.ALLOWED, "matches (deployed)"),
        (RECORD, OWNED, Reason.ALLOWED, "billing@example.com matches (deployed)"),
        (None, OWNED, Reason.ALLOWED, "the policy in IAM matches; it is not the one of the record"),
        (RECORD, replace(OWNED, policy=OTHER), Reason.POLICY, "the policy in IAM does not match"),
        (RECORD, replace(OWNED, policy=None), Reason.POLICY, "the policy in IAM does not match"),
    ],
)  # fmt: skip
def test_what_is_deployed_counts(record: Record | None, identity: Identity | None, reason: Reason, words: str) -> None:
    """The record says disabled; but a key that is active sends."""
    question = Question("billing@example.com", NOW)
    found = judge_deployed("billing-mailer", record, identity, SENDING, DOMAINS, question)
    assert (found.reason, found.is_unknown) == (reason, reason is Reason.UNKNOWN)
    assert words in found.text
    assert Answer("test", "crm", found).places == ()


def test_whose_keys_are_read() -> None:
    question = Question("billing@example.com", NOW)
    assert may_matter(OWNED, question)
    assert may_matter(replace(OWNED, policy={}), question)
    assert may_matter(replace(OWNED, attachments=(INLINE,)), question)
    assert not may_matter(Identity(owned=False), question)
    assert not may_matter(replace(OWNED, policy=OTHER), question)
    assert not may_matter(replace(OWNED, policy=None), question)


def changed(**changes: Any) -> dict[str, Any]:
    (statement,) = build(a_user(allowed_source_ips=["203.0.113.0/24"], expires="2026-12-31"), SENDING)["Statement"]
    return {"Statement": [{**statement, **changes}]}


FROM = {"StringLike": {"ses:FromAddress": ["a@example.com"]}}


@pytest.mark.parametrize(
    "document",
    [
        changed(Effect="Deny"),
        changed(Action=["ses:SendRawEmail"]),
        changed(Resource="*"),
        changed(Condition=[]),
        changed(Condition={}),
        changed(Condition={"StringLike": {"ses:FromAddress": "a@example.com"}}),
        changed(Condition={"StringLike": {"ses:FromAddress": ["${aws:username}@example.com"]}}),
        changed(Condition={"StringLike": {"ses:Recipients": ["a@example.com"]}}),
        changed(Condition={**FROM, "Bool": {"aws:SecureTransport": "true"}}),
        changed(Condition={**FROM, "IpAddress": {"aws:SourceIp": ["nowhere"]}}),
        changed(Condition={**FROM, "DateLessThan": {"aws:CurrentTime": "2026-12-31"}}),
        changed(Condition={**FROM, "DateLessThan": {"aws:CurrentTime": 7}}),
        changed(Condition={**FROM, "DateLessThan": "x"}),
        changed(NotAction="x"),
        {"Statement": ["x"]},
        {},
    ],
)
def test_a_policy_of_another_form_is_not_evaluated(document: dict[str, Any]) -> None:
    assert is_evaluable(changed())
    assert not is_evaluable(document)


def test_another_configuration_set_is_not_allowed() -> None:
    attempt = SendAttempt("billing@example.com", NOW)
    assert is_allowed([build(a_user(), SENDING)], SENDING, attempt)
    assert not is_allowed([build(a_user(), SENDING)], replace(SENDING, configuration_set="other"), attempt)

"""`reconcile explain` and an independent IAM evaluator agree on random users and attempts to send."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from reconciler.core.arn import iam_arn, ses_arn
from reconciler.core.policy import SEND, boundary, build
from reconciler.core.user import User
from reconciler.planning.sending import Question, judge
from support.world import ACCOUNT, REGION, SENDING, a_user
from terraform.judging import Case, Judge, Principal, Request

pytestmark = pytest.mark.sandbox
SAMPLE = 150
DOMAINS = ("example.com", "news.example.com")
ADDRESSES = (
    "a@example.com", "A@example.com", "*@example.com", "alerts-*@example.com", "a@news.example.com",
    "alerts-*@news.example.com",
)  # fmt: skip
ASKED = (*ADDRESSES[:2], "alerts-1@example.com", "a@news.example.com", "x@evil-example.com", "a@example.net")
NETWORKS = ("203.0.113.0/24", "203.0.113.128/25", "2001:db8::/32")
SOURCES = ("203.0.113.1", "203.0.113.200", "198.51.100.1", "2001:db8::1")


def some_user(chance: random.Random) -> User:
    fields = {
        "allowed_source_ips": chance.sample(NETWORKS, chance.randrange(3)),
        **({"expires": f"2026-0{chance.randrange(5, 8)}-15"} if chance.random() < 0.5 else {}),
    }
    return a_user("crm", *chance.sample(ADDRESSES, chance.randrange(1, 3)), **fields)


def cases(user: User, question: Question) -> list[Case]:
    """SES authorizes the identity and the configuration set."""
    arn = iam_arn(REGION, ACCOUNT, "user/smtp/test/smtp-test-crm")
    principal = Principal(arn, (build(user, SENDING),), boundary(SENDING, DOMAINS))
    context = {
        "ses:FromAddress": question.from_address,
        "aws:SourceIp": question.source_ip,
        "aws:CurrentTime": question.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    resources = (f"identity/{question.from_address.rpartition('@')[2]}", "configuration-set/smtp-test")
    return [Case(principal, Request(SEND, ses_arn(REGION, ACCOUNT, resource), context)) for resource in resources]


def test_they_agree(judge: Judge) -> None:
    chance = random.Random(12)  # noqa: S311
    asked = []
    for _ in range(SAMPLE):
        at = datetime(2026, chance.randrange(5, 9), chance.randrange(14, 18), tzinfo=UTC)
        asked.append((some_user(chance), Question(chance.choice(ASKED), at, chance.choice(SOURCES))))
    answers = judge.allowed(case for user, question in asked for case in cases(user, question))
    allowed = [one and other for one, other in zip(answers[::2], answers[1::2], strict=True)]
    assert [judged(user, question) for user, question in asked] == allowed
    assert 0.1 < sum(allowed) / SAMPLE < 0.9


def judged(user: User, question: Question) -> bool:
    return judge(user, SENDING, DOMAINS, question).allowed

"""Examples of `reconcile diff`, judged by an independent IAM evaluator."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from reconciler.core.policy import SEND, build
from reconciler.core.user import User, make_user
from reconciler.planning.evaluation import SendAttempt
from reconciler.planning.permission_change import compare
from support.world import ACCOUNT, REGION, SENDING
from terraform.judging import Case, Judge, Principal, Request

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATTERNS = ["hr@example.com", "*@example.com", "h*@example.com", "hr-*@example.com", "HR@example.com",
            "*@news.example.com", "hr@news.example.com"]  # fmt: skip
NETWORKS = ["203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25", "198.51.100.7", "2001:db8::/32", "2001:db8:1::/48"]
EXPIRES = [None, None, "2026-06-01", "2026-07-01", "2027-06-30"]
ADDRESSES = ["hr@example.com", "hr-x@example.com", "h@example.com", "a@b@example.com", "hr@news.example.com"]
SOURCES = ["203.0.113.1", "203.0.113.200", "198.51.100.7", "192.0.2.1", "2001:db8:1::1", "2001:db8::1", "2001:db9::1"]


def a_user(randomly: random.Random) -> User:
    fields: dict[str, Any] = {
        "name": "app",
        "allowed_from_addresses": randomly.sample(PATTERNS, randomly.choice((1, 2))),
        "allowed_source_ips": randomly.sample(NETWORKS, randomly.choice((0, 0, 1, 2))),
        "expires": randomly.choice(EXPIRES),
    }
    return make_user(fields)


def case(user: User, attempt: SendAttempt) -> Case:
    principal = Principal(f"arn:aws:iam::{ACCOUNT}:user/smtp/test/smtp-test-app", (build(user, SENDING),))
    context = {
        "ses:FromAddress": attempt.from_address,
        "aws:SourceIp": attempt.source_ip,
        "aws:CurrentTime": attempt.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Case(principal, Request(SEND, f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com", context))


def test_an_example_was_refused_before_and_is_allowed_now(judge: Judge) -> None:
    randomly = random.Random(7)  # noqa: S311
    cases = []
    for _ in range(300):
        old, new = a_user(randomly), a_user(randomly)
        if attempt := compare(old, new, NOW).attempt:
            cases += [case(old, attempt), case(new, attempt)]
    assert len(cases) > 200
    assert judge.allowed(cases) == [False, True] * (len(cases) // 2)


def test_nothing_is_allowed_that_was_refused_where_no_permission_widens(judge: Judge) -> None:
    randomly = random.Random(8)  # noqa: S311
    cases, expected = [], []
    for _ in range(200):
        old, new = a_user(randomly), a_user(randomly)
        attempt = SendAttempt(randomly.choice(ADDRESSES), NOW, randomly.choice(SOURCES))
        cases += [case(old, attempt), case(new, attempt)]
        expected.append(compare(old, new, NOW).widens)
    verdicts = judge.allowed(cases)
    for old_allowed, new_allowed, widens in zip(verdicts[::2], verdicts[1::2], expected, strict=True):
        assert widens or old_allowed or not new_allowed

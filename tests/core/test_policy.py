from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.policy import (
    QUOTA,
    Sending,
    advise_split,
    boundary,
    build,
    grant_hash,
    measure,
    to_json,
)
from reconciler.planning.evaluation import SendAttempt, evaluate, like
from support.world import SENDING, START, a_user

IDENTITY = "arn:aws:ses:eu-central-1:123456789012:identity/example.com"
OWN_SET = "arn:aws:ses:eu-central-1:123456789012:configuration-set/smtp-test"


def request(address: str = "billing@example.com", **changes: Any) -> SendAttempt:
    return replace(SendAttempt(address, START), **changes)


def test_the_granted_address_may_send_and_no_other() -> None:
    document = build(a_user(), SENDING)
    assert evaluate(document, request())
    for other in ("crm@example.com", "Billing@example.com", "billing@example.com.evil.example", "xbilling@example.com"):
        assert not evaluate(document, request(other))


def test_a_wildcard_covers_its_domain_and_no_sub_domain() -> None:
    document = build(a_user("app", "alerts-*@example.com"), SENDING)
    assert evaluate(document, request("alerts-disk@example.com"))
    assert evaluate(document, request("alerts-@example.com"))
    assert not evaluate(document, request("alerts@example.com"))
    assert not evaluate(document, request("alerts-disk@news.example.com"))


def test_source_networks_confine_whence_it_may_be_sent() -> None:
    document = build(a_user(allowed_source_ips=["203.0.113.0/24", "2001:db8::/32"]), SENDING)
    assert evaluate(document, request(source_ip="203.0.113.255"))
    assert evaluate(document, request(source_ip="2001:db8::1"))
    assert not evaluate(document, request(source_ip="203.0.114.0"))
    assert not evaluate(document, request(source_ip="2001:db9::1"))


def test_sending_ends_at_midnight_utc_after_the_last_day() -> None:
    document = build(a_user(expires="2027-06-30"), SENDING)
    end = datetime(2027, 7, 1, tzinfo=UTC)
    assert evaluate(document, request(at=end - timedelta(seconds=1)))
    assert not evaluate(document, request(at=end))


def test_nothing_but_sending_is_allowed_and_only_through_our_configuration_set() -> None:
    for document in (build(a_user(), SENDING), boundary(SENDING, ["example.com"])):
        assert evaluate(document, request(resource=IDENTITY))
        assert evaluate(document, request(resource=OWN_SET))
        assert not evaluate(document, request(resource=OWN_SET.replace("smtp-test", "other")))
        assert not evaluate(document, request(resource=IDENTITY.replace("eu-central-1", "eu-west-1")))
        assert not evaluate(document, request(action="ses:SendEmail"))


def test_the_boundary_allows_every_sender_of_the_domains_and_no_other() -> None:
    limit = boundary(SENDING, ["example.net", "example.com"])
    assert evaluate(limit, request("anybody@example.net"))
    assert not evaluate(limit, request("anybody@example.org"))
    assert not evaluate(limit, request("anybody@mail.example.com"))
    assert evaluate(boundary(SENDING, ["example.com"]), request("anybody@example.com"))


def test_what_the_evaluator_does_not_know_is_refused() -> None:
    statement = {"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": ["*"]}
    unknown = {**statement, "Condition": {"StringEquals": {"ses:FromDisplayName": "Billing"}}}
    assert not evaluate({"Statement": [unknown]}, request())
    assert not evaluate({"Statement": [{**statement, "Effect": "Deny"}]}, request())


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_resources_are_of_the_partition_of_their_region(region: str, partition: str) -> None:
    assert all(arn.startswith(f"arn:{partition}:ses:{region}:") for arn in Sending("1", (region,), "s").resources())


def test_every_sending_region_is_covered() -> None:
    sending = replace(SENDING, regions=("eu-central-1", "eu-west-1"))
    document = build(a_user(), sending)
    assert evaluate(document, request(resource=IDENTITY))
    assert evaluate(document, request(resource=IDENTITY.replace("eu-central-1", "eu-west-1")))


def test_the_same_grant_is_the_same_document_whatever_the_order_of_writing() -> None:
    one = a_user("app", "a@example.com", "b@example.com", description="one")
    other = a_user("app", "b@example.com", "a@example.com", description="other")
    assert to_json(build(one, SENDING)) == to_json(build(other, SENDING))


@pytest.mark.parametrize(
    "change",
    [
        {"configuration_set": "smtp-other"},
        {"regions": ("eu-central-1", "eu-west-1")},
        {"regions": ("eu-west-1",)},
        {"account_id": "444455556666"},
    ],
    ids=str,
)
def test_every_setting_that_a_policy_is_made_from_counts_in_the_hash_of_the_grant(change: dict[str, Any]) -> None:
    moved = replace(SENDING, **change)
    assert build(a_user(), moved) != build(a_user(), SENDING)
    assert grant_hash(a_user(), moved) != grant_hash(a_user(), SENDING)


def test_everything_that_is_declared_counts_in_the_hash_of_the_grant() -> None:
    users = (
        a_user(),
        a_user(enabled=False),
        a_user(credential=2),
        a_user(description="x"),
        a_user(expires="2027-01-01"),
    )
    assert len({grant_hash(user, SENDING) for user in users}) == len(users)
    assert re.fullmatch("[0-9a-f]{16}", grant_hash(a_user(), SENDING))


def test_the_size_is_counted_as_iam_counts() -> None:
    document = build(a_user(expires="2027-06-30", allowed_source_ips=["203.0.113.7"]), SENDING)
    assert measure(document) == len(re.sub(r"\s", "", json.dumps(document, indent=4)))


def test_advice_on_a_large_policy_names_exactly_as_many_addresses_as_fit() -> None:
    addresses = [f"sender-{n:03}@example.com" for n in range(100)]
    user = a_user("app", *addresses)
    assert measure(build(user, SENDING)) > QUOTA
    found = re.match(r"the first (\d+) of its 100 addresses would fit", advise_split(user, SENDING))
    assert found
    fits = int(found[1])
    assert measure(build(a_user("app", *addresses[:fits]), SENDING)) <= QUOTA
    assert measure(build(a_user("app", *addresses[: fits + 1]), SENDING)) > QUOTA


@pytest.mark.parametrize("length", range(1, 33))
def test_advice_is_right_to_the_character(length: int) -> None:
    """Around the quota there is a length for which the last address just fits, and one for which it does not."""
    addresses = [*(f"sender-{n:02}@example.com" for n in range(73)), f"z{'z' * length}@example.com"]
    user = a_user("app", *addresses)
    fits = 74 if measure(build(user, SENDING)) <= QUOTA else 73
    assert advise_split(user, SENDING).startswith(f"the first {fits} of its 74 addresses")


def test_advice_names_the_networks_when_it_is_they_that_do_not_fit() -> None:
    networks = [f"203.0.113.{n}" for n in range(120)]
    advice = advise_split(a_user(allowed_source_ips=networks), SENDING)
    assert "the first 0 of its 1 addresses" not in advice
    assert "allowed_source_ips" in advice or "network" in advice


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a@example.com", "a@exampleXcom", False),
        ("*@example.com", "any.thing@example.com", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*", "two\nlines", True),
        ("A", "a", False),
    ],
)
def test_patterns_match_as_iam_matches(pattern: str, text: str, matches: bool) -> None:
    assert like(pattern, text) is matches

"""`reconcile who-can-send-as` and `reconcile explain`: offline by default, with the line that decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.aws.iam import IamIdentities
from reconciler.output.sending import SCOPE
from support.runs import Checkout, an_entry
from support.world import World

USERS = (
    an_entry("crm", "crm@example.com", "shared@example.com"),
    an_entry("news", "*@example.com", allowed_source_ips=["203.0.113.0/24"], expires="2099-12-31"),
    an_entry("off", "shared@example.com", enabled=False),
)


@pytest.fixture
def declared(checkout: Checkout) -> Checkout:
    checkout.declare(*USERS)
    return checkout


def answers(checkout: Checkout, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(checkout.run(*words, "--format", "json").out)["answers"]
    return found


def test_everyone_who_may_with_the_line(declared: Checkout) -> None:
    outcome = declared.run("who-can-send-as", "shared@Example.com")
    assert (outcome.code, outcome.calls) == (0, [])
    assert "2 users may send as shared@example.com" in outcome.out
    assert "team.yaml:7: allowed_from_addresses shared@example.com" in outcome.out
    assert "from 203.0.113.0/24 only" in outcome.out
    assert SCOPE in outcome.out
    assert "note: evaluated with the domain in lower case" in outcome.err
    assert [one["name"] for one in answers(declared, "who-can-send-as", "x@example.com")] == ["news"]
    assert answers(declared, "who-can-send-as", "x@example.com", "--ip", "192.0.2.1") == []
    assert answers(declared, "who-can-send-as", "x@example.com", "--at", "2100-01-01") == []
    assert declared.run("who-can-send-as", "x@example.net").code == 0


@pytest.mark.parametrize(
    ("name", "words", "code", "shown"),
    [
        ("crm", ["crm@example.com"], 0, "crm of test may send as crm@example.com"),
        ("crm", ["Crm@example.com"], 2, "nearest: crm@example.com, case differs"),
        ("off", ["shared@example.com"], 2, "off is disabled: its access key is inactive"),
        ("news", ["a@example.com", "--ip", "198.51.100.1"], 2, "is in none of the networks of news"),
        ("news", ["a@example.com", "--ip", "203.0.113.1"], 0, "allowed_source_ips 203.0.113.0/24"),
        ("news", ["a@example.com", "--at", "2100-01-01"], 2, "its last day is 2099-12-31"),
    ],
)
def test_why_with_an_exit_code(declared: Checkout, name: str, words: list[str], code: int, shown: str) -> None:
    outcome = declared.run("explain", name, "--from", *words)
    assert (outcome.code, outcome.calls) == (code, [])
    assert shown in outcome.out
    assert "team.yaml:" in outcome.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "cmr", "--from", "crm@example.com"], "did you mean 'crm'?"),
        (["explain", "crm", "--from", "crm"], "'crm' is not an address"),
        (["who-can-send-as", "crm@example.com", "--ip", "x"], "'x' is not an IP address"),
        (["who-can-send-as", "crm@example.com", "--at", "x"], "'x' is not a time"),
        (["who-can-send-as", "\x1b[31m@x"], "is not an address"),
    ],
)
def test_what_cannot_be_asked(declared: Checkout, words: list[str], message: str) -> None:
    outcome = declared.run(*words)
    assert outcome.code == 1
    assert message in outcome.err
    assert "\x1b" not in outcome.err


def test_what_is_deployed(world: World, declared: Checkout) -> None:
    declared.reconcile(world)
    found = answers(declared, "who-can-send-as", "shared@example.com", "--deployed")
    assert [(one["name"], one["reason"]) for one in found] == [("crm", "allowed"), ("news", "allowed")]
    declared.declare(USERS[1], USERS[2])  # not applied yet
    assert declared.run("explain", "crm", "--from", "crm@example.com", "--deployed").code == 0
    (key,) = world.access_keys("crm")
    world.iam.update_access_key(UserName="smtp-test-crm", AccessKeyId=key, Status="Inactive")
    outcome = declared.run("explain", "crm", "--from", "crm@example.com", "--deployed")
    assert outcome.code == 2
    assert "crm has no active access key" in outcome.out
    world.iam.put_user_policy(
        UserName="smtp-test-news",
        PolicyName="by-hand",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        ),
    )
    outcome = declared.run("explain", "news", "--from", "x@news.example.com", "--deployed")
    assert outcome.code == 1
    assert "inline policy by-hand was added; see `reconcile drift`" in outcome.out
    found = answers(declared, "who-can-send-as", "x@news.example.com", "--deployed")
    assert [(one["name"], one["allowed"]) for one in found] == [("news", None)]
    assert declared.run("explain", "nobody", "--from", "x@example.com", "--deployed").code == 2


def test_a_user_that_the_list_of_all_users_shows_incompletely_is_read_again(
    world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of the sandbox contains no permissions boundaries."""
    declared.reconcile(world)
    read = IamIdentities.details
    monkeypatch.setattr(
        IamIdentities,
        "details",
        lambda self: ({field: one[field] for field in one if field != "PermissionsBoundary"} for one in read(self)),
    )
    found = answers(declared, "who-can-send-as", "crm@example.com", "--deployed")
    assert [(one["name"], one["reason"]) for one in found] == [("crm", "allowed"), ("news", "allowed")]

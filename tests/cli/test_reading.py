"""`status` and `credentials`: what an administrator sees."""

from __future__ import annotations

import json
import shlex

import pytest

import aws_rules
from reconciler.core.smtp import smtp_password
from support.runs import Checkout, an_entry
from support.world import REGION, World


@pytest.fixture
def ready(world: World, checkout: Checkout) -> Checkout:
    """`credentials` refers to the key by its alias."""
    key = world.kms.list_keys()["Keys"][0]["KeyId"]
    world.kms.create_alias(AliasName="alias/smtp-credentials-test", TargetKeyId=key)
    checkout.declare(an_entry("crm"), an_entry("wiki", enabled=False))
    checkout.reconcile(world)
    return checkout


def test_status_shows_every_user_on_a_line(world: World, ready: Checkout) -> None:
    world.put_row("bad", status="pending", allowed_from_addresses=["bad@example.net"])
    world.converge("bad")
    outcome = ready.run("status")
    lines = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert "active" in lines["crm"]
    assert "crm@example.com" in lines["crm"]
    assert "no key" in lines["wiki"]
    assert "InvalidRecord: 'bad@example.net': the domain example.net is not allowed here" in lines["bad"]
    assert outcome.code == 0
    assert outcome.calls == ["GetCallerIdentity", "Query", "GetAccount"]  # one SMTP region


@pytest.mark.parametrize("command", [["status"], ["credentials", "crm"]])
def test_nothing_is_read_from_another_account(ready: Checkout, command: list[str]) -> None:
    ready.configure(account_id="999988887777")
    outcome = ready.run(*command)
    assert outcome.code == 1
    assert "credentials are for account 123456789012" in outcome.err
    assert outcome.calls == ["GetCallerIdentity"]


def test_status_of_one_user_as_json(world: World, ready: Checkout) -> None:
    shown = json.loads(ready.run("status", "crm", "--format", "json").out)
    assert [user["name"] for user in shown] == ["crm"]
    assert shown[0]["status"] == "active"
    assert shown[0]["allowed_from_addresses"] == ["crm@example.com"]
    assert "encrypted" not in json.dumps(shown)


def test_the_credential_that_is_read_is_the_one_that_was_derived(world: World, ready: Checkout) -> None:
    shown = json.loads(ready.run("credentials", "crm", "--format", "json").out)
    (key,) = world.access_keys("crm")
    assert shown == {
        "host": "email-smtp.eu-central-1.amazonaws.com",
        "starttls_ports": [587, 2587],
        "tls_ports": [465, 2465],
        "username": key,
        "password": smtp_password(aws_rules.secrets_seen[key], REGION),
    }


def test_credentials_as_environment_variables_can_be_sourced(world: World, ready: Checkout) -> None:
    out = ready.run("credentials", "crm", "--format", "env").out
    values = dict(word.split("=", 1) for word in shlex.split(out))
    assert values["SMTP_PORT"] == "587"
    assert len(values["SMTP_PASSWORD"]) == 44


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "no SMTP user 'nobody' in test"),
        (["wiki"], "'wiki' has no credential yet; it is disabled"),
        (["crm", "--region", "us-east-1"], "test does not send through us-east-1"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(ready: Checkout, arguments: list[str], words: str) -> None:
    outcome = ready.run("credentials", *arguments)
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.out == ""


def test_a_disabled_users_credential_comes_with_a_note(world: World, ready: Checkout) -> None:
    ready.declare(an_entry("crm", enabled=False), an_entry("wiki", enabled=False))
    ready.reconcile(world)
    outcome = ready.run("credentials", "crm")
    assert outcome.code == 0
    assert "'crm' is disabled" in outcome.err
    assert "password" in outcome.out


def test_a_ciphertext_put_into_another_row_cannot_be_read_there(world: World, ready: Checkout) -> None:
    row = world.row("crm")
    assert row
    taken = {k: row[k] for k in ("status", "smtp_username", "encrypted_credentials", "allowed_from_addresses")}
    world.put_row("thief", **taken)
    outcome = ready.run("credentials", "thief")
    assert outcome.code == 1
    assert "kms:Decrypt: InvalidCiphertext" in outcome.err
    assert outcome.out == ""

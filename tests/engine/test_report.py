"""`reconcile report`: from the account to the three files, with few calls and without a secret."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws import key_uses
from reconciler.engine import audit
from support.key_uses import USED, answering
from support.runs import Checkout, Outcome, an_entry
from support.world import World


@pytest.fixture(autouse=True)
def _real_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.now = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(audit, "SECOND_READ", 0)


def report(checkout: Checkout, *options: str, name: str = "review.html") -> Outcome:
    return checkout.run("report", "--out", str(checkout.root / name), *options)


def content(checkout: Checkout, name: str = "review.json") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((checkout.root / name).read_text())
    return loaded


def users(checkout: Checkout) -> dict[str, dict[str, Any]]:
    return {user["name"]: user for user in content(checkout)["users"]}


def kinds(user: dict[str, Any]) -> list[str]:
    return [finding["kind"] for finding in user["findings"]]


def test_every_user_with_permission_source_and_findings(world: World, checkout: Checkout) -> None:
    entries = [
        an_entry("crm", "*@example.com", expires="2030-01-01"),
        an_entry("wiki", enabled=False, allowed_source_ips=["203.0.113.0/24"]),
    ]
    checkout.declare(*entries)
    checkout.reconcile(world)
    world.put_row("batch", status="active", allowed_from_addresses=["batch@example.com"], managed_by="console")
    world.iam.create_user(UserName="admin", Path="/smtp/test/")
    checkout.declare(*entries, an_entry("new"))
    outcome = report(checkout)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "5 users, 5 with findings"
    assert lines[1:3] == [
        "not checked: Console passwords and other ways to sign in: reconcile drift --thorough reads them.",
        "not checked: Owners: the repository has no CODEOWNERS file.",
    ]
    found = content(checkout)
    assert lines[-1] == f"digest: {found['digest']}"
    made = users(checkout)
    assert {name: (user["state"], kinds(user)) for name, user in made.items()} == {
        "admin": ("unrecognized", ["unmanaged"]),
        "batch": ("active", ["unmanaged", "iam_user_missing", "no_owner", "no_expiry"]),
        "crm": ("active", ["wildcard"]),
        "new": ("not applied", ["record_missing", "no_expiry"]),
        "wiki": ("disabled", ["no_expiry"]),
    }
    assert (made["crm"]["last_use"], made["wiki"]["last_use"]) == ("never", "no key")
    assert made["crm"]["source"]["manifest"] == "users/test/team.yaml"
    assert made["crm"]["source"]["line"] == 2
    assert made["wiki"]["networks"] == ["203.0.113.0/24"]
    assert (found["account_id"], found["environment"], found["previous"]) == ("123456789012", "test", None)
    rows = [*csv.DictReader((checkout.root / "review.csv").read_text("utf-8-sig").splitlines())]
    assert [row["name"] for row in rows] == [*made]
    assert {path.name for path in checkout.root.iterdir()} == {
        "reconcile.yaml", "users", "review.html", "review.csv", "review.json",
    }  # fmt: skip


def test_it_writes_nothing_in_aws_and_asks_once_per_key(world: World, checkout: Checkout) -> None:
    checkout.declare(*(an_entry(f"user-{n}") for n in range(8)))
    checkout.reconcile(world)
    base = {"GetCallerIdentity": 1, "Query": 1, "GetAccountAuthorizationDetails": 1, "ListAccessKeys": 8}
    assert Counter(report(checkout).calls) == {**base, USED: 8}
    outcome = report(checkout, "--no-last-use")
    assert Counter(outcome.calls) == base
    assert "not checked: The last use of access keys was not read (--no-last-use)." in outcome.out
    assert {user["last_use"] for user in users(checkout).values()} == {"unknown"}


def test_no_secret_is_in_any_file(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    report(checkout)
    row = world.row("crm")
    assert row
    sealed = bytes(row["encrypted_credentials"])
    key = str(row["smtp_username"])
    for path in checkout.root.glob("review.*"):
        data = path.read_bytes()
        assert sealed not in data
        assert b"encrypted" not in data
        assert (key.encode() in data) == (path.suffix != ".html")


def test_when_a_key_was_used(world: World, checkout: Checkout) -> None:
    checkout.declare(*(an_entry(name, expires="2030-01-01") for name in ("recent", "long-ago", "never", "failing")))
    checkout.reconcile(world)
    created = (datetime.now(UTC) - timedelta(days=200)).isoformat()
    ids = {}
    for record in world.store.records():
        ids[record.smtp_username] = record.name
        world.dynamodb.update_item(
            TableName="smtp-users-test",
            Key={"PK": {"S": "SMTP_USER"}, "SK": {"S": f"USER#{record.name}"}},
            UpdateExpression="SET key_created_at = :at",
            ExpressionAttributeValues={":at": {"S": created}},
        )
    ago = {
        name: {"LastUsedDate": datetime.now(UTC) - timedelta(days=age)}
        for name, age in (("recent", 3), ("long-ago", 120))
    }
    answers = {**ago, "never": {"ServiceName": "N/A", "Region": "N/A"}, "failing": "ServiceFailure"}
    with answering(lambda key_id: answers[ids[key_id]]):
        outcome = report(checkout)
    assert (
        "not checked: The last use of 1 access key is unknown: iam:GetAccessKeyLastUsed: ServiceFailure" in outcome.out
    )
    assert {name: (user["last_use"], kinds(user)) for name, user in users(checkout).items()} == {
        "failing": ("unknown", []),
        "long-ago": ("used", ["unused"]),
        "never": ("never", ["unused"]),
        "recent": ("used", []),
    }


def test_without_the_permission_it_ends_early(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_uses, "READERS", 1)
    checkout.limits["max_creates"] = 30
    checkout.declare(*(an_entry(f"user-{n}") for n in range(30)))
    checkout.reconcile(world)
    with answering(lambda _: "AccessDenied"):
        outcome = report(checkout)
    assert outcome.code == 0
    assert "The last use of 30 access keys is unknown: iam:GetAccessKeyLastUsed: AccessDenied" in outcome.out
    assert 1 <= outcome.calls.count(USED) < 30


def test_the_owners_of_the_repository(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm", expires="2030-01-01"))
    checkout.reconcile(world)
    (checkout.root / ".github").mkdir()
    file = checkout.root / ".github" / "CODEOWNERS"
    file.write_text("/users/ someone@example.com\n")
    assert "CODEOWNERS" not in report(checkout).out
    assert kinds(users(checkout)["crm"]) == ["owner_unknown"]
    file.write_text("/users/ team@example.com\n")
    report(checkout)
    assert kinds(users(checkout)["crm"]) == []
    file.unlink()
    file.symlink_to(checkout.root / "reconcile.yaml")
    outcome = report(checkout)
    assert "not checked: Owners: .github/CODEOWNERS: the file cannot be read: it is a link." in outcome.out
    assert kinds(users(checkout)["crm"]) == []


def test_the_commit_and_its_links(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        done = subprocess.run(
            ["git", *identity, "-C", str(checkout.root), *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    checkout.declare(an_entry("crm", expires="2030-01-01"))
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "users")
    git("remote", "add", "origin", "https://bot:ghs_token@github.com/example-org/smtp-users.git")
    monkeypatch.setenv("RECONCILE_PULL_REQUEST", "https://github.com/example-org/smtp-users/pull/7")
    monkeypatch.setenv("RECONCILE_APPROVER", "dana eve")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SHA", git("rev-parse", "HEAD"))
    checkout.reconcile(world)
    monkeypatch.delenv("GITHUB_ACTIONS")
    report(checkout)
    found = content(checkout)
    head = git("rev-parse", "HEAD")
    assert (found["commit"], found["repository"]) == (head, "https://github.com/example-org/smtp-users")
    source = users(checkout)["crm"]["source"]
    assert (source["commit"], source["approver"]) == (head, "dana eve")
    page = (checkout.root / "review.html").read_text()
    assert f'href="https://github.com/example-org/smtp-users/blob/{head}/users/test/team.yaml#L2"' in page
    assert 'href="https://github.com/example-org/smtp-users/pull/7"' in page
    assert not any(b"ghs_token" in path.read_bytes() for path in checkout.root.glob("review.*"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://ghe.example.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/users")
    report(checkout)
    assert content(checkout)["repository"] == "https://ghe.example.com/team/users"


def test_what_is_inconclusive_is_said(world: World, checkout: Checkout) -> None:
    world.now = datetime.now(UTC)
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    key = world.iam.list_access_keys(UserName="smtp-test-crm")["AccessKeyMetadata"][0]["AccessKeyId"]
    world.iam.delete_access_key(UserName="smtp-test-crm", AccessKeyId=key)
    assert "not checked: IAM does not show the current state of crm yet." in report(checkout).out


def test_what_cannot_be_read_or_written_ends_in_one_line(world: World, checkout: Checkout, tmp_path: Path) -> None:
    checkout.declare(an_entry("crm", "crm@example.net"))
    assert (report(checkout).code, report(checkout).calls) == (1, [])
    checkout.declare(an_entry("crm"))
    outcome = report(checkout, name="missing/review.html")
    assert (outcome.code, outcome.calls) == (1, [])
    assert "missing does not exist" in outcome.err.splitlines()[0]
    outcome = report(checkout, name="review.txt")
    assert (outcome.code, outcome.calls) == (1, [])
    assert "the name of the page must end in .html" in outcome.err

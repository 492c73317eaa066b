"""`reconcile retry`, `revoke`, `resume`: operations of an operator outside the manifests."""

from __future__ import annotations

import json

import boto3
import pytest

from reconciler.aws.records import DynamoRecordWriter
from reconciler.cli.main import run
from reconciler.core.record import Record, key_of
from reconciler.errors import Retryable, Terminal
from reconciler.ports import ChangeRequest
from support.runs import Checkout, an_entry
from support.world import ACCOUNT, ENV, TABLE, World, a_request, a_user


@pytest.fixture
def declared(world: World, checkout: Checkout) -> Checkout:
    """Two active users, crm and wiki."""
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    return checkout


def statuses(world: World) -> dict[str, str]:
    return {record.name: record.status for record in world.store.records()}


def give_up(world: World, name: str, operation: str) -> None:
    """The last attempt of a pending user, during an outage of IAM that lasted too long."""
    record = world.store.get(name)
    assert record
    error = Retryable(operation, "ServiceFailure", "not today")
    error.correlation_id = record.correlation_id
    world.converger.give_up(name, error, 8)


def fail(world: World, name: str = "crm") -> None:
    world.ask(a_user(name, f"{name}@example.com", "more@example.com"))
    give_up(world, name, "iam:PutUserPolicy")


class TestRevoke:
    def test_every_key_becomes_inactive_with_the_next_convergence(self, world: World, declared: Checkout) -> None:
        declared.declare(an_entry("crm", credential=2), an_entry("wiki"))
        declared.reconcile(world)
        assert sorted(world.access_keys("crm").values()) == ["Active", "Active"]
        outcome = declared.reconcile(world, "revoke", "crm", "--reason", "key in a public repository")
        assert outcome.code == 0
        assert set(world.access_keys("crm").values()) == {"Inactive"}
        assert statuses(world) == {"crm": "disabled", "wiki": "active"}

    def test_the_row_says_who_and_why_and_when(self, world: World, declared: Checkout) -> None:
        declared.run("revoke", "crm", "--reason", "key in a public repository")
        record = world.store.get("crm")
        assert record
        assert record.revoked
        assert (record.revoked.actor, record.revoked.reason) == (record.actor, "key in a public repository")
        assert record.revoked.actor.startswith(f"arn:aws:sts::{ACCOUNT}:")
        assert record.revoked.at == record.requested_at

    def test_the_actor_of_ci_stands_next_to_the_caller(
        self, world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_ACTOR", "octocat")
        declared.run("revoke", "crm", "--reason", "leaked")
        record = world.store.get("crm")
        assert record
        assert record.revoked
        assert record.revoked.actor == record.actor
        assert record.actor.startswith("arn:aws:sts::")
        row = world.row("crm")
        assert row
        assert row["ci_actor"] == "octocat"

    def test_it_holds_through_every_later_reconcile(self, world: World, declared: Checkout) -> None:
        declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
        unchanged = declared.reconcile(world)
        assert unchanged.writes == []
        assert "Nothing to do: 2 unchanged." in unchanged.out
        declared.declare(an_entry("crm", "crm@example.com", "*@news.example.com"), an_entry("wiki"))
        declared.reconcile(world)
        assert set(world.access_keys("crm").values()) == {"Inactive"}
        declared.declare(an_entry("crm", "crm@example.com", "*@news.example.com", credential=2), an_entry("wiki"))
        declared.reconcile(world)
        assert world.access_keys("crm") == {}
        assert statuses(world)["crm"] == "disabled"

    def test_every_plan_shows_it(self, world: World, declared: Checkout) -> None:
        declared.reconcile(world, "revoke", "crm", "--reason", "key in a\x1b[31m public repository")
        shown = declared.run("plan").out
        (line,) = [line for line in shown.splitlines() if line.startswith("  ! crm")]
        assert "revoked by arn:aws:sts" in line
        assert "key in a\\x1b[31m public repository; keys stay inactive until `reconcile resume crm`" in line
        assert "**Revoked:**" in declared.run("plan", "--format", "markdown").out
        (row,) = json.loads(declared.run("plan", "--format", "json").out)["revoked"]
        assert row["name"] == "crm"

    def test_the_plan_promises_no_password_while_it_holds(self, world: World, declared: Checkout) -> None:
        declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
        declared.declare(an_entry("crm", credential=2), an_entry("wiki"))
        assert "gets a new password when it is resumed" in declared.run("plan").out

    def test_enabling_a_revoked_user_is_not_called_sending(self, world: World, declared: Checkout) -> None:
        declared.declare(an_entry("crm", enabled=False), an_entry("wiki"))
        declared.reconcile(world)
        declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
        declared.declare(an_entry("crm"), an_entry("wiki"))
        shown = declared.reconcile(world).out
        assert "enabled, but still revoked" in shown
        assert set(world.access_keys("crm").values()) == {"Inactive"}

    def test_the_status_shows_it(self, world: World, declared: Checkout) -> None:
        declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
        assert "revoked by user/moto: leaked" in declared.run("status").out
        rows = {row["name"]: row for row in json.loads(declared.run("status", "--format", "json").out)}
        assert rows["crm"]["revoked"]["reason"] == "leaked"
        assert rows["wiki"]["revoked"] is None

    def test_a_row_that_cannot_be_understood_loses_its_keys_too(self, world: World, declared: Checkout) -> None:
        boto3.resource("dynamodb").Table(TABLE).update_item(
            Key=key_of("crm"),
            UpdateExpression="SET allowed_from_addresses = :a",
            ExpressionAttributeValues={":a": ["nobody@elsewhere.example"]},
        )
        declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
        assert set(world.access_keys("crm").values()) == {"Inactive"}
        assert statuses(world)["crm"] == "failed"

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("revoke", "crm"), "--reason"),
            (("revoke", "crm", "--reason", "  "), "1 to 500 characters"),
            (("revoke", "crm", "--reason", "x" * 501), "1 to 500 characters"),
            (("revoke", "nobody", "--reason", "leaked"), "no SMTP user 'nobody' in test"),
            (("resume", "crm"), "crm is not revoked"),
            (("resume", "nobody"), "no SMTP user 'nobody' in test"),
            (("retry",), "Pass one or more NAMEs, or --all-failed."),
            (("retry", "crm", "--all-failed"), "Pass one or more NAMEs, or --all-failed."),
            (("retry", "crm"), "crm is active; only failed, pending or deleting users can be retried"),
            (("retry", "nobody"), "no SMTP user 'nobody' in test"),
        ],
    )
    def test_what_cannot_be_asked(self, declared: Checkout, words: tuple[str, ...], told: str) -> None:
        outcome = declared.run(*words)
        assert outcome.code == 1
        assert told in outcome.err
        assert outcome.writes == []

    def test_a_user_that_is_going_anyway(self, world: World, declared: Checkout) -> None:
        world.ask_delete("crm")
        outcome = declared.run("revoke", "crm", "--reason", "leaked")
        assert outcome.code == 1
        assert "crm is being deleted, with its access keys" in outcome.err

    def test_the_wrong_account_is_refused(self, declared: Checkout) -> None:
        declared.configure(account_id="999999999999")
        for words in (("revoke", "crm", "--reason", "leaked"), ("resume", "crm"), ("retry", "--all-failed")):
            outcome = declared.run(*words)
            assert outcome.code == 1
            assert "credentials are for account" in outcome.err
            assert outcome.calls == ["GetCallerIdentity"]


class TestRetry:
    def test_a_failed_user_is_driven_again(self, world: World, declared: Checkout) -> None:
        fail(world)
        assert statuses(world)["crm"] == "failed"
        outcome = declared.reconcile(world, "retry", "crm")
        assert outcome.code == 0
        assert statuses(world)["crm"] == "active"
        row = world.row("crm")
        assert row
        assert "failure" not in row

    def test_all_failed_and_nobody_else(self, world: World, declared: Checkout) -> None:
        fail(world, "crm")
        fail(world, "wiki")
        world.put_row("by-hand", status="pending", allowed_from_addresses=["hand@example.com"])
        outcome = declared.run("retry", "--all-failed")
        assert outcome.writes == ["UpdateItem"] * 2
        assert statuses(world) == {"by-hand": "pending", "crm": "pending", "wiki": "pending"}

    def test_none_failed(self, declared: Checkout) -> None:
        outcome = declared.run("retry", "--all-failed")
        assert (outcome.code, outcome.writes) == (0, [])
        assert "no failed users in test" in outcome.out

    def test_a_failed_deletion_stays_one(self, world: World, declared: Checkout) -> None:
        world.ask_delete("crm")
        give_up(world, "crm", "iam:DeleteUser")
        assert statuses(world)["crm"] == "failed"
        declared.reconcile(world, "retry", "crm")
        assert statuses(world) == {"wiki": "active"}

    def test_a_row_put_by_hand_keeps_its_owner(self, world: World, declared: Checkout) -> None:
        world.put_row("by-hand", status="pending", allowed_from_addresses=["hand@elsewhere.example"])
        world.converge("by-hand")
        assert statuses(world)["by-hand"] == "failed"
        declared.run("retry", "by-hand")
        row = world.row("by-hand")
        assert row
        assert (row["status"], row["revision"]) == ("pending", 1)
        assert "managed_by" not in row

    def test_who_lost_a_race_is_told(self, world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        fail(world)
        read = world.store.get("crm")
        assert read
        monkeypatch.setattr("reconciler.cli.operator.OperatorSession.find", lambda *_: read)
        world.store.retry(read, a_request())
        outcome = declared.run("retry", "crm")
        assert outcome.code == 3
        assert "crm: not written: changed by another run in the meantime; run again" in outcome.err


def test_it_waits_for_the_outcome(declared: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is processed here, so the wait times out: written, but not settled."""
    paths = ["--config", str(declared.root / "reconcile.yaml"), "--users", str(declared.root / "users")]
    code = run([*paths, "--env", ENV, "revoke", "crm", "--reason", "leaked", "--timeout", "0"])
    assert code == 3
    assert "crm: timeout" in capsys.readouterr().out


def test_one_that_cannot_be_written_does_not_hide_the_others(
    world: World, declared: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The written users are followed, and the exit code shows that not all were written."""
    fail(world, "crm")
    fail(world, "wiki")
    retry = DynamoRecordWriter.retry

    def refused(store: DynamoRecordWriter, record: Record, request: ChangeRequest) -> int:
        if record.name == "crm":
            raise Terminal("dynamodb:UpdateItem", "ExpiredToken", "sign in again")
        return retry(store, record, request)

    monkeypatch.setattr(DynamoRecordWriter, "retry", refused)
    outcome = declared.run("retry", "--all-failed")
    assert outcome.code == 3
    assert "crm: not written: dynamodb:UpdateItem: ExpiredToken" in outcome.err
    assert statuses(world) == {"crm": "failed", "wiki": "pending"}


def test_a_user_that_is_to_stay_is_not_deleted_by_a_retry(world: World, declared: Checkout) -> None:
    """Its deletion failed once; since then it was requested again manually."""
    world.ask_delete("crm")
    give_up(world, "crm", "iam:DeleteUser")
    boto3.resource("dynamodb").Table(TABLE).update_item(
        Key=key_of("crm"),
        UpdateExpression="SET #s = :p",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":p": "pending"},
    )
    declared.reconcile(world, "retry", "crm")
    assert statuses(world)["crm"] == "active"


@pytest.mark.parametrize("name", ["x" * 2000, "\udcff\udcfe", "ü" * 600])
@pytest.mark.parametrize("command", [("retry",), ("revoke", "--reason", "leaked"), ("resume",), ("status",)])
def test_a_name_that_no_row_can_have(declared: Checkout, command: tuple[str, ...], name: str) -> None:
    outcome = declared.run(command[0], name, *command[1:])
    assert outcome.code == 1
    assert "no SMTP user" in outcome.err
    assert outcome.writes == []


def test_a_reason_is_written_as_it_can_be_read(world: World, declared: Checkout) -> None:
    declared.run("revoke", "crm", "--reason", "seen at\x07 \udcff")
    record = world.store.get("crm")
    assert record
    assert record.revoked
    assert record.revoked.reason == "seen at\\x07 \\udcff"


def test_revoking_again_looks_at_the_keys_again(world: World, declared: Checkout) -> None:
    declared.reconcile(world, "revoke", "crm", "--reason", "leaked")
    (key,) = world.access_keys("crm")
    world.iam.update_access_key(UserName="smtp-test-crm", AccessKeyId=key, Status="Active")
    outcome = declared.reconcile(world, "revoke", "crm", "--reason", "another reason")
    assert outcome.code == 0
    assert world.access_keys("crm") == {key: "Inactive"}
    record = world.store.get("crm")
    assert record
    assert record.revoked
    assert record.revoked.reason == "leaked"

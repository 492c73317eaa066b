"""`reconcile --env test`: what it writes, what it refuses, what it leaves unchanged."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import botocore.handlers
import pytest
from botocore.exceptions import ClientError

from reconciler.engine.apply import change_writes, write_records
from reconciler.engine.reconcile import prepare
from reconciler.manifests.environments import load_environment
from reconciler.planning.limits import Allowance
from support.runs import Checkout, an_entry
from support.world import ACCOUNT, MARK, World, a_request, a_user

WRONG_ACCOUNT = "credentials are for account 123456789012; environment test is configured for account 999988887777"
WRONG_REGION = "the AWS region is eu-central-1; environment test is configured for region eu-west-1"
READING = ["GetCallerIdentity", "Query", "Query", "ListUsers"]


def test_a_second_run_says_nothing_to_do_and_writes_nothing(world: World, checkout: Checkout) -> None:
    world.now = datetime.now(UTC)  # that of IAM: the users are older than their settled records
    checkout.declare(an_entry("crm"), an_entry("wiki", enabled=False), an_entry("batch", expires="2030-01-01"))
    first = checkout.reconcile(world)
    assert first.code == 0
    assert first.writes == ["UpdateItem"] * 3
    second = checkout.run()
    assert second.code == 0
    assert "Nothing to do: 3 unchanged." in second.out
    assert second.calls == READING


def test_only_what_changed_is_written(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    checkout.declare(an_entry("crm", "crm@example.com", "*@news.example.com"), an_entry("wiki"))
    outcome = checkout.run()
    assert outcome.writes == ["UpdateItem"]
    assert "~ crm" in outcome.out
    assert "gains *@news.example.com" in outcome.out
    row = world.row("crm")
    assert row
    assert (row["status"], row["revision"]) == ("pending", 2)


def test_an_entry_may_move_to_another_file_or_place_without_a_write(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    checkout.declare(an_entry("wiki"))
    checkout.declare(an_entry("crm"), team="another")
    assert checkout.run().writes == []


def test_the_row_says_who_asked(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ARN that AWS knows: outside of a workflow, GitHub's variables mean nothing."""
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    monkeypatch.setenv("GITHUB_SHA", "3f2a9c81d0e4aa00112233445566778899aabbcc")
    checkout.declare(an_entry("crm"))
    checkout.run()
    row = world.row("crm")
    assert row
    assert row["correlation_id"].startswith("local-")
    assert row["actor"].startswith(f"arn:aws:sts::{ACCOUNT}:")
    assert (row["commit"], "ci_actor" in row, "run" in row) == ("", False, False)
    assert row["managed_by"] == MARK
    assert row["manifest"].endswith("users/test/team.yaml")


def test_an_invalid_manifest_stops_the_run_before_any_call(world: World, checkout: Checkout) -> None:
    """I9."""
    checkout.declare(an_entry("crm"), an_entry("wiki", "wiki@example.net"))
    outcome = checkout.run()
    assert outcome.code == 1
    assert outcome.calls == []
    assert "team.yaml" in outcome.err
    assert "nothing was changed" in outcome.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account_id": "999988887777"}, WRONG_ACCOUNT),
        ({"region": "eu-west-1"}, WRONG_REGION),
    ],
)
def test_the_wrong_account_or_region_is_refused(
    world: World, checkout: Checkout, change: dict[str, str], words: str
) -> None:
    checkout.configure(**change)
    checkout.declare(an_entry("crm"))
    outcome = checkout.run()
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.writes == []


def test_removing_all_manifests_is_refused(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    checkout.declare()
    outcome = checkout.run()
    assert outcome.code == 1
    assert "no users are declared; this would delete all 2 users" in outcome.err
    assert outcome.writes == []
    (checkout.root / "users/test/team.yaml").unlink()
    outcome = checkout.run()
    assert outcome.code == 1
    assert "contains no manifest" in outcome.err


def test_removing_everybody_takes_two_explicit_words(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    checkout.declare()
    assert checkout.run("--allow-deletes", "1").code == 1
    assert checkout.run("--allow-empty").code == 1
    assert checkout.reconcile(world, "--allow-empty", "--allow-deletes", "1").code == 0
    assert world.users() == []


def test_deletes_over_the_limit_are_refused_with_the_numbers_until_allowed(world: World, checkout: Checkout) -> None:
    entries = [an_entry(f"user-{n}") for n in range(8)]
    checkout.declare(*entries)
    checkout.reconcile(world)
    checkout.declare(*entries[3:])
    outcome = checkout.run()
    assert outcome.code == 1
    assert "too many deletes: 3 of 8 users (37.5 %) is over the limit of 2" in outcome.err
    assert "--allow-deletes 3" in outcome.err
    assert outcome.writes == []
    assert checkout.run("--allow-deletes", "2").code == 1
    assert checkout.run("plan").code == 1
    assert checkout.run("plan", "--allow-deletes", "3").code == 0
    assert checkout.reconcile(world, "--allow-deletes", "3").code == 0
    assert len(world.users()) == 5


def test_rows_of_others_are_shown_and_never_touched(world: World, checkout: Checkout) -> None:
    """I7."""
    world.put_row("by-hand", status="pending", allowed_from_addresses=["by-hand@example.com"])
    world.put_row("theirs", status="active", managed_by="another-tool", allowed_from_addresses=["x@example.com"])
    before = world.row("by-hand"), world.row("theirs")
    checkout.declare(an_entry("crm"))
    outcome = checkout.run()
    assert outcome.writes == ["UpdateItem"]
    assert "? by-hand   unmanaged, ignored: pending, created manually" in outcome.out
    assert "? theirs    unmanaged, ignored: active, managed by another-tool" in outcome.out
    assert (world.row("by-hand"), world.row("theirs")) == before


def test_declaring_the_name_of_a_foreign_row_adopts_it_visibly(world: World, checkout: Checkout) -> None:
    world.put_row("crm", status="pending", allowed_from_addresses=["old@example.com"])
    world.converge("crm")
    key = world.access_keys("crm")
    checkout.declare(an_entry("crm"))
    outcome = checkout.reconcile(world)
    assert "> crm" in outcome.out
    assert "adopts the record created manually; gains crm@example.com; loses old@example.com" in outcome.out
    assert "1 to adopt" in outcome.out
    row = world.row("crm")
    assert row
    assert row["managed_by"] == MARK
    assert world.access_keys("crm") == key
    assert checkout.run().writes == []


def test_a_failed_row_is_shown_and_driven_again(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    world.iam.create_user(UserName="smtp-test-crm")
    checkout.reconcile(world)
    world.iam.delete_user(UserName="smtp-test-crm")
    outcome = checkout.reconcile(world)
    assert "failed: an unmanaged IAM user has this name" in outcome.out
    row = world.row("crm")
    assert row
    assert row["status"] == "active"
    assert "failure" not in row


def test_a_row_edited_by_hand_is_put_back(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    row = world.row("crm")
    assert row
    world.put_row("crm", **{**row, "allowed_from_addresses": ["crm@example.com", "evil@example.com"]})
    outcome = checkout.reconcile(world)
    assert "loses evil@example.com; the record was modified manually; restoring the declared values" in outcome.out
    assert checkout.run().writes == []


def test_a_status_set_by_hand_is_seen_and_corrected(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    row = world.row("crm")
    assert row
    world.put_row("crm", **{**row, "status": "disabled"})
    outcome = checkout.reconcile(world)
    assert "the status was modified manually; reprocessing" in outcome.out
    assert checkout.run().writes == []


def test_a_changed_environment_reaches_the_policies_that_exist(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    checkout.configure(configuration_set="smtp-test-2")
    outcome = checkout.run()
    assert "settings changed: the policy now allows eu-central-1 with smtp-test-2" in outcome.out
    assert outcome.writes == ["UpdateItem"]


def test_a_rerun_does_not_end_well_while_users_of_the_last_one_have_not(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.run()
    again = checkout.run("--wait", "--timeout", "0")
    assert again.code == 3
    assert again.writes == []
    assert "crm: timeout" in again.out
    world.converge("crm")
    assert checkout.run("--wait").code == 0


def test_a_row_edited_by_hand_to_what_is_declared_now_is_told_in_full(world: World, checkout: Checkout) -> None:
    """I10: the manual change was never applied to IAM, so this run widens the grant."""
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    row = world.row("crm")
    assert row
    world.put_row("crm", **{**row, "allowed_from_addresses": ["ceo@example.com", "crm@example.com"]})
    checkout.declare(an_entry("crm", "crm@example.com", "ceo@example.com"))
    outcome = checkout.reconcile(world)
    assert "may send as ceo@example.com, crm@example.com; the record was modified manually to" in outcome.out
    assert checkout.run().writes == []


def test_a_stuck_row_is_driven_again(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.run()
    assert checkout.run().writes == []
    row = world.row("crm")
    assert row
    world.put_row("crm", **{**row, "requested_at": "2026-01-01T00:00:00Z"})
    outcome = checkout.run()
    assert "stuck: pending since 2026-01-01T00:00:00Z" in outcome.out
    assert outcome.writes == ["UpdateItem"]


def test_one_write_that_fails_does_not_stop_the_others(world: World, checkout: Checkout) -> None:
    """One record is too large for DynamoDB; the others are written, and the exit code shows the failure."""
    environment = load_environment(checkout.root / "reconcile.yaml", "test")
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    prepared = prepare(environment, checkout.root / "users", checkout.root, Allowance())
    world.put_row("crm", status="active", managed_by="another-tool")
    written = write_records(change_writes(prepared.changes.changes, prepared.records, a_request()))
    assert written == {"wiki": 1}
    assert "crm: not written: changed by another run in the meantime" in checkout.capsys.readouterr().err
    row = world.row("crm")
    assert row
    assert row["managed_by"] == "another-tool"


def test_two_runs_at_the_same_moment_lose_nothing(world: World, checkout: Checkout, tmp_path: Path) -> None:
    """I11: both plan before either writes; each change is applied once, and the conflict is reported."""
    checkout.declare(an_entry("crm"), an_entry("wiki"), an_entry("both"))
    checkout.reconcile(world)
    environment = load_environment(checkout.root / "reconcile.yaml", "test")
    users = checkout.root / "users"
    checkout.declare(an_entry("crm", "new@example.com"), an_entry("wiki"), an_entry("both", "one@example.com"))
    first = prepare(environment, users, tmp_path, Allowance())
    checkout.declare(an_entry("crm"), an_entry("wiki", "new@example.com"), an_entry("both", "two@example.com"))
    second = prepare(environment, users, tmp_path, Allowance())
    written = [
        write_records(change_writes(run.changes.changes, run.records, a_request(f"run-{n}")))
        for n, run in enumerate((first, second))
    ]
    assert [sorted(revisions) for revisions in written] == [["both", "crm"], ["wiki"]]
    assert "both: not written: changed by another run in the meantime" in checkout.capsys.readouterr().err
    records = {record.name: record for record in world.store.records()}
    addresses = {name: record.user.allowed_from_addresses for name, record in records.items() if record.user}
    assert addresses == {"crm": ("new@example.com",), "wiki": ("new@example.com",), "both": ("one@example.com",)}


def test_what_was_written_but_cannot_be_followed_exits_3(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))

    def deny(model: object, **_: object) -> None:
        error = {"Code": "AccessDeniedException", "Message": "not authorized"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, "BatchGetItem")  # type: ignore[typeddict-item]

    entry = ("before-call.dynamodb.BatchGetItem", deny)
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    try:
        outcome = checkout.run("--wait")
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(entry)
    assert outcome.code == 3
    assert "written, but the result is unknown: dynamodb:BatchGetItem: AccessDeniedException" in outcome.err
    assert world.row("crm")


def test_a_lost_race_is_told_and_exits_3(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.declare(an_entry("crm"))
    from reconciler.engine import reconcile as run

    def prepare_late(*arguments: object) -> object:
        prepared = prepare(*arguments)  # type: ignore[arg-type]
        world.store.create(a_user("crm"), "users/test/other.yaml", a_request("another-run"))
        return prepared

    monkeypatch.setattr(run, "prepare", prepare_late)
    outcome = checkout.run()
    assert outcome.code == 3
    assert "crm: not written: changed by another run in the meantime; run again" in outcome.err
    monkeypatch.undo()
    assert checkout.run().code == 0


def test_a_checkout_older_than_what_was_applied_is_refused(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late run of an old commit must not revoke what a newer one granted."""

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        command = ["git", "-C", str(checkout.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    checkout.declare(an_entry("crm"))
    git("add", "--all")
    git("commit", "--quiet", "--message=one")
    old = git("rev-parse", "HEAD")
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    git("commit", "--quiet", "--all", "--message=two")
    assert checkout.reconcile(world).code == 0
    git("checkout", "--quiet", old)
    outcome = checkout.run()
    assert outcome.code == 1
    assert "this checkout is older than the last applied commit" in outcome.err
    assert outcome.writes == []
    git("checkout", "--quiet", "main")
    git("revert", "--no-edit", "HEAD")
    assert checkout.reconcile(world).code == 0
    assert world.users() == ["smtp-test-crm"]


def test_a_plan_reads_only_and_its_exit_code_is_terraforms(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    outcome = checkout.run("plan", "--detailed-exitcode")
    assert (outcome.code, outcome.calls) == (2, READING)
    assert checkout.run("plan").code == 0
    checkout.reconcile(world)
    assert checkout.run("plan", "--detailed-exitcode").code == 0
    checkout.declare()
    checkout.configure(account_id="999988887777")
    wrong = checkout.run("plan", "--format", "markdown")
    assert wrong.code == 1
    assert "**Refused:** `credentials are for account 123456789012" in wrong.out
    assert wrong.calls == ["GetCallerIdentity"]
    checkout.configure()
    refused = checkout.run("plan", "--detailed-exitcode")
    assert refused.code == 1
    assert "- crm" in refused.out
    assert "refused: no users are declared" in refused.err


def test_a_plan_in_json_is_nothing_but_json(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    plan = json.loads(checkout.run("plan", "--format", "json").out)
    assert plan["changes"][0]["action"] == "create"
    assert plan["changes"][0]["details"] == ["may send as crm@example.com"]
    assert plan["changes"][0]["line"] == 2


def test_a_table_that_is_missing_ends_in_one_line(world: World, checkout: Checkout) -> None:
    checkout.configure(table="no-such-table")
    checkout.declare(an_entry("crm"))
    outcome = checkout.run()
    assert outcome.code == 1
    assert "error: dynamodb:Query: ResourceNotFoundException" in outcome.err
    assert "Traceback" not in outcome.err

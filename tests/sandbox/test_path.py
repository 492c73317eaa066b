"""The complete path on a local AWS: the real command, the real zip, the real stream."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from reconciler.core.smtp import smtp_password
from reconciler.pipeline.definition import load_pipeline
from reconciler.planning.evaluation import SendAttempt, evaluate
from sandbox.local_aws import Sandbox, eventually

EXAMPLES = {
    "billing-mailer": "active",
    "dunning-batch": "disabled",
    "newsletter": "active",
    "summer-campaign": "active",
    "monitoring": "active",
    "build-server": "active",
    "wiki": "active",
}


def policy_of(sandbox: Sandbox, name: str) -> dict[str, Any]:
    stored = sandbox.client("iam").get_user_policy(UserName=f"smtp-sandbox-{name}", PolicyName="smtp-send")
    document = stored["PolicyDocument"]
    return document if isinstance(document, dict) else json.loads(document)


def test_the_lifecycle_from_entry_to_teardown(sandbox: Sandbox) -> None:
    """Create, replay, edit, disable, enable, rotate, delete; every step through a changed manifest."""
    created = sandbox.reconcile()
    assert created.returncode == 0, created.stderr
    assert "7 succeeded" in created.stdout
    assert sandbox.statuses() == EXAMPLES

    before = sandbox.rows()
    again = sandbox.reconcile()
    assert again.returncode == 0
    assert "Nothing to do: 7 unchanged." in again.stdout
    assert sandbox.rows() == before

    first = json.loads(sandbox.reconcile("credentials", "wiki", "--format", "json").stdout)
    passwords = [smtp_password(secret, "eu-central-1") for secret in sandbox.secrets()]
    assert first["password"] in passwords

    sandbox.edit("platform.yaml", "wiki@example.com, noreply", "wiki@example.com, docs@example.com, noreply")
    assert sandbox.reconcile().returncode == 0
    now = SendAttempt("docs@example.com", datetime.now(UTC))
    assert evaluate(policy_of(sandbox, "wiki"), now)
    assert json.loads(sandbox.reconcile("credentials", "wiki", "--format", "json").stdout) == first

    sandbox.edit("marketing.yaml", "[hello@news.example.com]", "[hello@news.example.com]\n    enabled: false")
    assert sandbox.reconcile().returncode == 0
    assert sandbox.keys("newsletter") == ["Inactive"]
    sandbox.edit("marketing.yaml", "\n    enabled: false", "\n    credential: 2")
    assert sandbox.reconcile().returncode == 0
    assert sandbox.keys("newsletter") == ["Active"]

    sandbox.edit("platform.yaml", "owner: platform@example.com\n    allowed_from_addresses: [wiki",
                 "owner: platform@example.com\n    credential: 2\n    allowed_from_addresses: [wiki")  # fmt: skip
    rotated = sandbox.reconcile()
    assert "gets a new password; the current one works for 7 more days" in rotated.stdout
    assert sandbox.keys("wiki") == ["Active", "Active"]
    second = json.loads(sandbox.reconcile("credentials", "wiki", "--format", "json").stdout)
    assert second["username"] != first["username"]

    (sandbox.root / "users/sandbox/platform.yaml").write_text("users: []\n")
    refused = sandbox.reconcile()
    assert refused.returncode == 1
    assert "too many deletes: 3 of 7 users (42.86 %) is over 30 %" in refused.stderr
    deleted = sandbox.reconcile("--allow-deletes", "3")
    assert deleted.returncode == 0, deleted.stderr
    left = {"billing-mailer", "dunning-batch", "newsletter", "summer-campaign"}
    assert set(sandbox.statuses()) == left
    assert sandbox.users() == {f"smtp-sandbox-{name}" for name in left}


def test_neither_logs_nor_output_contain_a_secret(sandbox: Sandbox) -> None:
    """I6: scans everything that the functions, the emulator and the command write during every operation."""
    written = []
    for edit in (
        None,
        ("billing.yaml", "enabled: false", "enabled: true"),
        ("billing.yaml", "rotation: {every", "credential: 2\n    rotation: {every"),
    ):
        if edit:
            sandbox.edit(*edit)
        run = sandbox.reconcile()
        assert run.returncode == 0
        written += [run.stdout, run.stderr]
    status = sandbox.reconcile("status", "--format", "json")
    plan = sandbox.reconcile("plan", "--format", "json")
    everything = "\n".join(
        [*written, status.stdout, plan.stdout, sandbox.log(), json.dumps(sandbox.rows(), default=str)]
    )
    secrets = sandbox.secrets()
    assert len(secrets) == 8
    assert "smtp user converged" in everything
    for secret in secrets:
        assert secret not in everything
        assert smtp_password(secret, "eu-central-1") not in everything


def test_a_record_created_manually_becomes_active_and_stays_unmanaged(sandbox: Sandbox) -> None:
    sandbox.put_row("by-hand", status={"S": "pending"}, allowed_from_addresses={"SS": ["by-hand@example.com"]})
    assert eventually(lambda: sandbox.statuses()["by-hand"] == "active")
    before = sandbox.rows()["by-hand"]
    run = sandbox.reconcile()
    assert run.returncode == 0
    assert re.search(r"\? by-hand +unmanaged, ignored: active, created manually", run.stdout)
    assert sandbox.rows()["by-hand"] == before


def test_when_a_record_is_deleted_manually_its_iam_user_is_deleted(sandbox: Sandbox) -> None:
    """I4, through the REMOVE filter."""
    sandbox.put_row("by-hand", status={"S": "pending"}, allowed_from_addresses={"SS": ["by-hand@example.com"]})
    assert eventually(lambda: "smtp-sandbox-by-hand" in sandbox.users())
    assert eventually(lambda: sandbox.statuses()["by-hand"] == "active")
    key = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#by-hand"}}
    sandbox.client("dynamodb").delete_item(TableName=sandbox.environment.table, Key=key)
    assert eventually(lambda: not sandbox.users())


def test_an_invalid_record_blocks_no_other_user_and_is_reported(sandbox: Sandbox) -> None:
    """I8: one user conflicts with an unmanaged IAM user and is reported as failed; the others become active."""
    sandbox.client("iam").create_user(UserName="smtp-sandbox-wiki")
    sandbox.put_row("Bad Name", status={"S": "pending"})
    run = sandbox.reconcile()
    assert run.returncode == 3
    assert "wiki: failed  an unmanaged IAM user has this name" in run.stdout
    assert "6 succeeded, 1 failed or timed out" in run.stdout
    assert sandbox.statuses() == {**EXAMPLES, "wiki": "failed", "Bad Name": "failed"}


def test_two_concurrent_runs_of_a_commit_create_everything_once(sandbox: Sandbox) -> None:
    """I1, I11: CI was triggered twice."""
    runs = [sandbox.start() for _ in range(2)]
    outputs = [run.communicate(timeout=120) for run in runs]
    codes = [run.returncode for run in runs]
    assert set(codes) <= {0, 1, 3}
    assert codes.count(1) == sum("another run applied in the meantime" in err for _, err in outputs) < 2
    assert all("Traceback" not in err for _, err in outputs)
    assert sandbox.reconcile().returncode == 0
    assert sandbox.statuses() == EXAMPLES
    assert len(sandbox.users()) == 7
    assert all(len(sandbox.keys(name)) == (status == "active") for name, status in EXAMPLES.items())


def test_what_the_manager_writes_does_not_trigger_it_again(sandbox: Sandbox) -> None:
    """The filters: seven users are seven stream records, although the manager writes to each of them."""
    assert sandbox.reconcile().returncode == 0
    # In the stream, this one comes after everything that the manager wrote.
    sandbox.put_row("last", status={"S": "pending"}, allowed_from_addresses={"SS": ["last@example.com"]})
    assert eventually(lambda: sandbox.statuses()["last"] == "active")
    assert eventually(lambda: sandbox.log().count('"smtp user converged"') >= 8)
    assert sandbox.log().count('"smtp user converged"') == 8


def test_the_deployed_function_accepts_any_order_and_repetition(sandbox: Sandbox) -> None:
    """I5, by invoking the deployed function."""
    assert sandbox.reconcile().returncode == 0
    before = sandbox.rows()
    keys = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#wiki"}}
    kinds = ["REMOVE", "MODIFY", "INSERT", "INSERT", "REMOVE"]
    records = [
        {"eventID": str(n), "eventName": kind, "dynamodb": {"Keys": keys, "SequenceNumber": str(n)}}
        for n, kind in enumerate(kinds)
    ]
    result = sandbox.client("lambda").invoke(
        FunctionName=load_pipeline("sandbox").functions["manager"].name,
        Payload=json.dumps({"Records": records}).encode(),
    )
    assert json.loads(result["Payload"].read()) == {"batchItemFailures": []}
    assert sandbox.rows() == before


def test_a_user_that_does_not_settle_times_out_with_exit_3(sandbox: Sandbox) -> None:
    mapping = sandbox.client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
    sandbox.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    run = sandbox.reconcile("--timeout", "1")
    assert run.returncode == 3
    assert "wiki: timeout  no user reached a final status for 1 s" in run.stdout

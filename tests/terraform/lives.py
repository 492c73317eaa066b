"""User lifecycles on the sandbox that Terraform deployed. Every principal makes every call that it can make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_rules
from reconciler.aws.applied_state import SK as APPLIED_STATE
from reconciler.core.record import PK, key_of
from sandbox.local_aws import eventually
from sandbox.stream_pump import StreamPump
from support.attachments import attach_everything
from support.world import a_user, make_world
from terraform.calls import Call, read_calls
from terraform.conftest import Deployed
from terraform.policies import FUNCTIONS, HOLDERS, PIPELINE

POISON = "smtp-sandbox-POISON"  # IAM treats it as equal to the name of SMTP user `poison`
TRIES = PIPELINE.dead_letters["tries"]


def live(sandbox: Deployed) -> None:
    """The calls of every principal, one after the other."""
    live_a_whole_life(sandbox)
    sandbox.map_anew("manager", Enabled=False)
    work_off_dead_letters(sandbox)
    sweep(sandbox)
    sandbox.map_anew("manager", Enabled=True)
    be_on_call(sandbox)
    read(sandbox)
    strip(sandbox.root / "strip")


def command(sandbox: Deployed, who: str, *words: str, exits: tuple[int, ...] = (0,)) -> None:
    done = sandbox.reconcile(*words, made_as=HOLDERS[who])
    assert done.returncode in exits, done.stdout + done.stderr


def live_a_whole_life(sandbox: Deployed) -> None:
    """Credential manager and CI: create, edit, disable, enable, rotate twice, repair, fail, delete in both ways."""
    command(sandbox, "apply")
    sandbox.edit("platform.yaml", "[builds@example.com]", "[builds@example.com]\n    credential: 2")
    sandbox.edit("platform.yaml", "[wiki@example.com, noreply@example.com]", "[wiki@example.com]\n    enabled: false")
    command(sandbox, "apply")
    sandbox.edit("platform.yaml", "credential: 2", "credential: 3")
    sandbox.edit("platform.yaml", "[wiki@example.com]\n    enabled: false", "[wiki@example.com]")
    sandbox.client("iam").delete_user_permissions_boundary(UserName="smtp-sandbox-wiki")
    command(sandbox, "apply")
    sandbox.client("iam").create_access_key(UserName="smtp-sandbox-wiki")
    text = (sandbox.root / "users/sandbox/platform.yaml").read_text()
    (sandbox.root / "users/sandbox/platform.yaml").write_text(text[: text.index("  - name: wiki")])
    command(sandbox, "apply")
    sandbox.client("iam").create_user(UserName="smtp-sandbox-unmanaged")
    put_row(sandbox, "unmanaged", "pending")
    assert eventually(lambda: sandbox.statuses()["unmanaged"] == "failed")
    remove_row(sandbox, "newsletter")
    assert eventually(lambda: "smtp-sandbox-newsletter" not in sandbox.users())


def work_off_dead_letters(sandbox: Deployed) -> None:
    """The dead-letter function, while the manager's mapping is disabled."""
    iam = sandbox.client("iam")
    iam.create_user(UserName=POISON)
    put_row(sandbox, "poison", "pending")
    pump = StreamPump(sandbox)
    pump.pump()  # the manager leaves the user to the queue
    send(sandbox, batch_letter(pump.arn, pump.shard, pump.position))
    assert eventually(lambda: "dead letter split" in sandbox.log())
    assert deliver(sandbox, {"user": "poison"}, 1) == {"batchItemFailures": []}
    assert deliver(sandbox, {"user": "poison"}, 2) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert eventually(lambda: '"ChangeMessageVisibility"' in (sandbox.root / "calls").read_text())

    put_row(sandbox, "lettered", "pending")
    forgotten = "shardId-00000000000000000000-forgotten"
    send(sandbox, batch_letter(pump.arn, forgotten, "1"))  # so every pending user gets a message
    assert eventually(lambda: sandbox.statuses()["lettered"] == "active")

    sandbox.edit("platform.yaml", "[builds@example.com]", "[builds@example.com]\n    enabled: false")
    iam.delete_user_permissions_boundary(UserName="smtp-sandbox-build-server")
    command(sandbox, "apply", "--no-wait")
    for name in ("build-server", "newsletter"):
        send(sandbox, {"user": name})
    assert eventually(lambda: sandbox.statuses()["build-server"] == "disabled")
    assert eventually(lambda: sandbox.statuses()["newsletter"] == "active")

    put_row(sandbox, "lettered", "deleting")
    send(sandbox, {"user": "lettered"})
    assert eventually(lambda: "lettered" not in sandbox.statuses())

    assert deliver(sandbox, {"user": "poison", "tries": TRIES - 1}, 1) == {"batchItemFailures": []}
    assert sandbox.statuses()["poison"] == "failed"
    assert sandbox.messages("parking_queue") == 1


def deliver(sandbox: Deployed, body: dict[str, Any], count: int) -> object:
    """A message as SQS delivers it to the function, for the n-th time."""
    record = {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(count), "SentTimestamp": "0"},
        "eventSource": "aws:sqs",
    }
    return sandbox.invoke("dead_letter", {"Records": [record]})


def sweep(sandbox: Deployed) -> None:
    """The sweep: manual changes, a missing IAM user, an overdue deletion, an orphan, and a mapping that is disabled."""
    iam = sandbox.client("iam")
    edited = {"UserName": "smtp-sandbox-monitoring"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    for name in ("smtp-send", "by-hand"):
        iam.put_user_policy(**edited, PolicyName=name, PolicyDocument=policy)
    reader = f"arn:aws:iam::{sandbox.environment.account_id}:policy/{HOLDERS['reader']}"
    iam.attach_user_policy(**edited, PolicyArn=reader)
    iam.untag_user(**edited, TagKeys=["smtp-user"])
    iam.create_access_key(**edited)
    (key,) = sandbox.key_states("billing-mailer")
    iam.update_access_key(UserName="smtp-sandbox-billing-mailer", AccessKeyId=key, Status="Inactive")
    delete_user(sandbox, "smtp-sandbox-summer-campaign")
    put_row(sandbox, "leaving", "deleting")
    remove_row(sandbox, "newsletter")

    sandbox.pass_time(minutes=10)  # the sweep ignores newer keys, which another function may be about to store
    summary = sandbox.invoke("sweep")
    assert (summary["finished"], summary["errors"], summary["repaired"], summary["orphans"]) == (True, 0, 3, 1), summary
    assert (summary["trigger_fault"], summary["ses_sandbox"]) == ("the event source mapping is disabled", 0), summary
    assert (summary["failed"], summary["missed"]) == (2, 1), summary
    assert set(summary["steps"]) >= {"CreateUser", "RepairUser", "Detach", "DeleteKey", "SetKey", "IssueKey"}
    assert "leaving" not in sandbox.statuses()
    sandbox.pass_time(hours=25)
    summary = sandbox.invoke("sweep")
    assert (summary["errors"], summary["orphans_removed"]) == (0, 1), summary


def be_on_call(sandbox: Deployed) -> None:
    """An operator: status, revoke, resume, retry, drift, report and dns."""
    command(sandbox, "operator", "status")
    command(sandbox, "operator", "status", "billing-mailer")
    command(sandbox, "operator", "revoke", "billing-mailer", "--reason", "seen in public")
    assert sandbox.statuses()["billing-mailer"] == "disabled"
    command(sandbox, "operator", "resume", "billing-mailer", "--keep-key", "--yes")
    assert sandbox.statuses()["billing-mailer"] == "active"
    sandbox.client("iam").delete_user(UserName=POISON)
    command(sandbox, "operator", "retry", "poison")
    command(sandbox, "operator", "retry", "--all-failed", exits=(3,))  # the unmanaged IAM user makes it fail again
    command(sandbox, "operator", "drift", exits=(2,))
    command(sandbox, "operator", "report", "--out", str(sandbox.root / "report.html"))
    command(sandbox, "operator", "dns")
    remember_revoked(sandbox, "gone")
    command(sandbox, "operator", "resume", "gone", "--yes")


def remember_revoked(sandbox: Deployed, name: str) -> None:
    """As if the user had been deleted while it was revoked."""
    sandbox.client("dynamodb").update_item(
        TableName=sandbox.environment.table,
        Key={"PK": {"S": PK}, "SK": {"S": APPLIED_STATE}},
        UpdateExpression="SET revoked_users = :users",
        ExpressionAttributeValues={":users": {"M": {name: {"M": {}}}}},
    )


def read(sandbox: Deployed) -> None:
    """The plan role of CI, and credential readers."""
    command(sandbox, "plan", "plan")
    command(sandbox, "plan", "drift", exits=(2,))
    command(sandbox, "plan", "report", "--out", str(sandbox.root / "report.html"))
    command(sandbox, "plan", "dns")
    command(sandbox, "reader", "plan")
    command(sandbox, "reader", "status")
    command(sandbox, "reader", "status", "billing-mailer")
    command(sandbox, "reader", "credentials", "billing-mailer")


def strip(calls: Path) -> None:
    """A teardown of a user with every kind of attachment, on the emulator that supports all these IAM calls."""
    aws_rules.notes["calls"] = str(calls)
    try:
        with make_world() as world:
            world.ask(a_user("wiki"))
            world.converge("wiki")
            attach_everything(world, "smtp-test-wiki")
            calls.write_text("")
            world.ask_delete("wiki")
            assert world.converge("wiki").result == "removed"
    finally:
        del aws_rules.notes["calls"]
    # The calls were made for another user name; rename it to that of the sandbox.
    calls.write_text(calls.read_text().replace("smtp-test-wiki", "smtp-sandbox-wiki"))


def calls_of(sandbox: Deployed, who: str) -> list[Call]:
    """The calls of a principal. The calls of a teardown belong to every function: they share its code."""
    made = [call for call in read_calls(sandbox.root / "calls") if call["by"] == HOLDERS[who]]
    if who in FUNCTIONS:
        made += [call for call in read_calls(sandbox.root / "strip") if call["service"] == "iam"]
    return made


def put_row(sandbox: Deployed, name: str, status: str) -> None:
    sandbox.put_row(name, status={"S": status}, allowed_from_addresses={"SS": [f"{name}@example.com"]})


def remove_row(sandbox: Deployed, name: str) -> None:
    key = {attribute: {"S": value} for attribute, value in key_of(name).items()}
    sandbox.client("dynamodb").delete_item(TableName=sandbox.environment.table, Key=key)


def delete_user(sandbox: Deployed, iam_user: str) -> None:
    iam = sandbox.client("iam")
    for key in iam.list_access_keys(UserName=iam_user)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=iam_user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=iam_user, PolicyName="smtp-send")
    iam.delete_user(UserName=iam_user)


def send(sandbox: Deployed, body: dict[str, Any]) -> None:
    url = sandbox.queue_url("dead_letter_queue")
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))


def batch_letter(stream: str, shard: str, number: str) -> dict[str, Any]:
    """The message of the mapping about a batch that it failed to deliver."""
    place = {"streamArn": stream, "shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number}
    return {"DDBStreamBatchInfo": {**place, "batchSize": 1}}

"""Failures on a local AWS, with the real zip: nothing is lost, and a problem with one user affects only that user."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import build_zip
from reconciler.sandbox.deploy import deploy
from reconciler.sandbox.emulator import find_server, start_server
from sandbox.local_aws import Sandbox, eventually, make_sandbox
from sandbox.stream_pump import StreamPump

POISON = "poison"


def put_pending(sandbox: Sandbox, name: str) -> None:
    addresses = {"L": [{"S": f"{name}@example.com"}]}
    sandbox.put_row(name, status={"S": "pending"}, allowed_from_addresses=addresses)


def poison(sandbox: Sandbox) -> None:
    """A user that can never be created: IAM has a user whose name differs only in upper and lower case."""
    sandbox.client("iam").create_user(UserName="SMTP-sandbox-POISON")
    put_pending(sandbox, POISON)


def test_a_poison_record_delays_no_other_user(sandbox: Sandbox) -> None:
    pump = StreamPump(sandbox)
    put_pending(sandbox, "before")
    poison(sandbox)
    put_pending(sandbox, "behind")
    pump.pump()
    assert sandbox.statuses() == {"before": "active", POISON: "pending", "behind": "active"}
    assert sum(POISON in batch for batch in pump.deliveries) == 1, "the stream does not wait for it"
    # The processor retries that one user later, each time with the next message.
    assert sandbox.messages("dead_letter_queue") == 1
    assert eventually(lambda: sandbox.log().count("EntityAlreadyExists") >= 2, 60)
    assert sandbox.messages("dead_letter_queue") == 1
    assert sandbox.messages("parking_queue") == 0


def test_the_last_retry_fails_the_record_and_parks_the_message(sandbox: Sandbox) -> None:
    StreamPump(sandbox)  # disables the mapping: only the processor works
    sandbox.map_anew("dead_letter", Enabled=False)
    poison(sandbox)
    tries = load_pipeline("sandbox").dead_letters["tries"]
    body = json.dumps({"user": POISON})
    for made in range(1, tries):
        assert deliver(sandbox, body) == {"batchItemFailures": []}
        assert sandbox.messages("dead_letter_queue") == made
        body = json.dumps({"user": POISON, "tries": made})
    assert sandbox.statuses() == {POISON: "pending"}
    assert deliver(sandbox, body) == {"batchItemFailures": []}
    failure = sandbox.rows()[POISON]["failure"]["M"]
    assert sandbox.statuses() == {POISON: "failed"}
    assert failure["code"]["S"] == "EntityAlreadyExists"
    assert failure["attempts"]["N"] == str(tries)
    (parked,) = sandbox.client("sqs").receive_message(QueueUrl=sandbox.queue_url("parking_queue"))["Messages"]
    assert json.loads(parked["Body"])["user"] == POISON

    # The cause is fixed, and an operator retries the user.
    sandbox.client("iam").delete_user(UserName="SMTP-sandbox-POISON")
    sandbox.map_anew("manager", Enabled=True)
    done = sandbox.reconcile("retry", POISON)
    assert done.returncode == 0, done.stderr
    assert sandbox.statuses() == {POISON: "active"}


def deliver(sandbox: Sandbox, body: str) -> object:
    """A message as SQS delivers it to the function for the first time."""
    record = {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))},
        "eventSource": "aws:sqs",
    }
    return sandbox.invoke("dead_letter", {"Records": [record]})


def test_a_function_that_keeps_failing_leaves_a_message_that_is_processed_later(sandbox: Sandbox) -> None:
    """The mapping of the emulator gives up and sends a message; the queue mapping delivers it to the processor."""
    manager = load_pipeline("sandbox").functions["manager"]
    configure = sandbox.client("lambda").update_function_configuration
    sandbox.map_anew("dead_letter", Enabled=False)
    sandbox.map_anew("manager", MaximumRecordAgeInSeconds=3)
    configure(FunctionName=manager.name, Handler="reconciler.manager.handlers.nowhere.handler")
    for name in ("one", "two"):
        put_pending(sandbox, name)
    assert eventually(lambda: sandbox.messages("dead_letter_queue") > 0, 60)
    assert sandbox.statuses() == {"one": "pending", "two": "pending"}
    sandbox.map_anew("dead_letter", Enabled=True)
    assert eventually(lambda: set(sandbox.statuses().values()) == {"active"}, 60)
    assert eventually(lambda: sandbox.messages("dead_letter_queue") == 0)
    assert sandbox.messages("parking_queue") == 0
    assert sandbox.users() == {"smtp-sandbox-one", "smtp-sandbox-two"}


MANY = 24


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that saves its state when it is stopped, with many declared users."""
    keep = {"PERSIST_STATE": "1", "STATE_DIR": str(tmp_path / "state")}
    with make_sandbox(tmp_path, keep) as sandbox:
        folder = tmp_path / "users" / "sandbox"
        for path in folder.glob("*.yaml"):
            path.unlink()
        users = [
            {
                "name": f"user-{n}",
                "description": "One of many",
                "owner": "platform@example.com",
                "allowed_from_addresses": [f"user-{n}@example.com"],
            }
            for n in range(MANY)
        ]
        (folder / "many.yaml").write_text(yaml.safe_dump({"users": users}))
        yield sandbox


def end_mid_run(sandbox: Sandbox, sent: signal.Signals) -> tuple[int, str]:
    """End the local AWS during a run. Returns the exit code and the output of the run."""
    server = find_server(sandbox.folder)
    assert server
    running = sandbox.start("--timeout", "60")
    assert eventually(lambda: 5 <= list(sandbox.statuses().values()).count("active") < MANY)
    os.killpg(server.pid, sent)
    out, err = running.communicate(timeout=120)
    assert eventually(lambda: find_server(sandbox.folder) is None)
    return running.returncode, out + err


def restart(sandbox: Sandbox) -> None:
    """Start a new process on another port."""
    environment = sandbox.environment
    start_server(sandbox.folder, environment.account_id, environment.region, extra_env=sandbox.extra_env)
    sandbox.reconnect()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_the_local_aws_ends_mid_run(lasting: Sandbox, sent: signal.Signals) -> None:
    """A killed AWS loses everything, a stopped AWS keeps its state: the next run continues from both."""
    code, said = end_mid_run(lasting, sent)
    assert code in (1, 3)
    assert "Traceback" not in said
    assert "AWS could not be reached" in said
    restart(lasting)
    if sent is signal.SIGKILL:
        deploy(lasting.connection.session, lasting.environment, load_pipeline("sandbox"), build_zip())
    else:
        assert "active" in lasting.statuses().values()
    if "pending" in lasting.statuses().values():
        lasting.pass_time(minutes=20)  # the sweep reprocesses what the stream lost with the process
        lasting.invoke("sweep")
    done = lasting.reconcile()
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(lasting.statuses().values()) == ["active"] * MANY
    assert len(lasting.users()) == MANY
    assert "Nothing to do" in lasting.reconcile().stdout
    assert all(list(lasting.key_states(f"user-{n}").values()) == ["Active"] for n in range(MANY))

"""The sweep on a local AWS: the real zip repairs manual changes, and rotates keys as time passes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.core.policy import build, to_json
from reconciler.core.smtp import smtp_password
from sandbox.local_aws import Sandbox
from support.world import a_user

ROTATING = """users:
  - name: rotating
    description: Rotates by itself
    owner: platform@example.com
    allowed_from_addresses: [rotating@example.com]
    rotation: {every_days: 30, overlap_days: 7}
"""


@pytest.fixture
def settled(sandbox: Sandbox) -> Sandbox:
    done = sandbox.reconcile()
    assert done.returncode == 0, done.stderr
    sandbox.pass_time(minutes=1)  # the sweep leaves out users that changed a few seconds ago
    return sandbox


def policy_of(sandbox: Sandbox, name: str) -> Any:
    stored = sandbox.client("iam").get_user_policy(UserName=f"smtp-sandbox-{name}", PolicyName="smtp-send")
    document = stored["PolicyDocument"]
    return document if isinstance(document, dict) else json.loads(document)


def test_without_drift_the_sweep_writes_nothing(settled: Sandbox) -> None:
    before = settled.rows()
    result = settled.invoke("sweep")
    assert result["finished"]
    assert (result["checked"], result["repaired"], result["errors"], result["steps"]) == (7, 0, 0, {})
    assert settled.rows() == before


def test_manual_changes_are_repaired_and_reported(settled: Sandbox) -> None:
    iam = settled.client("iam")
    policy = policy_of(settled, "wiki")
    wide = build(a_user("wiki", "*@example.com"), settled.environment.sending)
    iam.put_user_policy(UserName="smtp-sandbox-wiki", PolicyName="smtp-send", PolicyDocument=to_json(wide))
    iam.put_user_policy(UserName="smtp-sandbox-wiki", PolicyName="more", PolicyDocument=to_json(wide))
    added = iam.create_access_key(UserName="smtp-sandbox-monitoring")["AccessKey"]["AccessKeyId"]
    (key,) = settled.key_states("newsletter")
    iam.update_access_key(UserName="smtp-sandbox-newsletter", AccessKeyId=key, Status="Inactive")
    iam.untag_user(UserName="smtp-sandbox-build-server", TagKeys=["smtp-user"])
    iam.create_user(UserName="smtp-sandbox-unmanaged", Path="/smtp/sandbox/")  # has no tag: unmanaged

    settled.pass_time(minutes=10)  # a key that is a few minutes old may still be stored by another invocation
    result = settled.invoke("sweep")
    assert result["repaired"] == 4, result
    assert policy_of(settled, "wiki") == policy
    assert iam.list_user_policies(UserName="smtp-sandbox-wiki")["PolicyNames"] == ["smtp-send"]
    assert added not in settled.key_states("monitoring")
    assert settled.key_states("newsletter") == {key: "Active"}
    tags = {tag["Key"] for tag in iam.list_user_tags(UserName="smtp-sandbox-build-server")["Tags"]}
    assert "smtp-user" in tags
    assert "smtp-sandbox-unmanaged" in settled.users()
    assert settled.invoke("sweep")["repaired"] == 0
    log = settled.log()
    assert f"access key {added} was created outside this system" in log
    assert "its policy was changed" in log


def test_an_iam_user_without_a_record_is_deleted_after_a_day(settled: Sandbox) -> None:
    table = settled.environment.table
    settled.map_anew("manager", Enabled=False)  # the REMOVE event is lost
    settled.client("dynamodb").delete_item(
        TableName=table, Key={"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#monitoring"}}
    )
    assert settled.invoke("sweep")["orphans"] == 1
    settled.pass_time(hours=23)
    assert settled.invoke("sweep")["orphans"] == 1
    assert "smtp-sandbox-monitoring" in settled.users()
    settled.pass_time(hours=2)
    result = settled.invoke("sweep")
    assert (result["orphans"], result["orphans_removed"]) == (0, 1)
    assert "smtp-sandbox-monitoring" not in settled.users()


@dataclass
class KeyLog:
    """Every observed state of the keys of a user, in order: stored key, previous key, and their status in IAM."""

    sandbox: Sandbox
    name: str
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    def look(self) -> None:
        record = self.sandbox.rows()[self.name]
        states = self.sandbox.key_states(self.name)
        now = (record["smtp_username"]["S"], record.get("previous_key", {}).get("S", ""), states)
        if not self.seen or self.seen[-1] != now:
            self.seen.append(now)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look continuously while the body runs."""
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                try:
                    self.look()
                except Exception as error:  # noqa: BLE001 - reported at the end
                    self.failed.append(error)
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            self.look()

    def __str__(self) -> str:
        return "\n".join(
            f"stored {stored} previous {previous or '-':20} {states}" for stored, previous, states in self.seen
        )


def test_rotation_never_leaves_a_user_without_a_valid_key(sandbox: Sandbox) -> None:
    """Four months, day by day; the keys are observed all the time."""
    folder = sandbox.root / "users" / "sandbox"
    for path in folder.glob("*.yaml"):
        path.unlink()  # each of 121 sweeps checks every user
    (folder / "rotating.yaml").write_text(ROTATING)
    assert sandbox.reconcile().returncode == 0
    log = KeyLog(sandbox, "rotating")
    with log.watching():
        for _day in range(121):
            sandbox.pass_time(days=1)
            result = sandbox.invoke("sweep")
            assert (result["finished"], result["errors"]) == (True, 0)
    print(log)
    assert not log.failed
    for stored, previous, states in log.seen:
        assert len(states) <= 2
        assert "Active" in (states.get(stored), states.get(previous)), log
    # A new key every thirty days; the previous key works for another week, is inactive for a day, and is deleted.
    keys = list(dict.fromkeys(stored for stored, _, _ in log.seen))
    assert len(keys) == 5
    for old in keys[:-2]:
        life = [states[old] for _, _, states in log.seen if old in states]
        assert life == sorted(life) == [*life[:-1], "Inactive"]
    shown = json.loads(sandbox.reconcile("credentials", "rotating", "--format", "json").stdout)
    assert shown["username"] == log.seen[-1][0]
    assert shown["password"] in [smtp_password(secret, "eu-central-1") for secret in sandbox.secrets()]

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_rules
from reconciler.core.record import key_of
from reconciler.engine.session import Connection, connect
from reconciler.manifests.environments import Environment, load_environment
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import ROOT, build_zip
from reconciler.sandbox.deploy import deploy
from reconciler.sandbox.emulator import start_server, stop_server
from support.forked import run_forked

HOOK = Path(aws_rules.__file__).parent


@dataclass
class Sandbox:
    """A local AWS with the real zip, and a folder in which the `reconcile` command uses it."""

    root: Path
    environment: Environment
    connection: Connection
    extra_env: Mapping[str, str] = field(default_factory=dict)  # of the emulator's process
    _clients: dict[str, Any] = field(default_factory=dict)  # making one takes longer than ten calls

    @property
    def folder(self) -> Path:
        return self.root / ".sandbox"

    def reconcile(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_forked("reconciler", *words, "--env", "sandbox", cwd=self.root)

    def start(self, *words: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-m", "reconciler", *words, "--env", "sandbox"], subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, stdout=pipe, stderr=pipe, text=True)

    def reconnect(self) -> None:
        """After a restart, which may use another port."""
        self.connection = connect(self.environment, self.folder)
        self._clients.clear()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.connection.session.client(service)
        return self._clients[service]

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / "users" / "sandbox" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def put_row(self, name: str, **attributes: Any) -> None:
        self.client("dynamodb").put_item(
            TableName=self.environment.table,
            Item={**{k: {"S": v} for k, v in key_of(name).items()}, **attributes},
        )

    def rows(self) -> dict[str, Any]:
        """The records of the users, by name."""
        items = self.client("dynamodb").scan(TableName=self.environment.table)["Items"]
        keys = {item["SK"]["S"]: item for item in items}
        return {key.removeprefix("USER#"): item for key, item in keys.items() if key.startswith("USER#")}

    def statuses(self) -> dict[str, str]:
        return {name: record["status"]["S"] for name, record in self.rows().items()}

    def users(self) -> set[str]:
        return {user["UserName"] for user in self.client("iam").list_users()["Users"]}

    def keys(self, name: str) -> list[str]:
        listed = self.client("iam").list_access_keys(UserName=f"smtp-sandbox-{name}")["AccessKeyMetadata"]
        return [key["Status"] for key in listed]

    def key_states(self, name: str) -> dict[str, str]:
        """Access key id → Active or Inactive."""
        listed = self.client("iam").list_access_keys(UserName=f"smtp-sandbox-{name}")["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def invoke(self, kind: str, event: Any = None) -> Any:
        """Invoke the deployed function of that kind. Returns its result."""
        result = self.client("lambda").invoke(
            FunctionName=load_pipeline("sandbox").functions[kind].name, Payload=json.dumps(event or {}).encode()
        )
        payload = json.loads(result["Payload"].read() or b"null")
        assert "FunctionError" not in result, payload
        return payload

    def mapping(self, kind: str) -> dict[str, Any]:
        """The event source mapping of a function."""
        name = load_pipeline("sandbox").functions[kind].name
        (found,) = self.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        return found

    def map_anew(self, kind: str, **changes: Any) -> None:
        self.client("lambda").update_event_source_mapping(UUID=self.mapping(kind)["UUID"], **changes)

    def queue_url(self, kind: str) -> str:
        return self.client("sqs").get_queue_url(QueueName=load_pipeline("sandbox").names[kind])["QueueUrl"]

    def messages(self, kind: str) -> int:
        """How many messages are in a queue, visible or not."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        asked: dict[str, Any] = {"QueueUrl": self.queue_url(kind), "AttributeNames": names}
        attributes = self.client("sqs").get_queue_attributes(**asked)
        return sum(int(attributes["Attributes"][name]) for name in names)

    def pass_time(self, **delta: float) -> None:
        """Advance the clock of the functions."""
        clock = self.root / "clock"
        moved = float(clock.read_text() or 0) + timedelta(**delta).total_seconds()
        clock.write_text(str(moved))

    def log(self) -> str:
        return (self.folder / "ministack.log").read_text()

    def secrets(self) -> list[str]:
        """Every secret access key that the deployed functions received."""
        return re.findall(r"\S+", (self.root / "secrets").read_text())


def install_hook(folder: Path) -> Path:
    """The rules of AWS for the functions of a sandbox, which write secrets and calls to `folder`. For PYTHONPATH.

    The file `clock` in it moves the time of the functions.
    """
    hook = folder / "hook"
    shutil.copytree(HOOK, hook, ignore=shutil.ignore_patterns("__pycache__"))
    notes = ("secrets", "calls", "clock")
    for kind in notes:
        (folder / kind).touch()
    (hook / "notes.json").write_text(json.dumps({kind: str(folder / kind) for kind in notes}))
    return hook


@contextmanager
def make_sandbox(tmp_path: Path, settings: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """A new sandbox with the example manifests. `settings`: additional ones for the emulator."""
    shutil.copy(ROOT / "reconcile.yaml", tmp_path)
    shutil.copytree(ROOT / "users", tmp_path / "users")
    with start_sandbox(tmp_path, settings) as sandbox:
        yield sandbox


@contextmanager
def start_sandbox(root: Path, settings: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """For the manifests of `root`. The functions enforce the rules of AWS."""
    environment = load_environment(root / "reconcile.yaml", "sandbox")
    extra = {"PYTHONPATH": str(install_hook(root)), **(settings or {})}
    folder = root / ".sandbox"
    start_server(folder, environment.account_id, environment.region, extra_env=extra)
    try:
        connection = connect(environment, folder)
        deploy(connection.session, environment, load_pipeline("sandbox"), build_zip())
        yield Sandbox(root, environment, connection, extra)
    finally:
        stop_server(folder)


def eventually(holds: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return holds()

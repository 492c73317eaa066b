"""Runs of the real command in this process, against a mocked account, with its AWS calls counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest
import yaml

from reconciler.cli.main import run
from support.world import ACCOUNT, ENV, REGION, TABLE, World

STATE_WRITE = "UpdateItem APPLIED#state"
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    calls: list[str]

    @property
    def writes(self) -> list[str]:
        """Of records."""
        return [call for call in self.calls if call in WRITES]

    @property
    def stored(self) -> bool:
        """Was it stored what this run applies?"""
        return STATE_WRITE in self.calls


@dataclass
class Checkout:
    """A folder with reconcile.yaml and users/test/*.yaml."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    limits: dict[str, int] = field(default_factory=lambda: {"max_deletes": 2, "max_delete_percent": 50})

    def __post_init__(self) -> None:
        (self.root / "users" / ENV).mkdir(parents=True, exist_ok=True)
        self.configure()

    def configure(self, **changes: Any) -> None:
        environment = {
            "account_id": ACCOUNT,
            "region": REGION,
            "table": TABLE,
            "configuration_set": "smtp-test",
            "allowed_domains": ["example.com", "news.example.com"],
            "allow_wildcards": True,
            "limits": self.limits,
            **changes,
        }
        (self.root / "reconcile.yaml").write_text(yaml.safe_dump({"environments": {ENV: environment}}))

    def declare(self, *entries: dict[str, Any], team: str = "team") -> None:
        path = self.root / "users" / ENV / f"{team}.yaml"
        path.write_text(yaml.safe_dump({"users": list(entries)}, sort_keys=False))

    def run(self, *arguments: str) -> Outcome:
        """Adds --no-wait to a bare reconcile: only the test processes records here."""
        self.capsys.readouterr()
        words = [*arguments]
        if "--wait" not in words and not COMMANDS.intersection(words):
            words.append("--no-wait")
        paths = ["--config", str(self.root / "reconcile.yaml"), "--users", str(self.root / "users")]
        with counted_calls() as calls:
            code = run([*paths, "--env", ENV, *words])
        out, err = self.capsys.readouterr()
        return Outcome(code, out, err, calls)

    def reconcile(self, world: World, *arguments: str) -> Outcome:
        """One run; then the credential manager processes what it wrote."""
        outcome = self.run(*arguments)
        for record in world.store.records():
            world.converge(record.name)
        return outcome


COMMANDS = frozenset(
    {"plan", "status", "dns", "credentials", "drift", "validate", "history", "explain", "who-can-send-as", "report"}
)


def an_entry(name: str = "crm", *addresses: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"Mail of {name}",
        "owner": "team@example.com",
        "allowed_from_addresses": list(addresses or (f"{name}@example.com",)),
        **fields,
    }


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """Names of all AWS operations called by clients that are created from now on."""
    calls: list[str] = []

    def count(model: Any, params: Any, **_: Any) -> None:
        is_state = model.name == "UpdateItem" and "APPLIED#state" in str(params)
        calls.append(STATE_WRITE if is_state else model.name)

    entry = ("provide-client-params", count)  # before any handler that answers a call itself
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield calls
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(entry)

"""A Git repository with manifests, without AWS."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.main import run

SETTINGS: dict[str, Any] = {
    "account_id": "111122223333",
    "region": "eu-central-1",
    "table": "smtp-users-test",
    "configuration_set": "smtp-test",
    "allowed_domains": ["example.com", "news.example.com"],
    "allow_wildcards": True,
    "limits": {"max_deletes": 2, "max_delete_percent": 50},
}


def entry(name: str, *addresses: str, **fields: Any) -> dict[str, Any]:
    given = [*addresses] or [f"{name}@example.com"]
    return {"name": name, "description": name, "owner": "team@example.com", "allowed_from_addresses": given, **fields}


@dataclass
class Repository:
    """`root` is the working directory of the test."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    environments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.git("init", "--initial-branch=main")
        self.configure()

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        done = subprocess.run(
            ["git", "-C", str(self.root), *identity, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def configure(self, env: str = "test", **changes: Any) -> None:
        self.environments[env] = deepcopy(
            {**SETTINGS, "table": f"smtp-users-{env}", **changes}
        )  # else YAML has aliases
        self.write("reconcile.yaml", yaml.safe_dump({"environments": self.environments}))

    def declare(self, *entries: dict[str, Any], file: str = "test/team.yaml") -> None:
        self.write(f"users/{file}", yaml.safe_dump({"users": [*entries]}, sort_keys=False))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = run([*arguments])
        return code, *self.capsys.readouterr()

    def diff(self, *arguments: str) -> dict[str, Any]:
        code, out, err = self.run("diff", "--format", "json", *arguments)
        assert (code, err) == (0, ""), err
        found: dict[str, Any] = json.loads(out)
        return found

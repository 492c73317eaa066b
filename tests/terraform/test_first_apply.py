"""The first apply of environments that are not local, in the order of docs/deploy.md, each in an account of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from reconciler.sandbox.emulator import Server, start_server, stop_server
from support.forked import run_forked
from terraform.conftest import copy_project

TEST: dict[str, Any] = {
    "account_id": "210000000012",
    "region": "eu-central-1",
    "table": "smtp-users-test",
    "configuration_set": "smtp-test",
    "allowed_domains": ["test.smtp.test"],
    "limits": {"max_deletes": 5, "max_delete_percent": 100},
    "github_subject_prefix": "repo:acme/smtp-users",
    "deletion_protection": False,
}
PROD = {
    **TEST,
    "account_id": "210000000034",
    "smtp_regions": ["eu-central-1", "eu-west-1"],
    "table": "platform",
    "configuration_set": "smtp-prod",
    "allowed_domains": ["mail.smtp.test", "news.smtp.test"],
    "github_subject_prefix": "repo:acme@1001/smtp-users@2002",
    "alarm_emails": ["platform@smtp.test"],
    "iam_user_tags": {"cost-center": "4711"},
    "role_path": "/smtp/",
    "tags": {"owner": "platform"},
}
ENTRY = {
    "name": "crm",
    "description": "Mail of the CRM",
    "owner": "crm@smtp.test",
    "allowed_from_addresses": ["crm@test.smtp.test"],
}


@dataclass
class Administrator:
    """Of one account on a local AWS; works in a checkout."""

    root: Path
    environment: str
    server: Server

    def run(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        aws = {
            "AWS_ENDPOINT_URL": self.server.endpoint,
            "AWS_ACCESS_KEY_ID": self.server.account_id,
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        return run_forked(module, *words, cwd=self.root, environ={**os.environ, **aws}, timeout=300)

    def make(self, action: str) -> subprocess.CompletedProcess[str]:
        return self.run("scripts.terraform", action, self.environment)

    def client(self, service: Any, region: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.server.endpoint,
            aws_access_key_id=self.server.account_id,
            aws_secret_access_key="local",
        )


@pytest.fixture(params=["test", "prod"])
def administrator(request: pytest.FixtureRequest, provider: None, tmp_path: Path) -> Iterator[Administrator]:
    settings = {"test": TEST, "prod": PROD}
    root = copy_project(tmp_path)
    (root / "reconcile.yaml").write_text(json.dumps({"environments": settings}), encoding="utf-8")
    shutil.rmtree(root / "users" / "sandbox")
    own = settings[request.param]
    server = start_server(tmp_path / "server", own["account_id"], own["region"], bare=True)
    try:
        yield Administrator(root, request.param, server)
    finally:
        stop_server(tmp_path / "server")


def test_the_first_apply_works_in_the_documented_order(administrator: Administrator) -> None:
    """What comes too early ends in one line with the next step; the second plan is empty; destroy leaves nothing."""
    name = administrator.environment
    settings = {"test": TEST, "prod": PROD}[name]
    bucket = f"smtp-users-state-{settings['account_id']}-eu-central-1"
    early = administrator.make("apply")
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr.splitlines() == [
        f"error: the bucket of the Terraform state, {bucket}, does not exist",
        f"  hint: create it: make bootstrap ENV={name}",
    ]
    assert administrator.make("bootstrap").stdout.splitlines() == [
        f"state bucket {bucket} is configured",
        f"  next: make apply ENV={name}",
    ]
    applied = administrator.make("apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert f"reconcile dns --env {name}" in applied.stdout
    assert f"gh variable set AWS_ROLE_ARN --env {name} --body arn:aws:iam::{settings['account_id']}" in applied.stdout
    assert "No one can read a credential" in applied.stdout
    assert ("No one receives the alarms" in applied.stdout) == (name == "test")
    assert_state_is_in_the_bucket(administrator, bucket)
    assert "No changes." in administrator.make("plan").stdout
    if name == "test":
        assert_users_are_created(administrator)
    destroyed = administrator.make("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert administrator.client("dynamodb", "eu-central-1").list_tables()["TableNames"] == []
    assert administrator.client("sesv2", "eu-central-1").list_email_identities()["EmailIdentities"] == []


def assert_state_is_in_the_bucket(administrator: Administrator, bucket: str) -> None:
    objects = administrator.client("s3", "eu-central-1").list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in objects] == [f"smtp-users/{administrator.environment}.tfstate"]


def assert_users_are_created(administrator: Administrator) -> None:
    """And while one exists, the credential manager is not destroyed."""
    folder = administrator.root / "users" / administrator.environment
    folder.mkdir(parents=True)
    (folder / "crm.yaml").write_text(yaml.safe_dump({"users": [ENTRY]}), encoding="utf-8")
    words = ("reconciler", "apply", "--env", administrator.environment, "--yes")
    granted = administrator.run(*words)
    assert granted.returncode == 0, granted.stderr
    assert "crm" in administrator.run("reconciler", "status", "--env", administrator.environment).stdout
    refused = administrator.make("destroy")
    assert "refused: 1 IAM user of test can still send mail" in refused.stderr
    (folder / "crm.yaml").write_text("users: []\n", encoding="utf-8")
    assert administrator.run(*words, "--allow-empty", "--allow-deletes", "1").returncode == 0

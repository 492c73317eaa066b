"""The module `environment` as the source of another repository's root module."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT
from terraform.conftest import copy_project, terraform

GUIDE = ROOT / "docs" / "existing-resources.md"
OFFLINE = """
  access_key                  = "AKIAIOSFODNN7EXAMPLE"
  secret_key                  = "example"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
"""
SETTINGS = """
environments:
  test:
    account_id: "111122223333"
    region: eu-central-1
    table: smtp-users-test
    configuration_set: smtp-test
    allowed_domains: [example.com]
    limits: {max_deletes: 5, max_delete_percent: 50}
    tags: {team: mail}
"""


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, timeout=60)


def test_the_example_of_the_guide_plans(provider: None, tmp_path: Path) -> None:
    project, root = copy_project(tmp_path / "project"), tmp_path / "mail"
    git(project, "init", "--quiet")
    git(project, "add", "reconciler/pipeline", "terraform")
    git(project, "commit", "--quiet", "--message", "a release")
    git(project, "tag", "v1.0.0")
    (example,) = re.findall(r"```hcl\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    example = example.replace("git::https://github.com/example/smtp-users.git", f"git::file://{project}")
    example = re.sub(r"\n  allowed_account_ids .*\n", OFFLINE, example)
    root.mkdir()
    (root / "main.tf").write_text(example, encoding="utf-8")
    (root / "reconcile.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "lambda.zip").write_bytes(b"")
    assert terraform(root, "init", "-input=false").returncode == 0
    plan = terraform(root, "plan", "-input=false")
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"Plan: [5-9]\d to add, 0 to change, 0 to destroy", plan.stdout)
    assert '"smtp-credential-manager-test"' in plan.stdout
    assert re.search(r'"team" += "mail"', plan.stdout)
    assert "openid_connect_provider" not in plan.stdout

    domains = [f"customer-{number}.mail.example.com" for number in range(130)]
    (root / "reconcile.yaml").write_text(SETTINGS.replace("[example.com]", json.dumps(domains)), encoding="utf-8")
    plan = terraform(root, "plan", "-input=false")
    assert plan.returncode != 0
    said = " ".join(plan.stderr.replace("│", " ").split())
    assert re.search(r"settings of function smtp-sweep-test have \d{4} bytes, and Lambda allows 4,096", said)
    assert "allowed_domains (130 domains)" in said

"""The complete life of a deployment: validate, test the modules, apply, use, plan again, destroy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.pipeline.lambda_zip import ROOT
from terraform.conftest import Deployed, copy_project, terraform

MODULES = sorted(path.parent.name for path in (ROOT / "terraform" / "modules").glob("*/tests"))
one_deployment = pytest.mark.xdist_group("deployed")  # for these tests together; the others run beside them
ENVIRONMENTS = sorted(path.name for path in (ROOT / "terraform" / "environments").iterdir())


def test_the_configuration_is_formatted(provider: None) -> None:
    done = terraform(ROOT / "terraform", "fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, done.stdout


def with_proposed_environments(settings: str) -> str:
    """reconcile.yaml proposes environments `test` and `prod` in comments."""
    begin = settings.index("  # test:\n")
    return settings[:begin] + re.sub("^  # ?", "  ", settings[begin:], flags=re.MULTILINE)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid(provider: None, tmp_path: Path, environment: str) -> None:
    root = copy_project(tmp_path) / "terraform" / "environments" / environment
    settings = (tmp_path / "reconcile.yaml").read_text()
    (tmp_path / "reconcile.yaml").write_text(with_proposed_environments(settings))
    assert re.search(r"^  value += module\.environment$", (root / "main.tf").read_text(), re.MULTILINE)
    (tmp_path / "build").mkdir(exist_ok=True)
    (tmp_path / "build" / "lambda.zip").write_bytes(b"")
    assert terraform(root, "init", "-backend=false", "-input=false").returncode == 0
    done = terraform(root, "validate")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_module_passes_its_own_tests(provider: None, tmp_path: Path, module: str) -> None:
    root = copy_project(tmp_path) / "terraform" / "modules" / module
    assert terraform(root, "init", "-input=false").returncode == 0
    done = terraform(root, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed, 0 failed", done.stdout)


@one_deployment
def test_users_are_reconciled_on_the_deployed_resources(deployed: Deployed) -> None:
    run = deployed.reconcile()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "7 succeeded" in run.stdout
    statuses = json.loads(deployed.reconcile("status", "--format", "json").stdout)
    assert {user["status"] for user in statuses} == {"active", "disabled"}
    assert "SMTP_PASSWORD=" in deployed.reconcile("credentials", "wiki", "--format", "env").stdout


@one_deployment
def test_a_second_plan_has_no_changes(deployed: Deployed) -> None:
    done = deployed.make("plan")
    assert done.returncode == 0, done.stderr
    assert "No changes." in done.stdout


@one_deployment
def test_the_zone_contains_the_records_of_the_deployed_identities(deployed: Deployed) -> None:
    """The emulator reports no DKIM zone: the command says so instead of guessing it."""
    done = deployed.reconcile("dns", "--format", "zone")
    assert done.returncode == 0, done.stderr
    assert "bounce.example.com. 3600 IN MX 10 feedback-smtp.eu-central-1.amazonses.com." in done.stdout
    assert done.stdout.count("._domainkey.example.com CNAME: SES did not report the DKIM zone") == 3
    text = deployed.reconcile("dns").stdout
    assert "SES MAIL FROM domain in eu-central-1" in text
    assert "DNS was not queried" in text


@one_deployment
def test_the_outputs_show_endpoints_records_and_roles(deployed: Deployed) -> None:
    done = deployed.make("outputs")
    assert done.returncode == 0, done.stderr
    for shown in (
        "email-smtp.eu-central-1.amazonaws.com",
        "bounce.example.com",
        "reconcile dns",
        ":role/smtp-reconcile-apply-sandbox",
        ":role/smtp-credential-manager-sandbox",
    ):
        assert shown in done.stdout


@one_deployment
def test_no_secret_is_in_the_state(deployed: Deployed) -> None:
    """I6."""
    assert deployed.reconcile().returncode == 0
    state = (deployed.root / "terraform" / "environments" / "sandbox" / "terraform.tfstate").read_text()
    assert deployed.secrets()
    for secret in deployed.secrets():
        assert secret not in state


@one_deployment
def test_destroy_leaves_nothing_behind(deployed: Deployed) -> None:
    """The last test of this deployment."""
    done = deployed.make("destroy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Destroy complete! Resources: [1-9]\d* destroyed", done.stdout)
    assert not (deployed.root / ".sandbox").exists()
    assert not [*(deployed.root / "terraform/environments/sandbox").glob("*.tfstate*")]

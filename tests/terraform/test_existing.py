"""An account that already has identity, OIDC provider, configuration set and a table with a customer-managed key."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from reconciler.sandbox.emulator import find_server
from scripts.terraform import local_environ
from terraform.conftest import Deployed, apply, bare
from terraform.existing import ACCOUNT, SETTINGS, configure, inventory, prepare

pytestmark = pytest.mark.xdist_group("existing")


@pytest.fixture(scope="module")
def existing(provider: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with bare(tmp_path_factory.mktemp("existing"), **SETTINGS) as sandbox:
        prepare(sandbox.connection.session)
        yield sandbox


def words(output: str) -> str:
    """Without colours, frames and line breaks."""
    return " ".join(re.sub(r"\x1b\[\d+m|│", " ", output).split())


def test_what_does_not_fit_is_refused_before_anything_is_created(existing: Deployed) -> None:
    session = existing.connection.session
    session.client("dynamodb").create_table(
        TableName="keys-only",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    before = inventory(session)
    readers = [f"arn:aws:iam::{ACCOUNT}:role/absent", f"arn:aws:iam::{ACCOUNT}:role/mail-administrators"]
    wrong = {
        "table": "keys-only",
        "credential_readers": readers,
        "identities": {"example.com": "existing", "news.example.com": "existing"},
        "configuration_set": "absent",
    }
    configure(existing.root, **wrong)
    (existing.root / "build").mkdir(exist_ok=True)
    (existing.root / "build" / "lambda.zip").touch()
    assert _terraform(existing, "init").returncode == 0
    done = _terraform(existing, "plan")  # without the questions that `make` asks first
    said = words(done.stderr)
    configure(existing.root, table="smtp-users-sandbox", configuration_set="smtp-sandbox", **SETTINGS)
    session.client("dynamodb").delete_table(TableName="keys-only")
    assert done.returncode != 0
    assert "has the view type KEYS_ONLY instead of NEW_AND_OLD_IMAGES" in said
    assert f'reader["{readers[0]}"]' in said
    assert "but the ARN of this role is arn:aws:iam::000000000000:role/people/mail-administrators" in said
    assert 'data.aws_sesv2_email_identity.existing["news.example.com/eu-central-1"]' in said
    assert 'data.aws_sesv2_configuration_set.existing["eu-central-1"]' in said
    assert inventory(session) == {**before, "tables": ["smtp-users-sandbox"]}


def test_apply_works_at_once_and_destroy_leaves_what_was_there(existing: Deployed) -> None:
    session = existing.connection.session
    before = inventory(session)
    said = words(apply(existing.root))
    assert "Existing identities have no default configuration set: example.com/eu-central-1" in said
    assert "X-SES-CONFIGURATION-SET: smtp-sandbox" in said
    _has_the_rules_of_the_organisation(existing)
    plan = existing.make("plan")
    assert plan.returncode == 0, plan.stderr
    assert "No changes." in plan.stdout

    run = existing.reconcile()
    assert "7 succeeded" in run.stdout, run.stdout + run.stderr
    tags = session.client("iam").list_user_tags(UserName="smtp-sandbox-wiki")["Tags"]
    assert {"Key": "cost-center", "Value": "4711"} in tags
    assert "SMTP_PASSWORD=" in existing.reconcile("credentials", "wiki", "--format", "env").stdout

    destroyed = _terraform(existing, "destroy", "-auto-approve")  # `make destroy` would also stop the local AWS
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert inventory(session) == before


def _has_the_rules_of_the_organisation(existing: Deployed) -> None:
    iam, boundary = existing.client("iam"), SETTINGS["role_permissions_boundary"]
    roles = [role for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("smtp-")]
    assert len(roles) == 7  # three functions, the schedule, two of CI, readers of other accounts
    for role in roles:
        found = iam.get_role(RoleName=role["RoleName"])["Role"]
        assert found["Path"] == "/platform/"
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
        assert {"Key": "team", "Value": "mail"} in found["Tags"]
    trust = iam.get_role(RoleName="smtp-credential-reader-sandbox")["Role"]["AssumeRolePolicyDocument"]
    trust = trust if isinstance(trust, dict) else json.loads(trust)
    assert [statement["Principal"] for statement in trust["Statement"]] == [
        {"AWS": "arn:aws:iam::111122223333:role/mail"}
    ]


def _terraform(existing: Deployed, *words: str) -> subprocess.CompletedProcess[str]:
    """As `make` runs it."""
    server = find_server(existing.folder)
    assert server
    root = existing.root / "terraform" / "environments" / "sandbox"
    command = ["terraform", f"-chdir={root}", *words, "-input=false", "-no-color"]
    env = local_environ(dict(os.environ), server)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)

"""Refusals that the local AWS itself can enforce: it judges actions and resources of the policies that Terraform made.

What hangs on condition keys (boundary, leading key, encryption context) it cannot judge; `test_least_privilege` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from reconciler.sandbox.server import Server, start_server, stop_server
from terraform.conftest import Deployed
from terraform.judging import ALLOW_ALL, Document
from terraform.policies import role_policies

pytestmark = pytest.mark.xdist_group("terraform")

ACCOUNT, REGION = "000000000000", "eu-central-1"
ROW = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#wiki"}}
Call = Callable[[Callable[[str], Any]], Any]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("strict") / "sandbox"
    server = start_server(folder, ACCOUNT, REGION, bare=True, extra_env={"AUTH": "true"})
    try:
        yield server
    finally:
        stop_server(folder)


def client(server: Server, service: str, key: str, secret: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name=REGION,
    )


def probe(server: Server, name: str, policies: tuple[Document, ...]) -> Callable[[str], Any]:
    """Clients of somebody who holds exactly these policies."""
    iam = client(server, "iam", ACCOUNT, "root")
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(policy))
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: client(server, service, key["AccessKeyId"], key["SecretAccessKey"])


def is_refused(call: Call, clients: Callable[[str], Any]) -> bool:
    try:
        call(clients)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


REFUSED: dict[str, tuple[str, Call]] = {
    "the manager writes another table": (
        "manager",
        lambda c: c("dynamodb").update_item(TableName="payroll", Key=ROW),
    ),
    "the manager scans": ("manager", lambda c: c("dynamodb").scan(TableName="smtp-users-sandbox")),
    "the manager decrypts": (
        "manager",
        lambda c: c("kms").decrypt(KeyId="alias/smtp-credentials-sandbox", CiphertextBlob=b"x"),
    ),
    "the manager makes a user elsewhere": (
        "manager",
        lambda c: c("iam").create_user(UserName="administrator", Path="/people/"),
    ),
    "the manager makes a key for somebody else": (
        "manager",
        lambda c: c("iam").create_access_key(UserName="administrator"),
    ),
    "the manager looks at somebody else": ("manager", lambda c: c("iam").get_user(UserName="administrator")),
    "CI's plan writes": ("plan", lambda c: c("dynamodb").put_item(TableName="smtp-users-sandbox", Item=ROW)),
    "CI's apply deletes": (
        "apply",
        lambda c: c("dynamodb").delete_item(TableName="smtp-users-sandbox", Key=ROW),
    ),
    "CI's apply decrypts": (
        "apply",
        lambda c: c("kms").decrypt(KeyId="alias/smtp-credentials-sandbox", CiphertextBlob=b"x"),
    ),
    "CI's apply makes a user": ("apply", lambda c: c("iam").create_user(UserName="smtp-sandbox-x")),
}


def test_the_local_aws_refuses_what_it_can_judge(deployed: Deployed, strict: Server) -> None:
    """And lets the same calls through for somebody who may do everything: the refusals are the roles' doing."""
    holders = {who: probe(strict, who, role_policies(deployed, who)) for who in ("manager", "plan", "apply")}
    everybody = probe(strict, "everything", (ALLOW_ALL,))
    let_through = [what for what, (who, call) in REFUSED.items() if not is_refused(call, holders[who])]
    assert let_through == []
    assert [what for what, (_, call) in REFUSED.items() if is_refused(call, everybody)] == []
    with pytest.raises(ClientError, match="NoSuchEntity"):
        holders["manager"]("iam").get_user(UserName="smtp-sandbox-absent")

"""Denials that the local AWS itself enforces: it evaluates actions and resources of the deployed policies.

It cannot evaluate condition keys (boundary, leading key, encryption context); `test_refusals` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from reconciler.sandbox.emulator import Server, start_server, stop_server
from terraform.conftest import Deployed
from terraform.judging import ALLOW_ALL, Document
from terraform.policies import HOLDERS, policies_of

pytestmark = pytest.mark.xdist_group("terraform")

ACCOUNT, REGION = "000000000000", "eu-central-1"
ROW = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#wiki"}}
TABLE, OWN_PATH = "smtp-users-sandbox", "/smtp/sandbox/"
Clients = Callable[[str], Any]
Call = Callable[[Clients], Any]


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


def probe(server: Server, name: str, policies: tuple[Document, ...]) -> Clients:
    """Clients of a user with exactly these policies."""
    iam = client(server, "iam", ACCOUNT, "root")
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(policy))
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: client(server, service, key["AccessKeyId"], key["SecretAccessKey"])


def is_refused(call: Call, clients: Clients) -> bool:
    try:
        call(clients)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


def decrypt(clients: Clients) -> None:
    clients("kms").decrypt(KeyId="alias/smtp-credentials-sandbox", CiphertextBlob=b"x")


def receive(clients: Clients, queue: str) -> None:
    sqs = clients("sqs")
    sqs.receive_message(QueueUrl=f"{sqs.meta.endpoint_url}/{ACCOUNT}/{queue}")


REFUSED: dict[str, tuple[str, Call]] = {
    "the manager writes another table": (
        "manager",
        lambda c: c("dynamodb").update_item(TableName="payroll", Key=ROW),
    ),
    "the manager scans": ("manager", lambda c: c("dynamodb").scan(TableName=TABLE)),
    "the manager decrypts": (
        "manager",
        decrypt,
    ),
    "the manager creates a user under another path": (
        "manager",
        lambda c: c("iam").create_user(UserName="administrator", Path="/people/"),
    ),
    "the manager creates a key for another user": (
        "manager",
        lambda c: c("iam").create_access_key(UserName="administrator"),
    ),
    "the manager reads another user": ("manager", lambda c: c("iam").get_user(UserName="administrator")),
    "the manager lists users": ("manager", lambda c: c("iam").list_users()),
    "the dead-letter function lists users": ("dead_letter", lambda c: c("iam").list_users()),
    "the dead-letter function decrypts": ("dead_letter", decrypt),
    "the dead-letter function receives parked messages": ("dead_letter", lambda c: receive(c, "smtp-parked-sandbox")),
    "the dead-letter function scans": ("dead_letter", lambda c: c("dynamodb").scan(TableName=TABLE)),
    "the sweep decrypts": ("sweep", decrypt),
    "the sweep receives dead letters": ("sweep", lambda c: receive(c, "smtp-dead-letters-sandbox")),
    "the sweep creates a key for another user": (
        "sweep",
        lambda c: c("iam").create_access_key(UserName="administrator"),
    ),
    "CI's plan writes": ("plan", lambda c: c("dynamodb").put_item(TableName=TABLE, Item=ROW)),
    "CI's apply deletes": (
        "apply",
        lambda c: c("dynamodb").delete_item(TableName=TABLE, Key=ROW),
    ),
    "CI's apply decrypts": (
        "apply",
        decrypt,
    ),
    "CI's apply creates a user": ("apply", lambda c: c("iam").create_user(UserName="smtp-sandbox-x")),
    "CI's plan creates a user": ("plan", lambda c: c("iam").create_user(UserName="smtp-sandbox-x", Path=OWN_PATH)),
    "an operator decrypts": ("operator", decrypt),
    "an operator creates a user": (
        "operator",
        lambda c: c("iam").create_user(UserName="smtp-sandbox-x", Path=OWN_PATH),
    ),
    "an operator puts a record": ("operator", lambda c: c("dynamodb").put_item(TableName=TABLE, Item=ROW)),
    "an operator receives from another queue": ("operator", lambda c: receive(c, "payroll")),
    "the schedule invokes another function": (
        "scheduler",
        lambda c: c("lambda").invoke(FunctionName="smtp-credential-manager-sandbox"),
    ),
}
# Calls that the same principals may make. The local AWS does not deny them; some fail because the resource is missing.
# Calls on records are not listed: the local AWS does not support leading keys, and denies every principal restricted by
# them.
LET_THROUGH: dict[str, tuple[str, Call]] = {
    "the dead-letter function receives": ("dead_letter", lambda c: receive(c, "smtp-dead-letters-sandbox")),
    "the sweep lists users": ("sweep", lambda c: c("iam").list_users()),
    "CI's plan lists users": ("plan", lambda c: c("iam").list_users()),
    "an operator lists users": ("operator", lambda c: c("iam").list_users()),
    "an operator receives parked messages": ("operator", lambda c: receive(c, "smtp-parked-sandbox")),
    "the schedule invokes the sweep": ("scheduler", lambda c: c("lambda").invoke(FunctionName="smtp-sweep-sandbox")),
}


def test_the_local_aws_denies_what_it_can_evaluate(inhabited: Deployed, strict: Server) -> None:
    """A principal with all permissions can make the same calls, so the roles are the reason for the denials."""
    holders = {who: probe(strict, who, policies_of(inhabited, who)) for who in HOLDERS}
    everybody = probe(strict, "everything", (ALLOW_ALL,))
    assert [what for what, (who, call) in REFUSED.items() if not is_refused(call, holders[who])] == []
    assert [what for what, (_, call) in REFUSED.items() if is_refused(call, everybody)] == []
    assert [what for what, (who, call) in LET_THROUGH.items() if is_refused(call, holders[who])] == []
    with pytest.raises(ClientError, match="NoSuchEntity"):
        holders["manager"]("iam").get_user(UserName="smtp-sandbox-absent")

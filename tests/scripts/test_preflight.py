"""What `make plan` and `make apply` ask AWS before Terraform starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from reconciler.engine.session import Connection, connect_checked
from reconciler.errors import ReconcileError, Refused
from reconciler.manifests.environments import load_environment
from scripts.preflight import check_deletable, check_resources, check_state_bucket, find_oidc_provider
from scripts.state_bucket import make_state_bucket
from support.world import ACCOUNT, REGION

OURS = [{"Key": "project", "Value": "ses-smtp-users"}, {"Key": "environment", "Value": "test"}]
READER = f"arn:aws:iam::{ACCOUNT}:role/mail/readers"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def connection(tmp_path: Path, **settings: Any) -> Connection:
    environment = {
        "account_id": ACCOUNT,
        "region": REGION,
        "table": "smtp-users-test",
        "configuration_set": "smtp-test",
        "allowed_domains": ["mail.smtp.test", "news.smtp.test"],
        "limits": {"max_deletes": 1, "max_delete_percent": 10},
        **settings,
    }
    path = tmp_path / "reconcile.yaml"
    path.write_text(json.dumps({"environments": {"test": environment}}), encoding="utf-8")
    return connect_checked(load_environment(path, "test"), tmp_path)


def refusals(tmp_path: Path, **settings: Any) -> list[tuple[str, str]]:
    try:
        check_resources(connection(tmp_path, **settings))
    except Refused as refused:
        return list(refused.reasons)
    return []


def make_table(view: str = "NEW_AND_OLD_IMAGES", key: str = "PK", tags: list[dict[str, str]] | None = None) -> None:
    stream: Any = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    boto3.client("dynamodb").create_table(
        TableName="smtp-users-test",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        StreamSpecification=stream,
        Tags=tags or [],  # type: ignore[arg-type]
    )


def test_a_fresh_account_has_nothing_in_the_way(tmp_path: Path) -> None:
    assert refusals(tmp_path) == []
    assert find_oidc_provider(connection(tmp_path, github_subject_prefix="repo:acme/smtp")) == ""


def test_what_an_earlier_apply_created_is_not_in_the_way(tmp_path: Path) -> None:
    ses = boto3.client("sesv2")
    ses.create_email_identity(EmailIdentity="mail.smtp.test", Tags=OURS)
    ses.create_configuration_set(ConfigurationSetName="smtp-test", Tags=OURS)
    make_table(tags=OURS)
    assert refusals(tmp_path) == []


def test_what_exists_already_must_be_declared(tmp_path: Path) -> None:
    """A domain that is not ours to manage is another matter: it is not looked at."""
    ses = boto3.client("sesv2")
    for domain in ("mail.smtp.test", "other.smtp.test"):
        ses.create_email_identity(EmailIdentity=domain, Tags=[OURS[0], {"Key": "environment", "Value": "prod"}])
    ses.create_configuration_set(ConfigurationSetName="smtp-test")
    make_table()
    stranger = f"exists already in {REGION}, and this environment did not create it"
    found = {
        "the SES identity mail.smtp.test": "identities: {mail.smtp.test: existing}",
        "the configuration set smtp-test": "existing_configuration_set: true",
        "the table smtp-users-test": "existing_table: true",
    }
    assert refusals(tmp_path) == [
        (f"{what} {stranger}", f"to use it as it is, set {setting}; else choose another name")
        for what, setting in found.items()
    ]
    declared = {
        "identities": {"mail.smtp.test": "existing"},
        "existing_configuration_set": True,
        "existing_table": True,
    }
    assert refusals(tmp_path, **declared) == []


def test_what_is_declared_as_existing_must_exist(tmp_path: Path) -> None:
    declared = {
        "identities": {"news.smtp.test": "existing"},
        "existing_configuration_set": True,
        "existing_table": True,
    }
    assert [reason for reason, _ in refusals(tmp_path, **declared)] == [
        f"the SES identity news.smtp.test does not exist in {REGION}",
        f"the configuration set smtp-test does not exist in {REGION}",
        f"the table smtp-users-test does not exist in {REGION}",
    ]


def test_what_terraform_would_delete_is_not_declared_as_existing(tmp_path: Path) -> None:
    boto3.client("sesv2").create_email_identity(EmailIdentity="mail.smtp.test", Tags=OURS)
    ((reason, hint),) = refusals(tmp_path, identities={"mail.smtp.test": "existing"})
    assert reason.endswith("was created by this environment, and is declared as existing: it would be deleted")
    assert hint.startswith("remove identities: {mail.smtp.test: existing}")


@pytest.mark.parametrize(
    ("view", "key", "reason"),
    [
        ("KEYS_ONLY", "PK", "the stream of the table smtp-users-test is KEYS_ONLY; NEW_AND_OLD_IMAGES is required"),
        ("NEW_IMAGE", "PK", "the stream of the table smtp-users-test is NEW_IMAGE; NEW_AND_OLD_IMAGES is required"),
        ("", "PK", "the table smtp-users-test has no stream"),
        ("NEW_AND_OLD_IMAGES", "pk", "the key of the table smtp-users-test is not PK and SK, both strings"),
    ],
)
def test_an_existing_table_has_our_key_and_a_complete_stream(view: str, key: str, reason: str, tmp_path: Path) -> None:
    make_table(view, key)
    ((told, hint),) = refusals(tmp_path, existing_table=True)
    assert told == reason
    assert ("StreamViewType=NEW_AND_OLD_IMAGES" in hint) == ("stream" in reason)


def test_every_reader_exists_under_its_path(tmp_path: Path) -> None:
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    user = f"arn:aws:iam::{ACCOUNT}:user/reader"
    ((reason, hint),) = refusals(tmp_path, credential_readers=[READER, user])
    assert (reason, hint) == (f"credential_readers: {READER} does not exist", "create the role, or remove it")
    iam.create_role(RoleName="readers", AssumeRolePolicyDocument=TRUST)
    ((reason, hint),) = refusals(tmp_path, credential_readers=[READER, user])
    assert reason == f"credential_readers: {READER} does not exist; there is arn:aws:iam::{ACCOUNT}:role/readers"
    iam.delete_role(RoleName="readers")
    iam.create_role(RoleName="readers", Path="/mail/", AssumeRolePolicyDocument=TRUST)
    assert refusals(tmp_path, credential_readers=[READER, user]) == []


def test_the_boundary_of_the_roles_exists(tmp_path: Path) -> None:
    limit = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    ((reason, _),) = refusals(tmp_path, role_permissions_boundary=limit)
    assert reason == f"role_permissions_boundary: {limit} does not exist"
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    boto3.client("iam").create_policy(PolicyName="limit", PolicyDocument=json.dumps(everything))
    assert refusals(tmp_path, role_permissions_boundary=limit) == []


class Body(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@pytest.mark.parametrize(
    ("limit", "unreserved", "most"),
    [(16, 16, 6), (10, 10, 0), (1000, 1000, 900), (1000, 105, 5)],  # the last one: others reserved the rest
)
def test_what_the_account_must_keep_unreserved_is_not_reserved(
    limit: int, unreserved: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Any, **_: Any) -> AWSResponse:
        limits = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
        return AWSResponse(request.url, 200, {}, Body(json.dumps({"AccountLimit": limits}).encode()))

    handler = ("before-send.lambda.GetAccountSettings", answer, handlers.REGISTER_FIRST)
    monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, handler])
    ((reason, hint),) = refusals(tmp_path, reserved_concurrency={"manager": most + 1})
    assert reason == f"reserved_concurrency reserves {most + 1}, and the account can reserve at most {most} more"
    assert "request a higher limit" in hint
    if most:
        assert refusals(tmp_path, reserved_concurrency={"manager": most}) == []


def test_an_oidc_provider_of_others_is_used(tmp_path: Path) -> None:
    iam = boto3.client("iam")
    url = "https://token.actions.githubusercontent.com"
    iam.create_open_id_connect_provider(Url="https://oidc.smtp.test", ThumbprintList=["a" * 40])
    arn = iam.create_open_id_connect_provider(Url=url, ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    prefix = "repo:acme/smtp"
    assert find_oidc_provider(connection(tmp_path, github_subject_prefix=prefix)) == arn
    assert find_oidc_provider(connection(tmp_path)) == ""
    assert find_oidc_provider(connection(tmp_path, github_subject_prefix=prefix, oidc_provider_arn=arn)) == ""
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=OURS)
    assert find_oidc_provider(connection(tmp_path, github_subject_prefix=prefix)) == ""


def test_the_provider_that_is_named_exists_and_is_not_ours(tmp_path: Path) -> None:
    """Terraform would delete its own provider once it is named as an existing one."""
    iam = boto3.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    ((reason, _),) = refusals(tmp_path, oidc_provider_arn=arn)
    assert reason == f"oidc_provider_arn: {arn} does not exist"
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ThumbprintList=["a" * 40])
    assert refusals(tmp_path, oidc_provider_arn=arn) == []
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=OURS)
    ((reason, _),) = refusals(tmp_path, oidc_provider_arn=arn)
    assert reason == f"oidc_provider_arn: {arn} was created by this environment, and would be deleted"


def test_a_protected_table_stops_a_destroy_before_it_begins(tmp_path: Path) -> None:
    check_deletable(connection(tmp_path))
    make_table(tags=OURS)
    check_deletable(connection(tmp_path))
    boto3.client("dynamodb").update_table(TableName="smtp-users-test", DeletionProtectionEnabled=True)
    with pytest.raises(Refused) as refused:
        check_deletable(connection(tmp_path))
    assert refused.value.reasons[0][0] == "the table smtp-users-test is protected from deletion"
    check_deletable(connection(tmp_path, existing_table=True))


def test_the_state_bucket_exists_and_belongs_to_the_account(tmp_path: Path) -> None:
    made = connection(tmp_path)
    with pytest.raises(ReconcileError, match="does not exist") as missing:
        check_state_bucket(made)
    assert missing.value.hint == "create it: make bootstrap ENV=test"
    make_state_bucket(made.environment)
    check_state_bucket(made)

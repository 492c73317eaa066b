"""The bucket of Terraform's state, and the questions before a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from reconciler.errors import ReconcileError, Refused
from reconciler.manifests.environments import Environment, load_environment
from scripts.state_bucket import configure_bucket, make_state_bucket, state_bucket_name
from scripts.terraform import CONFIG, Deployment, main
from support.world import REGION


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3")


@pytest.mark.parametrize("region", [REGION, "us-east-1"])
def test_it_is_versioned_encrypted_private_and_made_once(s3: Any, region: str) -> None:
    client = boto3.client("s3", region_name=region)
    for _ in range(2):
        configure_bucket(client, "state", region)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["state"]
    assert client.get_bucket_versioning(Bucket="state")["Status"] == "Enabled"
    assert client.get_bucket_encryption(Bucket="state")["ServerSideEncryptionConfiguration"]["Rules"]
    assert set(client.get_public_access_block(Bucket="state")["PublicAccessBlockConfiguration"].values()) == {True}
    policy = json.loads(client.get_bucket_policy(Bucket="state")["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_bucket_of_somebody_else_is_not_taken_for_ours(s3: Any) -> None:
    def taken(**_: Any) -> None:
        raise s3.exceptions.BucketAlreadyExists(
            {"Error": {"Code": "BucketAlreadyExists", "Message": "taken"}}, "CreateBucket"
        )

    s3.meta.events.register("before-call.s3.CreateBucket", taken)
    with pytest.raises(ReconcileError, match="s3:CreateBucket: BucketAlreadyExists"):
        configure_bucket(s3, "state", REGION)


def test_it_is_not_made_in_another_account(s3: Any) -> None:
    environment = replace(load_environment(CONFIG, "sandbox"), account_id="111122223333", local=False)
    assert state_bucket_name(environment) == "smtp-users-state-111122223333-eu-central-1"
    with pytest.raises(Refused):
        make_state_bucket(environment)
    assert s3.list_buckets()["Buckets"] == []


def test_the_sandbox_needs_no_bucket() -> None:
    with pytest.raises(ReconcileError, match="its state is in a file"):
        Deployment(load_environment(CONFIG, "sandbox")).bootstrap()


@pytest.mark.parametrize("action", ["apply", "destroy"])
def test_where_confirmation_is_required_nothing_changes_without_a_terminal(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment is called: `confirm: true` decides."""
    ran: list[str] = []

    def record(_: Deployment, *words: str, **__: object) -> str:
        ran.append(words[0])
        return "{}"

    monkeypatch.setattr(Deployment, "_terraform", record)
    monkeypatch.setattr(Deployment, "_connect", lambda _: None)
    monkeypatch.setattr("scripts.terraform.find_oidc_provider", lambda _: "")
    monkeypatch.setattr("scripts.terraform.check_resources", lambda _: None)
    monkeypatch.setattr("scripts.terraform.check_deletable", lambda _: None)
    monkeypatch.setattr(Deployment, "_show_next_steps", lambda _: None)
    monkeypatch.setattr(Deployment, "_refuse_while_users_exist", lambda _: None)
    monkeypatch.setattr("scripts.terraform.build_zip", lambda: None)
    asks = Deployment(with_confirmation(True))
    with pytest.raises(ReconcileError, match=r"confirmation is required to .* in sandbox \(confirm: true\)"):
        getattr(asks, action)()
    assert action not in ran
    getattr(Deployment(with_confirmation(False)), action)()
    assert action in ran


def with_confirmation(required: bool) -> Environment:
    environment = load_environment(CONFIG, "sandbox")
    return replace(environment, local=False, deployment=replace(environment.deployment, confirm=required))


def test_an_unknown_environment_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "staging"], standalone_mode=False)
    assert ended.value.code == 1
    assert "no environment 'staging'" in capsys.readouterr().err

"""The bucket of Terraform's state, and the questions before a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from reconciler.errors import ReconcileError, Refused
from reconciler.manifests.environments import load_environment
from reconciler.pipeline.lambda_zip import ROOT
from scripts.state_bucket import configure_bucket, make_state_bucket, state_bucket_name
from scripts.terraform import Deployment, main
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
    environment = load_environment(ROOT / "reconcile.yaml", "test")
    assert state_bucket_name(environment) == "smtp-users-state-111122223333-eu-central-1"
    with pytest.raises(Refused):
        make_state_bucket(environment)
    assert s3.list_buckets()["Buckets"] == []


def test_the_sandbox_needs_no_bucket() -> None:
    with pytest.raises(ReconcileError, match="its state is in a file"):
        Deployment(load_environment(ROOT / "reconcile.yaml", "sandbox")).bootstrap()


def test_prod_is_not_changed_without_a_terminal() -> None:
    with pytest.raises(ReconcileError, match="confirmation is required to apply this plan in prod"):
        Deployment(load_environment(ROOT / "reconcile.yaml", "prod"))._ask("apply this plan")


def test_an_unknown_environment_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "staging"], standalone_mode=False)
    assert ended.value.code == 1
    assert "no environment 'staging'" in capsys.readouterr().err

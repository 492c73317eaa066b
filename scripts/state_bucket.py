"""The S3 bucket for the Terraform state: versioned, encrypted, private, reachable over TLS only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.aws.client import aws_errors
from reconciler.core.arn import bucket_arn
from reconciler.engine.session import connect_checked
from reconciler.errors import AwsError
from reconciler.manifests.environments import Environment

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def state_bucket_name(environment: Environment) -> str:
    """Bucket names are global, so the name contains account and region."""
    return f"smtp-users-state-{environment.account_id}-{environment.region}"


def make_state_bucket(environment: Environment) -> str:
    """Idempotent: creates the bucket if it is missing, and applies every setting each time. Returns its name."""
    connection = connect_checked(environment, Path())
    name = state_bucket_name(environment)
    configure_bucket(connection.session.client("s3"), name, environment.region)
    return name


def configure_bucket(client: S3Client, name: str, region: str) -> None:
    _create(client, name, region)
    with aws_errors("s3:PutBucketVersioning"):
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    with aws_errors("s3:PutEncryptionConfiguration"):
        rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
        client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    with aws_errors("s3:PutBucketPublicAccessBlock"):
        client.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
    with aws_errors("s3:PutBucketPolicy"):
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(_tls_only(name, region)))


def _create(client: S3Client, name: str, region: str) -> None:
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        with aws_errors("s3:CreateBucket"):
            client.create_bucket(Bucket=name, **where)
    except AwsError as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise


def _tls_only(name: str, region: str) -> dict[str, Any]:
    arn = bucket_arn(region, name)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }

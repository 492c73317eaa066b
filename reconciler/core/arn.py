"""ARNs of the services that this system uses. The region determines the partition."""

from __future__ import annotations


def partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def ses_arn(region: str, account_id: str, resource: str) -> str:
    return f"arn:{partition(region)}:ses:{region}:{account_id}:{resource}"


def iam_arn(region: str, account_id: str, resource: str) -> str:
    """IAM is global: `region` is any region of the partition."""
    return f"arn:{partition(region)}:iam::{account_id}:{resource}"


def bucket_arn(region: str, bucket: str) -> str:
    return f"arn:{partition(region)}:s3:::{bucket}"


def account_of(arn: str) -> str:
    """The account id in an ARN."""
    return arn.split(":")[4]

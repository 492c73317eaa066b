from __future__ import annotations

import pytest

from reconciler.core.arn import bucket_arn, iam_arn, ses_arn


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_an_arn_is_in_the_partition_of_its_region(region: str, partition: str) -> None:
    assert ses_arn(region, "123456789012", "identity/*") == f"arn:{partition}:ses:{region}:123456789012:identity/*"
    assert iam_arn(region, "123456789012", "user/x") == f"arn:{partition}:iam::123456789012:user/x"
    assert bucket_arn(region, "state") == f"arn:{partition}:s3:::state"

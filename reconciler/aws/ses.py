"""SES: the state of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.core.ses import HEALTHY, SesAccount

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client


def read_account(client: SESV2Client, region: str) -> SesAccount:
    """Raises AwsError."""
    with aws_errors("ses:GetAccount"):
        found = client.get_account()
    return SesAccount(
        region=region,
        sandbox=not found.get("ProductionAccessEnabled", False),
        sending_enabled=found.get("SendingEnabled", True),
        enforcement=found.get("EnforcementStatus", HEALTHY),
    )

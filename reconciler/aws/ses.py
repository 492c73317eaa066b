"""SES: the state of the account and of identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.core.ses import HEALTHY, SesAccount, SesIdentity

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


def read_identity(client: SESV2Client, region: str, domain: str) -> SesIdentity | None:
    """None if the account has no such identity in this region. Raises AwsError."""
    with aws_errors("ses:GetEmailIdentity"):
        try:
            found = client.get_email_identity(EmailIdentity=domain)
        except client.exceptions.NotFoundException:
            return None
    dkim = found.get("DkimAttributes", {})
    mail_from = found.get("MailFromAttributes", {})
    return SesIdentity(
        region=region,
        verified=found.get("VerifiedForSendingStatus", False),
        dkim_status=dkim.get("Status", "NOT_STARTED"),
        dkim_signing=dkim.get("SigningEnabled", True),
        dkim_tokens=tuple(dkim.get("Tokens", [])),
        dkim_zone=dkim.get("SigningHostedZone", ""),
        dkim_origin=dkim.get("SigningAttributesOrigin", "AWS_SES"),
        mail_from=mail_from.get("MailFromDomain", ""),
        mail_from_status=mail_from.get("MailFromDomainStatus", ""),
        configuration_set=found.get("ConfigurationSetName", ""),
    )

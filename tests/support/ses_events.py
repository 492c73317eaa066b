"""Events as SES publishes them to EventBridge, with all tags of a message that was sent over SMTP.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html (detail),
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html (envelope)
"""

from __future__ import annotations

from typing import Any

RECIPIENT = "unknown@example.org"

BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": RECIPIENT,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ],
    "timestamp": "2026-11-22T14:31:08.669Z",
    "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
    "reportingMTA": "dsn; mta.example.org",
}
COMPLAINT = {
    "complainedRecipients": [{"emailAddress": RECIPIENT}],
    "timestamp": "2026-11-22T14:32:08.669Z",
    "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
    "userAgent": "Amazon SES Mailbox Simulator",
    "complaintFeedbackType": "abuse",
    "arrivalDate": "2026-11-22T14:32:08.669Z",
}
DELAY = {
    "timestamp": "2026-11-22T14:33:08.669Z",
    "delayType": "TransientCommunicationFailure",
    "expirationTime": "2026-11-23T02:31:07.012Z",
    "delayedRecipients": [
        {
            "emailAddress": RECIPIENT,
            "status": "4.4.1",
            "diagnosticCode": "smtp; 421 4.4.1 Unable to connect",
        }
    ],
}
FAILURE = {"errorMessage": "Attribute 'name' is not present in the rendering data.", "templateName": "welcome"}

# detail-type → eventType and the members before and after `mail`, in the order of SES.
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Email Bounced": ("Bounce", {"bounce": BOUNCE}, {}),
    "Email Complaint Received": ("Complaint", {"complaint": COMPLAINT}, {}),
    "Email Rejected": ("Reject", {}, {"reject": {"reason": "Bad content"}}),
    "Email Delivery Delayed": ("DeliveryDelay", {}, {"deliveryDelay": DELAY}),
    "Email Rendering Failed": ("Rendering Failure", {}, {"failure": FAILURE}),
    "Email Delivered": ("Delivery", {}, {"delivery": {"recipients": [RECIPIENT], "smtpResponse": "250 2.0.0 OK"}}),
}


def ses_event(
    detail_type: str,
    iam_user: str,
    *,
    configuration_set: str,
    account: str = "111122223333",
    region: str = "eu-central-1",
    headers: tuple[tuple[str, str], ...] = (),
) -> dict[str, Any]:
    event_type, before, after = KINDS[detail_type]
    all_headers = (("From", "Billing <billing@example.com>"), ("To", RECIPIENT), ("Subject", "Your invoice"), *headers)
    mail = {
        "timestamp": "2026-11-22T14:31:07.012Z",
        "source": "Billing <billing@example.com>",
        "sourceArn": f"arn:aws:ses:{region}:{account}:identity/example.com",
        "sendingAccountId": account,
        "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
        "destination": [RECIPIENT],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in all_headers],
        "commonHeaders": {"from": ["Billing <billing@example.com>"], "to": [RECIPIENT], "subject": "Your invoice"},
        "tags": {
            "ses:operation": ["SendSmtpEmail"],
            "ses:configuration-set": [configuration_set],
            "ses:source-ip": ["203.0.113.7"],
            "ses:from-domain": ["example.com"],
            "ses:caller-identity": [iam_user],
        },
    }
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": detail_type,
        "source": "aws.ses",
        "account": account,
        "time": "2026-11-22T14:31:09Z",
        "region": region,
        "resources": [f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"],
        "detail": {"eventType": event_type, **before, "mail": mail, **after},
    }

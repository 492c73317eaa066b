"""What is wrong with an SES account."""

from __future__ import annotations

from reconciler.core.ses import SesAccount

CONSOLE = "SES console of the region, Account dashboard"


def account_warnings(account: SesAccount) -> list[tuple[str, str]]:
    """(what, how to fix it).

    https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
    https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-account-status.html
    """
    region, found = account.region, []
    if account.paused:
        reason = "AWS paused sending" if account.sending_enabled else "sending is disabled"
        found.append((f"SES in {region}: {reason}; every message is rejected", f"see the reason in the {CONSOLE}"))
    if account.under_review:
        what = f"SES in {region}: the account is under review ({account.enforcement})"
        found.append((what, f"see the reason in the {CONSOLE}, and fix it before AWS pauses sending"))
    if account.sandbox:
        what = f"SES in {region}: the account is in the SES sandbox: 200 messages a day, to verified recipients only"
        found.append((what, f"request production access: {CONSOLE}"))
    return found

"""What the state of an SES account means."""

from __future__ import annotations

import pytest

from reconciler.core.ses import SesAccount


@pytest.mark.parametrize(
    ("sending_enabled", "enforcement", "paused", "under_review"),
    [
        (True, "HEALTHY", False, False),
        (True, "PROBATION", False, True),
        (True, "SHUTDOWN", True, False),
        (False, "HEALTHY", True, False),
        (False, "PROBATION", True, False),
    ],
)
def test_an_account_is_paused_or_under_review_or_neither(
    sending_enabled: bool, enforcement: str, paused: bool, under_review: bool
) -> None:
    account = SesAccount("eu-central-1", False, sending_enabled, enforcement)
    assert (account.paused, account.under_review) == (paused, under_review)

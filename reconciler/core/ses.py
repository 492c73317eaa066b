"""What SES says about the account in a region."""

from __future__ import annotations

from dataclasses import dataclass

HEALTHY = "HEALTHY"  # SES: HEALTHY, PROBATION (under review) or SHUTDOWN (paused)
PAUSED = "SHUTDOWN"


@dataclass(frozen=True, slots=True)
class SesAccount:
    """`sandbox`: only verified recipients, and 200 messages a day. `enforcement`: HEALTHY, PROBATION or SHUTDOWN.

    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
    """

    region: str
    sandbox: bool
    sending_enabled: bool
    enforcement: str

    @property
    def paused(self) -> bool:
        return not self.sending_enabled or self.enforcement == PAUSED

    @property
    def under_review(self) -> bool:
        return not self.paused and self.enforcement != HEALTHY

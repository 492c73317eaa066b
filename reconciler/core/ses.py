"""What SES says about the account and about an identity in a region."""

from __future__ import annotations

from dataclasses import dataclass

HEALTHY = "HEALTHY"  # SES: HEALTHY, PROBATION (under review) or SHUTDOWN (paused)
PAUSED = "SHUTDOWN"
SUCCESS = "SUCCESS"  # of DKIM and of MAIL FROM
OWN_KEY = "EXTERNAL"  # DKIM with a key that the owner of the domain brought


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


@dataclass(frozen=True, slots=True)
class SesIdentity:
    """`dkim_tokens`: the labels of the CNAMEs; with an own key, its selector. `dkim_zone`: the zone that the CNAMEs
    point to, empty where SES does not report it. `mail_from`: empty if the identity has no own MAIL FROM domain.

    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html
    """

    region: str
    verified: bool
    dkim_status: str
    dkim_tokens: tuple[str, ...] = ()
    dkim_zone: str = ""
    dkim_origin: str = "AWS_SES"
    mail_from: str = ""
    mail_from_status: str = ""
    configuration_set: str = ""
    dkim_signing: bool = True

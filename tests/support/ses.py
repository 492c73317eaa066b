"""SES as far as the commands read it: accounts and identities by region, behind the real client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import botocore.handlers

HEALTHY = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}


@dataclass
class FakeSes:
    """`refused`: error codes by operation. `account`: of a region that is not among the accounts."""

    account: dict[str, Any] = field(default_factory=HEALTHY.copy)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    identities: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """For every client that is created meanwhile."""
        entries = [
            ("before-call.sesv2.GetAccount", self._get_account),
            ("before-call.sesv2.GetEmailIdentity", self._get_identity),
        ]
        handlers: list[Any] = botocore.handlers.BUILTIN_HANDLERS
        handlers.extend(entries)
        try:
            yield
        finally:
            for entry in entries:
                handlers.remove(entry)

    def _get_account(self, context: dict[str, Any], **_: Any) -> Any:
        return self._refuse("GetAccount") or _found(self.accounts.get(context["client_region"], self.account))

    def _get_identity(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
        found = self.identities.get((context["client_region"], unquote(params["url_path"].rpartition("/")[2])))
        return self._refuse("GetEmailIdentity") or (_found(found) if found else _error(404, "NotFoundException"))

    def _refuse(self, operation: str) -> Any:
        return _error(403, self.refused[operation]) if operation in self.refused else None


def _found(answer: dict[str, Any]) -> Any:
    return SimpleNamespace(status_code=200, headers={}), answer


def _error(status: int, code: str) -> Any:
    error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return SimpleNamespace(status_code=status, headers={}), error


def an_identity(region: str, domain: str, **changes: Any) -> dict[str, Any]:
    """As GetEmailIdentity returns it; `changes` replace its attributes."""
    first = domain.partition(".")[0]
    return {
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": True,
        "DkimAttributes": {
            "SigningEnabled": True,
            "Status": "SUCCESS",
            "Tokens": [f"{first}{region[:2]}{n}" for n in (1, 2, 3)],
            "SigningHostedZone": f"c7.dkim.{region}.amazonses.com",
            "SigningAttributesOrigin": "AWS_SES",
        },
        "MailFromAttributes": {
            "MailFromDomain": f"bounce.{domain}",
            "MailFromDomainStatus": "SUCCESS",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
        "ConfigurationSetName": "smtp-test",
        **changes,
    }

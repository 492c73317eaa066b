"""What the functions run on: settings from the environment, and the adapters made from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import boto3
from botocore.config import Config

from reconciler.aws.client import RETRIED, UNRETRIED
from reconciler.aws.iam import IamIdentities
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords
from reconciler.core.address import Rules
from reconciler.core.policy import Sending
from reconciler.manager.converge import Converger


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment variables. `from_environ` is the only place that reads them."""

    environment: str
    account_id: str
    table: str
    key: str
    boundary_arn: str
    configuration_set: str
    smtp_regions: tuple[str, ...]
    allowed_domains: frozenset[str]
    allow_wildcards: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises KeyError with the name of a variable that is missing."""
        return cls(
            environment=environ["ENVIRONMENT"],
            account_id=environ["ACCOUNT_ID"],
            table=environ["TABLE_NAME"],
            key=environ["KMS_KEY_ARN"],
            boundary_arn=environ["PERMISSIONS_BOUNDARY_ARN"],
            configuration_set=environ["CONFIGURATION_SET"],
            smtp_regions=tuple(environ["SMTP_REGIONS"].split(",")),
            allowed_domains=frozenset(environ["ALLOWED_DOMAINS"].split(",")),
            allow_wildcards=environ["ALLOW_WILDCARDS"] == "true",
        )


@dataclass(frozen=True, slots=True)
class Adapters:
    """What stands between a function and AWS. `now` is its clock."""

    settings: Settings
    records: DynamoManagerRecords
    identities: IamIdentities
    vault: KmsVault
    now: Callable[[], datetime]

    def converger(self) -> Converger:
        settings = self.settings
        sending = Sending(settings.account_id, settings.smtp_regions, settings.configuration_set)
        return Converger(settings.environment, sending, self.records, self.identities, self.vault, self.now)


def make_adapters(
    settings: Settings, session: boto3.session.Session, now: Callable[[], datetime], config: Config = RETRIED
) -> Adapters:
    """`config`: how patiently calls are repeated."""
    rules = Rules(settings.allowed_domains, settings.allow_wildcards)
    iam, unretried = session.client("iam", config=config), session.client("iam", config=UNRETRIED)
    return Adapters(
        settings,
        DynamoManagerRecords(session.client("dynamodb", config=config), settings.table, rules),
        IamIdentities(iam, unretried, settings.environment, settings.boundary_arn),
        KmsVault(session.client("kms", config=config), settings.key, settings.environment),
        now,
    )


def clock() -> datetime:
    return datetime.now(UTC)


def adapters(config: Config = RETRIED) -> Adapters:
    """From the function's environment."""
    return make_adapters(Settings.from_environ(os.environ), boto3.session.Session(), clock, config)


@cache
def converger() -> Converger:
    """One per execution environment: clients keep their connections between invocations."""
    return adapters().converger()

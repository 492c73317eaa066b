"""The adapters of the functions, made from their settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import boto3
from botocore.config import Config

from reconciler.aws.client import RETRIED, UNRETRIED, retry_throttled
from reconciler.aws.iam import IamIdentities
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords
from reconciler.core.address import Rules
from reconciler.core.policy import Sending
from reconciler.manager.converge import Converger
from reconciler.manager.handlers.telemetry import Telemetry
from reconciler.manager.settings import Settings


@dataclass(frozen=True, slots=True)
class Adapters:
    """What a function uses of AWS. `now` is its clock."""

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
    """`config`: how calls are retried."""
    rules = Rules(settings.allowed_domains, settings.allow_wildcards)
    iam, unretried = session.client("iam", config=config), session.client("iam", config=UNRETRIED)
    retry_throttled(unretried, "CreateAccessKey")
    return Adapters(
        settings,
        DynamoManagerRecords(session.client("dynamodb", config=config), settings.table, rules),
        IamIdentities(iam, unretried, settings.environment, settings.boundary_arn, settings.iam_user_tags),
        KmsVault(session.client("kms", config=config), settings.key, settings.environment),
        now,
    )


def create_during_init(create: Callable[[], object], telemetry: Telemetry) -> None:
    """Create the clients while Lambda initializes the function, so that no event waits for them.

    INIT has more CPU than the memory of the function would get. An error must not end it: Lambda would initialize the
    function again for each event, and no event would get an answer. It is logged, and the first event tries again:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

    Outside Lambda, where nothing is configured yet, the first event creates them.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    try:
        create()
    except Exception as error:  # noqa: BLE001 - whatever it is, the first event reports it again
        reason = f"environment variable {error} is missing" if isinstance(error, KeyError) else type(error).__name__
        telemetry.log("clients could not be created during INIT", level="error", reason=reason)


def clock() -> datetime:
    return datetime.now(UTC)


def adapters(config: Config = RETRIED) -> Adapters:
    """From the environment variables of the function."""
    return make_adapters(Settings.from_environ(os.environ), boto3.session.Session(), clock, config)

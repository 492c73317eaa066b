"""What the functions run on: clients, settings from the environment, and telemetry that cannot hurt."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from aws_xray_sdk.core import xray_recorder
from botocore.config import Config

from reconciler.aws import RETRIED, UNRETRIED
from reconciler.converge import Converger, Report
from reconciler.core.address import Rules
from reconciler.core.policy import Sending
from reconciler.errors import AwsError
from reconciler.identity import IamIdentities
from reconciler.store import DynamoStore
from reconciler.vault import KmsVault

SERVICE = "smtp-credential-manager"

# At DEBUG botocore logs whole requests and answers, and some of them are secrets. Whatever level is configured.
for _chatty in ("botocore", "boto3", "urllib3"):
    logging.getLogger(_chatty).setLevel(logging.INFO)


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
    store: DynamoStore
    identities: IamIdentities
    vault: KmsVault
    now: Callable[[], datetime]

    def converger(self) -> Converger:
        settings = self.settings
        sending = Sending(settings.account_id, settings.smtp_regions, settings.configuration_set)
        return Converger(settings.environment, sending, self.store, self.identities, self.vault, self.now)


def make_adapters(
    settings: Settings, session: boto3.session.Session, now: Callable[[], datetime], config: Config = RETRIED
) -> Adapters:
    """`config`: how patiently calls are repeated."""
    rules = Rules(settings.allowed_domains, settings.allow_wildcards)
    iam, unretried = session.client("iam", config=config), session.client("iam", config=UNRETRIED)
    return Adapters(
        settings,
        DynamoStore(session.client("dynamodb", config=config), settings.table, rules),
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


def _make_logger() -> Logger:
    try:
        return Logger(service=SERVICE, location=None, use_rfc3339=True)
    except ValueError:  # a POWERTOOLS_LOG_LEVEL that is none
        return Logger(service=SERVICE, location=None, use_rfc3339=True, level="INFO")


class Telemetry:
    """Logs, metrics and traces of what was done. None of them can fail the work."""

    def __init__(self) -> None:
        self.logger = _make_logger()
        with suppress(Exception):  # telemetry: see the class
            Tracer(service=SERVICE, patch_modules=["botocore"])  # switches itself off where no tracing runs
        self.metrics = Metrics(namespace="SmtpUsers", service=SERVICE)

    def begin(self, context: LambdaContext) -> None:
        with suppress(Exception):  # telemetry: see the class
            self.logger.append_keys(function_request_id=context.aws_request_id)
            self.metrics.set_default_dimensions(environment=os.environ["ENVIRONMENT"])

    @contextmanager
    def traced(self) -> Iterator[None]:
        """A trace segment of its own for each record of a batch."""
        with suppress(Exception):  # telemetry
            xray_recorder.begin_subsegment("converge")
        try:
            yield
        finally:
            with suppress(Exception):  # telemetry
                xray_recorder.end_subsegment()

    def report(self, report: Report, asked_by: str = "") -> None:
        report = replace(report, correlation_id=report.correlation_id or asked_by)
        with suppress(Exception):  # telemetry
            self._log(report)
        self._annotate(smtp_user=report.name, result=report.result, correlation_id=report.correlation_id)
        self.count(**{f"User{report.result.capitalize()}": 1})

    def _log(self, report: Report) -> None:
        fields: dict[str, object] = {
            "smtp_user": report.name,
            "result": report.result,
            "steps": list(report.steps),
            "correlation_id": report.correlation_id,
        }
        if report.differences:
            fields |= {"differences": list(report.differences)}
        if report.warnings:
            self.logger.error("smtp user needs a person", extra={**fields, "warnings": list(report.warnings)})
        elif failure := report.failure:
            self.logger.error("smtp user failed", extra={**fields, "code": failure.code, "reason": failure.message})
        else:
            self.logger.info("smtp user converged", extra=fields)

    def retry(self, name: str, error: AwsError) -> None:
        fields = {"smtp_user": name, "reason": str(error), "code": error.code, "correlation_id": error.correlation_id}
        with suppress(Exception):  # telemetry
            self.logger.warning("smtp user is tried again later", extra=fields)
        self._annotate(smtp_user=name, result="retried", correlation_id=error.correlation_id)
        self.count(UserRetried=1)

    def defect(self, name: str, error: Exception) -> None:
        """An error that nobody foresaw. Its text may hold anything, so only its kind is told."""
        self.say("defect", level="error", smtp_user=name, reason=type(error).__name__)
        self.count(UserRetried=1)

    def say(self, message: str, *, level: str = "info", **fields: object) -> None:
        with suppress(Exception):  # telemetry
            getattr(self.logger, level)(message, extra=fields)

    def count(self, **metrics: int) -> None:
        for name, value in metrics.items():
            with suppress(Exception):  # telemetry
                self.metrics.add_metric(name, MetricUnit.Count, int(value))

    def _annotate(self, **annotations: str) -> None:
        for name, value in annotations.items():
            with suppress(Exception):  # telemetry
                if value:
                    xray_recorder.put_annotation(name, value)

    def flush(self) -> None:
        with suppress(Exception):  # telemetry
            self.metrics.flush_metrics()

"""Logs, metrics and traces. None of them can fail the work (I12)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from aws_xray_sdk.core import xray_recorder

from reconciler.errors import AwsError
from reconciler.manager.converge import ConvergeResult

SERVICE = "smtp-credential-manager"

# At DEBUG botocore logs whole requests and answers, and some of them are secrets. Whatever level is configured.
for _chatty in ("botocore", "boto3", "urllib3"):
    logging.getLogger(_chatty).setLevel(logging.INFO)


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

    def report(self, report: ConvergeResult, asked_by: str = "") -> None:
        report = replace(report, correlation_id=report.correlation_id or asked_by)
        with suppress(Exception):  # telemetry
            self._log(report)
        self._annotate(smtp_user=report.name, result=report.result, correlation_id=report.correlation_id)
        self.count(**{f"User{report.result.capitalize()}": 1})

    def _log(self, report: ConvergeResult) -> None:
        fields: dict[str, object] = {
            "smtp_user": report.name,
            "result": report.result,
            "steps": list(report.steps),
            "reasons": list(report.reasons),
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

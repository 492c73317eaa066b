"""Logs, metrics and traces. None of them can fail the work (I12)."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from aws_xray_sdk.core import xray_recorder

from reconciler.errors import AwsError
from reconciler.manager.converge import ConvergeResult

SERVICE = "smtp-credential-manager"

# At DEBUG, botocore logs complete requests and responses, some of which contain secrets. The level is fixed here.
for _chatty in ("botocore", "boto3", "urllib3"):
    logging.getLogger(_chatty).setLevel(logging.INFO)


P = ParamSpec("P")


def _never_fails(method: Callable[P, None]) -> Callable[P, None]:
    """An error of a log, metric or trace is ignored."""

    @wraps(method)
    def call(*arguments: P.args, **options: P.kwargs) -> None:
        with suppress(Exception):
            method(*arguments, **options)

    return call


def _serialize(entry: dict[str, Any]) -> str:
    """One line of ASCII: a name in a message or a record must not control whatever shows the log."""
    return json.dumps(entry, default=str).replace("\x7f", "\\u007f")


def _make_logger() -> Logger:
    options: dict[str, Any] = {
        "service": SERVICE, "location": None, "use_rfc3339": True, "json_serializer": _serialize,
    }  # fmt: skip
    try:
        return Logger(**options)
    except ValueError:  # an invalid POWERTOOLS_LOG_LEVEL
        return Logger(**options, level="INFO")


class Telemetry:
    def __init__(self) -> None:
        self.logger = _make_logger()
        self._start_tracer()
        self.metrics = Metrics(namespace="SmtpUsers", service=SERVICE)

    @_never_fails
    def _start_tracer(self) -> None:
        Tracer(service=SERVICE, patch_modules=["botocore"])  # it disables itself where no tracing runs

    @_never_fails
    def begin(self, context: LambdaContext) -> None:
        self.logger.append_keys(function_request_id=context.aws_request_id)
        self.metrics.set_default_dimensions(environment=os.environ["ENVIRONMENT"])

    @contextmanager
    def traced(self) -> Iterator[None]:
        """A trace segment of its own for each record of a batch."""
        self._begin_segment()
        try:
            yield
        finally:
            self._end_segment()

    @_never_fails
    def _begin_segment(self) -> None:
        xray_recorder.begin_subsegment("converge")
        self._annotate(environment=os.environ["ENVIRONMENT"])

    @_never_fails
    def _end_segment(self) -> None:
        xray_recorder.end_subsegment()

    def report(self, result: ConvergeResult, requested_by: str = "") -> None:
        """`requested_by`: a correlation id, where no record has one any more."""
        result = replace(result, correlation_id=result.correlation_id or requested_by)
        self._log_result(result)
        self._annotate(smtp_user=result.name, result=result.result, correlation_id=result.correlation_id)
        self.count(**{f"User{result.result.capitalize()}": 1})

    @_never_fails
    def _log_result(self, result: ConvergeResult) -> None:
        fields: dict[str, object] = {
            "smtp_user": result.name,
            "result": result.result,
            "steps": list(result.steps),
            "reasons": list(result.reasons),
            "correlation_id": result.correlation_id,
        }
        if result.differences:
            fields |= {"differences": list(result.differences)}
        if result.warnings:
            self.logger.error("manual action required", extra={**fields, "warnings": list(result.warnings)})
        elif failure := result.failure:
            self.logger.error("smtp user failed", extra={**fields, "code": failure.code, "reason": failure.message})
        else:
            self.logger.info("smtp user converged", extra=fields)

    def left_to_queue(self, name: str, error: Exception | None) -> None:
        """`error` None: there was no attempt, because AWS throttles or the time of the function is over."""
        if isinstance(error, AwsError):
            self.retry(name, error)
        elif error:
            self.defect(name, error)
        else:
            self.log("postponed without an attempt", smtp_user=name)

    def retry(self, name: str, error: AwsError) -> None:
        fields = {"smtp_user": name, "reason": str(error), "code": error.code, "correlation_id": error.correlation_id}
        self.log("transient failure, will be retried", level="warning", **fields)
        self._annotate(smtp_user=name, result="retried", correlation_id=error.correlation_id)
        self.count(UserRetried=1)

    def defect(self, name: str, error: Exception) -> None:
        """An unexpected error. Its text may contain anything, so only its class is logged."""
        self.log("unhandled exception", level="error", smtp_user=name, reason=type(error).__name__)
        self.count(UserRetried=1)

    @_never_fails
    def log(self, message: str, *, level: str = "info", **fields: object) -> None:
        getattr(self.logger, level)(message, extra=fields)

    def count(self, **metrics: int) -> None:
        for name, value in metrics.items():
            self._count_one(name, int(value))

    @_never_fails
    def _count_one(self, name: str, value: int) -> None:
        self.metrics.add_metric(name, MetricUnit.Count, value)

    def _annotate(self, **annotations: str) -> None:
        for name, value in annotations.items():
            if value:
                self._annotate_one(name, value)

    @_never_fails
    def _annotate_one(self, name: str, value: str) -> None:
        xray_recorder.put_annotation(name, value)

    @_never_fails
    def flush(self) -> None:
        self.metrics.flush_metrics()

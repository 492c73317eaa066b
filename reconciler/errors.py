"""Every error this system raises on purpose.

    ReconcileError               one clear line, a hint, an exit code
    ├── InvalidInput             manifests or settings are invalid: all problems at once
    ├── Incomplete               records may have changed, but the command did not finish
    ├── Refused                  a safety check failed: the reasons, with their numbers
    └── AwsError                 an AWS call failed
        ├── Retryable            the same call may succeed later
        │   └── Conflict         the record is not as it was when the write was planned
        └── Terminal             a retry cannot help
            └── Denied           the role in use lacks the permission

No message contains a secret: adapters build them from the operation and AWS's error code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Self

# AWS's codes for a missing permission.
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

# Codes of throttling.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and the errors of each operation.
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException",
    }
)  # fmt: skip
# A call came too soon, and says nothing about its user: such an attempt does not count.
BUSY = THROTTLED | frozenset({"ConcurrentModification", "ConcurrentModificationException"})
# What botocore raises when AWS cannot be reached; the code of such a Retryable is the name of the class.
UNREACHABLE = frozenset(
    {
        "ConnectionClosedError", "ConnectTimeoutError", "EndpointConnectionError", "HTTPClientError",
        "ProxyConnectionError", "ReadTimeoutError", "SSLError",
    }
)  # fmt: skip
ABSENT = "NoSuchEntity"  # IAM's code

EXIT_OK = 0
EXIT_ERROR = 1  # nothing was changed
EXIT_CHANGES = 2  # `plan --detailed-exitcode`: there are changes; `drift`: differences; `dns`: records are wrong
EXIT_INCOMPLETE = 3  # changes were made, but not all of them succeeded


class ReconcileError(Exception):
    """Ends a command with one line for its user."""

    exit_code = EXIT_ERROR

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file. Lines and columns count from 1; 0 means the file as a whole."""

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{where}: {self.message}"


POSITION = attrgetter("path", "line", "column", "message", "hint")  # as `<`, which makes two tuples each time


class InvalidInput(ReconcileError):
    """Contains every problem of every file, sorted by position."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=POSITION))
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' * (count != 1)} found; nothing was changed")


class Refused(ReconcileError):
    """A safety check stopped the run before its first write."""

    def __init__(self, reasons: Sequence[tuple[str, str]]) -> None:
        """`reasons`: (what was refused, how to allow it)."""
        self.reasons = tuple(reasons)
        super().__init__("refused; nothing was changed")


class Incomplete(ReconcileError):
    """The command stopped after its first write."""

    exit_code = EXIT_INCOMPLETE


class AwsError(ReconcileError):
    """`operation` as IAM spells it (`iam:CreateUser`), `code` as AWS returned it.

    `correlation_id`: of the record that was being processed, where there was one.
    """

    def __init__(self, operation: str, code: str, message: str, hint: str = "", *, correlation_id: str = "") -> None:
        super().__init__(f"{operation}: {code}: {message}", hint)
        self.operation = operation
        self.code = code
        self.reason = message
        self.correlation_id = correlation_id

    def during(self, correlation_id: str) -> Self:
        """The same error, of the request that it interrupted."""
        return type(self)(self.operation, self.code, self.reason, self.hint, correlation_id=correlation_id)


class Retryable(AwsError):
    pass


class Conflict(Retryable):
    """Another write came first, or a write whose answer was lost."""

    @classmethod
    def of(cls, name: str, *, correlation_id: str = "") -> Self:
        message = f"the record of {name} changed concurrently"
        return cls("dynamodb:UpdateItem", "Conflict", message, correlation_id=correlation_id)


class Terminal(AwsError):
    pass


class Denied(Terminal):
    """`user_created_at`: of the IAM user on which IAM denied an operation, where it exists."""

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        hint: str = "",
        *,
        correlation_id: str = "",
        user_created_at: datetime | None = None,
    ) -> None:
        super().__init__(operation, code, message, hint, correlation_id=correlation_id)
        self.user_created_at = user_created_at

"""Every error this system raises on purpose.

    ReconcileError               one clear line, a hint, an exit code
    ├── InvalidInput             what people wrote does not hold: all problems at once
    ├── Incomplete               records may have changed, but the command did not finish
    ├── Refused                  a rail said no: the reasons, with their numbers
    └── AwsError                 an AWS call did not do what was asked
        ├── Retryable            the same call may succeed later
        │   └── Conflict         the row is not as it was when the write was planned
        └── Terminal             trying again cannot help

No message ever carries a secret: adapters build them from the operation and AWS's error code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

# AWS's codes for a missing right.
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

# Codes that a later try may not meet again, beside every 5xx.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and the errors of each operation.
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
# What botocore raises where AWS cannot be reached; the code of such a Retryable is the name of the class.
UNREACHABLE = frozenset(
    {
        "ConnectionClosedError", "ConnectTimeoutError", "EndpointConnectionError", "HTTPClientError",
        "ProxyConnectionError", "ReadTimeoutError", "SSLError",
    }
)  # fmt: skip
ABSENT = "NoSuchEntity"  # IAM's code

EXIT_OK = 0
EXIT_ERROR = 1  # nothing was changed
EXIT_CHANGES = 2  # `plan --detailed-exitcode`: there is something to do; `drift`: something differs
EXIT_INCOMPLETE = 3  # changes were made, but not all of them ended well


class ReconcileError(Exception):
    """Ends a command with one line for the person who ran it."""

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


class InvalidInput(ReconcileError):
    """Carries every problem of every file, sorted by place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' * (count != 1)} found; nothing was changed")


class Refused(ReconcileError):
    """A rail stopped the run before its first write."""

    def __init__(self, reasons: Sequence[tuple[str, str]]) -> None:
        """`reasons`: (what was refused, how it would be allowed)."""
        self.reasons = tuple(reasons)
        super().__init__("refused; nothing was changed")


class Incomplete(ReconcileError):
    """The command stopped after its first write."""

    exit_code = EXIT_INCOMPLETE


class AwsError(ReconcileError):
    """`operation` as IAM writes it (`iam:CreateUser`), `code` as AWS answered it."""

    def __init__(self, operation: str, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{operation}: {code}: {message}", hint)
        self.operation = operation
        self.code = code
        self.reason = message
        self.correlation_id = ""  # of the row that was being worked on, where there was one
        self.refused_user_made_at: datetime | None = None  # where IAM refused something on a user that exists


class Retryable(AwsError):
    pass


class Conflict(Retryable):
    def __init__(self, name: str) -> None:
        super().__init__("dynamodb:UpdateItem", "Conflict", f"the row of {name} changed meanwhile")


class Terminal(AwsError):
    pass

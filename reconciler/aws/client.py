"""AWS errors are translated here: a call returns its answer or raises AwsError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from reconciler.errors import DENIED, THROTTLED, AwsError, Denied, Retryable, Terminal

RETRYABLE = THROTTLED | frozenset(
    {
        "ConcurrentModification", "ConcurrentModificationException", "DeleteConflict", "DependencyTimeoutException",
        "EntityAlreadyExists", "EntityTemporarilyUnmodifiable", "ExpiredToken", "ExpiredTokenException",
        "KeyUnavailableException", "KMSInternalException", "LimitExceeded", "LimitExceededException", "NoSuchEntity",
        "RequestTimeout", "ServiceFailure", "TransactionInProgressException",
    }
)  # fmt: skip
# Of the caller's credentials.
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
    }
)
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, TokenRetrievalError)

# Standard mode retries throttling and connection errors with jittered backoff. Timeouts are short, because a batch of
# the stream shares one function timeout.
RETRIED = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
# The sweep has time: adaptive mode slows down when the account is throttled, and leaves capacity for others.
PATIENT = Config(connect_timeout=3, read_timeout=10, retries={"mode": "adaptive", "total_max_attempts": 6})
# A key that was created although the answer was lost could never be stored: see IamIdentities.create_key.
UNRETRIED = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})


@contextmanager
def aws_errors(operation: str, *, terminal: frozenset[str] = frozenset()) -> Iterator[None]:
    """Translate botocore's errors into AwsError. `terminal`: codes for which a retry of this operation cannot help.

    The original is not chained: botocore repeats parameters in some messages, and one parameter is a secret.
    """
    error: AwsError
    try:
        yield
        return
    except ClientError as raised:
        error = _from_answer(operation, raised, terminal)
    except NO_CREDENTIALS as raised:
        error = Terminal(operation, type(raised).__name__, "no AWS credentials", "set AWS_PROFILE or sign in first")
    except (ConnectionError, HTTPClientError) as raised:
        error = Retryable(operation, type(raised).__name__, "AWS could not be reached", "check network and region")
    except BotoCoreError as raised:
        error = Terminal(operation, type(raised).__name__, "the request could not be made")
    raise error from None


def _from_answer(operation: str, raised: ClientError, terminal: frozenset[str]) -> AwsError:
    answer = raised.response.get("Error", {})
    code, message = answer.get("Code", "Unknown"), " ".join(answer.get("Message", "").split())
    status = raised.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in DENIED:
        return Denied(operation, code, message, f"the role in use lacks the permission {operation} here")
    if code in EXPIRED:
        hint = "sign in again, or set AWS_PROFILE"
        return (Retryable if code in RETRYABLE else Terminal)(operation, code, message, hint)
    if code not in terminal and (code in RETRYABLE or status >= 500 or status == 429):
        return Retryable(operation, code, message)
    return Terminal(operation, code, message)

"""AWS errors are translated here: a call returns its answer or raises AwsError."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import botocore.session
import botocore.utils
from botocore.client import BaseClient
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
# A key that was created although the answer was lost could never be stored: see IamIdentities.create_key. With
# `retry_throttled`, a call that AWS has refused before it did anything is repeated.
UNRETRIED = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})

THROTTLED_ATTEMPTS = 4  # as in RETRIED
LONGEST_BACKOFF = 20.0  # seconds


def core_session() -> botocore.session.Session:
    """The base of a boto3 session that reads many answers."""
    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_parse_time)
    return core


def _parse_time(value: Any) -> datetime:
    """The form of IAM first: botocore's own parser accepts almost any, which takes a tenth of a plan's CPU time."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    return moment if moment and moment.tzinfo else botocore.utils.parse_timestamp(value)


def retry_throttled(client: BaseClient, operation: str) -> None:
    """Let an UNRETRIED client repeat an operation if the answer is one of THROTTLED, and for no other reason.

    A retry mode of the SDK would also repeat after time-outs and errors of the server. The event is the one that these
    modes use; a handler returns the seconds to wait, or None:
    https://github.com/boto/botocore/blob/develop/botocore/endpoint.py
    """
    event = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    handler: Any = _backoff  # the type stubs know of no answer
    client.meta.events.register(event, handler, unique_id=f"throttled-{operation}")


def _backoff(attempts: int, response: Any = None, **_: Any) -> float | None:
    """`response`: the HTTP response and the parsed answer; None after a time-out or another error of the connection."""
    code = response[1].get("Error", {}).get("Code") if response else None
    if code not in THROTTLED or attempts >= THROTTLED_ATTEMPTS:
        return None
    return min(random.random() * 2.0 ** (attempts - 1), LONGEST_BACKOFF)  # noqa: S311 - jitter


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

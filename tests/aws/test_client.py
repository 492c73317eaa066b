"""How botocore's errors are translated: what a retry can help, and what it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from reconciler.aws.client import aws_errors
from reconciler.errors import AwsError, Denied, Retryable, Terminal

OPERATION = "iam:PutUserPolicy"


def translated(error: Exception, terminal: frozenset[str] = frozenset()) -> AwsError:
    with pytest.raises(AwsError) as caught, aws_errors(OPERATION, terminal=terminal):
        raise error
    assert caught.value.__cause__ is None
    assert caught.value.operation == OPERATION
    return caught.value


def answer(code: str, status: int = 400, message: str = "not now") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutUserPolicy")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, Retryable),
        ("NoSuchEntity", 404, Retryable),
        ("LimitExceeded", 409, Retryable),
        ("Anything", 429, Retryable),
        ("Anything", 500, Retryable),
        ("Anything", 503, Retryable),
        ("Anything", 499, Terminal),
        ("Anything", 430, Terminal),
        ("MalformedPolicyDocument", 400, Terminal),
        ("AccessDenied", 403, Denied),
        ("AccessDeniedException", 400, Denied),
        ("UnauthorizedOperation", 500, Denied),
    ],
)
def test_the_code_or_the_status_decides_whether_a_retry_can_help(code: str, status: int, kind: type[AwsError]) -> None:
    error = translated(answer(code, status))
    assert type(error) is kind
    assert (error.code, error.reason) == (code, "not now")


@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_caller_may_know_a_code_as_final(status: int) -> None:
    assert type(translated(answer("LimitExceeded", status), frozenset({"LimitExceeded"}))) is Terminal


def test_a_denial_names_the_permission() -> None:
    assert translated(answer("AccessDenied", 403)).hint == f"the role in use lacks the permission {OPERATION} here"


def test_an_answer_without_code_or_message_is_final() -> None:
    error = translated(ClientError({}, "PutUserPolicy"))  # type: ignore[typeddict-item]
    assert (type(error), error.code, error.reason) == (Terminal, "Unknown", "")


def test_a_message_is_one_line() -> None:
    assert translated(answer("Throttling", message="not\n  now")).reason == "not now"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (NoCredentialsError(), Terminal, "NoCredentialsError"),
        (EndpointConnectionError(endpoint_url="https://iam"), Retryable, "EndpointConnectionError"),
        (ReadTimeoutError(endpoint_url="https://iam"), Retryable, "ReadTimeoutError"),
        (ParamValidationError(report="PolicyDocument: the secret"), Terminal, "ParamValidationError"),
    ],
)
def test_errors_before_an_answer_are_named_by_their_class_and_never_by_their_text(
    error: Exception, kind: type[AwsError], code: str
) -> None:
    found = translated(error)
    assert (type(found), found.code) == (kind, code)
    assert "secret" not in str(found)
    assert "https" not in str(found)


def test_an_error_keeps_what_it_says_when_its_request_is_known() -> None:
    error = translated(answer("AccessDenied", 403)).during("c0ffee-1")
    assert (type(error), error.correlation_id, error.code, error.reason) == (
        Denied, "c0ffee-1", "AccessDenied", "not now",
    )  # fmt: skip
    assert error.hint

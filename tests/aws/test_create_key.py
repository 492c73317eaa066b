"""CreateAccessKey is repeated when AWS throttles, and for no other reason: docs/decisions/0003."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

import aws_rules
from reconciler.aws.client import THROTTLED_ATTEMPTS, UNRETRIED, retry_throttled
from reconciler.aws.iam import IamIdentities
from reconciler.errors import AwsError, Retryable, Terminal

KEY = """<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateAccessKeyResult><AccessKey>
<UserName>smtp-test-crm</UserName><AccessKeyId>AKIAEXAMPLE1</AccessKeyId><Status>Active</Status>
<SecretAccessKey>secret</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"""
URL = "https://iam.amazonaws.com"


class Body:
    def __init__(self, text: str) -> None:
        self.text = text

    def stream(self) -> Iterator[bytes]:
        yield self.text.encode()


def answer(status: int, text: str) -> AWSResponse:
    raw: Any = Body(text)
    return AWSResponse(URL, status, {}, raw)


def refusal(status: int, code: str) -> AWSResponse:
    return answer(status, f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")


class Wire:
    """Answers requests without a network, in this order; the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: AWSResponse | Exception) -> None:
        self.answers, self.sent = list(answers), 0
        self.pauses: list[float] = []
        self.client = boto3.client("iam", config=UNRETRIED)
        self.client.meta.events.unregister("before-call.iam.CreateAccessKey", aws_rules._create_access_key)
        retry_throttled(self.client, "CreateAccessKey")
        self.client.meta.events.register_first("before-send.iam", self.send)
        monkeypatch.setattr(botocore.endpoint.time, "sleep", self.pauses.append)

    def send(self, **_: Any) -> Any:
        self.sent += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def create_key(self) -> str:
        return IamIdentities(self.client, self.client, "test", "arn:boundary", {}).create_key("crm").id


THROTTLING = refusal(400, "Throttling")


def test_a_throttled_call_is_repeated_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, THROTTLING, refusal(429, "TooManyRequestsException"), answer(200, KEY))
    assert wire.create_key() == "AKIAEXAMPLE1"
    assert wire.sent == 3
    assert len(wire.pauses) == 2
    assert all(0 <= pause <= most for pause, most in zip(wire.pauses, (1, 2), strict=True))


def test_it_is_given_up_after_four_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, THROTTLING)
    with pytest.raises(Retryable, match="Throttling"):
        wire.create_key()
    assert wire.sent == THROTTLED_ATTEMPTS == 4


FAULTS = {
    "no answer": (ReadTimeoutError(endpoint_url=URL), Retryable),
    "no connection": (ConnectTimeoutError(endpoint_url=URL), Retryable),
    "connection closed": (ConnectionClosedError(endpoint_url=URL), Retryable),
    "unreachable": (EndpointConnectionError(endpoint_url=URL), Retryable),
    "500": (refusal(500, "ServiceFailure"), Retryable),
    "503": (refusal(503, "ServiceUnavailable"), Retryable),
    "504": (refusal(504, "GatewayTimeout"), Retryable),
    "request time-out": (refusal(400, "RequestTimeout"), Retryable),
    "two keys": (refusal(409, "LimitExceeded"), Retryable),
    "invalid": (refusal(400, "ValidationError"), Terminal),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_may_have_created_a_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """I2: the secret of that key is lost."""
    answered, error = FAULTS[fault]
    assert issubclass(error, AwsError)
    wire = Wire(monkeypatch, answered, answer(200, KEY))
    with pytest.raises(error):
        wire.create_key()
    assert (wire.sent, wire.pauses) == (1, [])


def test_a_time_out_after_throttling_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, THROTTLING, ReadTimeoutError(endpoint_url=URL), answer(200, KEY))
    with pytest.raises(Retryable, match="could not be reached"):
        wire.create_key()
    assert wire.sent == 2

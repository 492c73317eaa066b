"""What is read without botocore's own parsing means the same as what botocore makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from reconciler.aws.client import core_session
from reconciler.aws.dynamodb import Table, keep_items
from reconciler.aws.iam_names import IamNames
from reconciler.errors import AwsError, Retryable

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
ITEM = {
    "SK": {"S": "USER#crm"}, "revision": {"N": "7"}, "enabled": {"BOOL": True}, "failure": {"NULL": True},
    "rotation": {"M": {"every_days": {"N": "30"}, "salt": {"B": "AP8="}}}, "addresses": {"SS": ["a@b.de"]},
    "networks": {"L": [{"S": "x"}]}, "sealed": {"B": "c2VjcmV0"}, "numbers": {"NS": ["1", "2"]},
    "keys": {"BS": ["AP8="]},
}  # fmt: skip
MORE = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#crm"}}
PAGES = [{"Items": [ITEM], "Count": 1, "LastEvaluatedKey": MORE}, {"Items": [], "Count": 0}]
USERS = """<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users>{}</Users>
<IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>"""
USER = """<member><UserName>crm</UserName><Path>/</Path><Arn>arn</Arn><UserId>1</UserId>
<CreateDate>{}</CreateDate></member>"""


class Body:
    def __init__(self, text: str) -> None:
        self._text = text

    def stream(self) -> Iterator[bytes]:
        yield self._text.encode()


def client(service: Any, *bodies: str, status: int = 200) -> Any:
    """Its requests get these answers, one after the other."""
    made = Session(region_name="eu-central-1", botocore_session=core_session()).client(service, config=ONCE)
    answers = iter(bodies)

    def send(**_: Any) -> AWSResponse:
        raw: Any = Body(next(answers))
        return AWSResponse("https://aws.test", status, {}, raw)

    made.meta.events.register_first(f"before-send.{service}", send)
    return made


def query(dynamodb: Any) -> list[Any]:
    return list(Table(dynamodb, "smtp-users").query("USER#", ["SK"]))


def test_kept_items_are_those_that_botocore_parses_on_every_page() -> None:
    pages = [json.dumps(page) for page in PAGES]
    parsed, kept = client("dynamodb", *pages), client("dynamodb", *pages)
    keep_items(kept)
    found = query(kept)
    assert found == query(parsed)
    assert (found[0]["sealed"], found[0]["rotation"]["salt"]) == (b"secret", b"\x00\xff")


@pytest.mark.parametrize("body", ["", '{"Items": [', '{"message": "Items"}'])
def test_an_answer_that_is_no_page_is_left_to_botocore(body: str) -> None:
    kept = client("dynamodb", body, status=500)
    keep_items(kept)
    with pytest.raises(Retryable) as caught:
        query(kept)
    assert caught.value.operation == "dynamodb:Query"


def test_an_error_keeps_its_code() -> None:
    body = {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no table"}
    kept = client("dynamodb", json.dumps(body), status=400)
    keep_items(kept)
    with pytest.raises(AwsError) as caught:
        query(kept)
    assert (caught.value.code, caught.value.reason) == ("ResourceNotFoundException", "no table")


@pytest.mark.parametrize("text", ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000Z", "1780315200", "20260601T120000Z"])
def test_any_form_of_a_time_is_read(text: str) -> None:
    (user,) = IamNames(client("iam", USERS.format(USER.format(text)))).users()
    assert user.created_at == datetime(2026, 6, 1, 12, tzinfo=UTC)

"""A denial is final only if the IAM user exists: GetUser distinguishes the two cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.aws.iam_calls import IamCalls
from reconciler.errors import Denied, Retryable

CREATED = datetime(2026, 6, 1, tzinfo=UTC)


class Iam:
    """Answers GetUser with `answer`, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_user(self, **_: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def denied(answer: Any) -> None:
    calls = IamCalls(Iam(answer))  # type: ignore[arg-type]
    with calls.calling("smtp-test-crm", "iam:PutUserPolicy"):
        raise refused("AccessDenied", "PutUserPolicy")


@pytest.mark.parametrize(
    ("answer", "created"),
    [({"User": {"CreateDate": CREATED}}, CREATED), (refused("AccessDenied", "GetUser"), None)],
    ids=["exists", "may not be asked"],
)
def test_it_is_final_where_the_user_exists_or_cannot_be_read_at_all(answer: Any, created: datetime | None) -> None:
    with pytest.raises(Denied) as caught:
        denied(answer)
    assert caught.value.user_created_at == created


@pytest.mark.parametrize("code", ["NoSuchEntity", "Throttling", "ServiceFailure"])
def test_it_is_retried_where_the_user_is_absent_or_cannot_be_read_now(code: str) -> None:
    with pytest.raises(Retryable):
        denied(refused(code, "GetUser"))

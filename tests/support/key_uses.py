"""Answers of IAM about the last use of access keys, which moto cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.handlers
from botocore.exceptions import ClientError

USED = "GetAccessKeyLastUsed"


@contextmanager
def answering(answer: Callable[[str], Any]) -> Iterator[None]:
    """`answer`: the last use of a key by its id, or an error code."""

    def respond(params: dict[str, Any], model: Any, **_: Any) -> Any:
        found = answer(params["body"]["AccessKeyId"])
        if isinstance(found, str):
            raise ClientError(
                {"Error": {"Code": found, "Message": "not authorized"}, "ResponseMetadata": {"HTTPStatusCode": 403}},  # type: ignore[typeddict-item]
                model.name,
            )
        return type("Response", (), {"status_code": 200})(), {"UserName": "x", "AccessKeyLastUsed": found}

    entry = (f"before-call.iam.{USED}", respond)
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(entry)

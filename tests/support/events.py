"""Events of the table's stream, as Lambda delivers them to the credential manager."""

from __future__ import annotations

from typing import Any

from reconciler.core.record import key_of
from reconciler.manager.handlers import stream
from support.deployed import CONTEXT


def event(*names: str, kind: str = "MODIFY", images: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventID": f"{number}",
                "eventName": kind,
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {attribute: {"S": value} for attribute, value in key_of(name).items()},
                    "SequenceNumber": f"{1000 + number}",
                    **(images or {}),
                },
            }
            for number, name in enumerate(names)
        ]
    }


DONE: dict[str, Any] = {"batchItemFailures": []}


def handle(*names: str, **options: Any) -> Any:
    return stream.handler(event(*names, **options), CONTEXT)

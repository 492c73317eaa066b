"""The AWS calls that were made, as IAM judges them: action, resource, condition keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from terraform.judging import Request


def read_calls(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def as_requests(
    calls: Iterable[dict[str, Any]], account: str, region: str, key_arn: str, boundary: str
) -> list[Request]:
    """Without repetition, in a fixed order. GetCallerIdentity needs no right and is left out."""
    found = {}
    for call in calls:
        request = _as_request(call, account, region, key_arn, boundary)
        if request:
            found[str(request)] = request
        if request and request.action == "iam:GetUser":
            # IAM finds a user's path by looking the user up: one that is absent is judged without a path.
            absent = Request(request.action, request.resource.replace("/smtp/sandbox/", "/"))
            found[str(absent)] = absent
    return [found[name] for name in sorted(found)]


def _as_request(call: dict[str, Any], account: str, region: str, key_arn: str, boundary: str) -> Request | None:
    service, operation, params = call["service"], call["operation"], call["params"]
    match service:
        case "iam" if operation == "RemoveUserFromGroup":
            return Request(f"iam:{operation}", f"arn:aws:iam::{account}:group/{params['GroupName']}")
        case "iam":
            user = f"arn:aws:iam::{account}:user/smtp/sandbox/{params['UserName']}"
            return Request(f"iam:{operation}", user, _iam_context(operation, params, boundary))
        case "dynamodb":
            table = f"arn:aws:dynamodb:{region}:{account}:table/{_table(params)}"
            return Request(f"dynamodb:{operation}", table, {"dynamodb:LeadingKeys": sorted(_leading_keys(params))})
        case "kms":
            context = {f"kms:EncryptionContext:{k}": v for k, v in params.get("EncryptionContext", {}).items()}
            return Request(f"kms:{operation}", key_arn, context)
        case "sts":
            return None
        case _:
            raise AssertionError(f"a call that nobody foresaw: {service}:{operation}")


# These see the boundary that the user has, or is given.
BOUNDED = {
    "CreateUser", "DeleteUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy",
}  # fmt: skip


def _iam_context(operation: str, params: dict[str, Any], boundary: str) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {}
    if operation in BOUNDED:
        context["iam:PermissionsBoundary"] = params.get("PermissionsBoundary", boundary)
    if "Tags" in params:
        context["aws:TagKeys"] = [tag["Key"] for tag in params["Tags"]]
    if operation == "DetachUserPolicy":
        context["iam:PolicyARN"] = params["PolicyArn"]
    return context


def _table(params: dict[str, Any]) -> str:
    return str(params["TableName"]) if "TableName" in params else str(next(iter(params["RequestItems"])))


def _leading_keys(params: dict[str, Any]) -> set[str]:
    if "RequestItems" in params:
        return {key["PK"]["S"] for one in params["RequestItems"].values() for key in one["Keys"]}
    if "ExpressionAttributeValues" in params and ":pk" in params["ExpressionAttributeValues"]:
        return {params["ExpressionAttributeValues"][":pk"]["S"]}
    return {(params.get("Key") or params["Item"])["PK"]["S"]}

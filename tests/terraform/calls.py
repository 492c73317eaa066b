"""The AWS calls that were made, as IAM evaluates them: action, resource, condition keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.core.ownership import OWNER, OWNER_TAG
from terraform.existing import TABLE
from terraform.judging import Request

Call = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """The parts of ARNs that calls do not contain. `stream`, `key`, `table_key` and `boundary` are ARNs."""

    account: str
    region: str
    stream: str
    key: str
    table_key: str
    boundary: str

    def iam(self, resource: str) -> str:
        return f"arn:aws:iam::{self.account}:{resource}"

    def own_user(self, iam_user: str) -> str:
        return self.iam(f"user/smtp/sandbox/{iam_user}")

    def table(self, name: str = TABLE) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}"

    def through_dynamodb(self, table: str) -> dict[str, str | list[str]]:
        """The condition keys of a KMS call that DynamoDB makes for a caller."""
        via = {"kms:ViaService": f"dynamodb.{self.region}.amazonaws.com"}
        return {**via, "kms:EncryptionContext:aws:dynamodb:tableName": table}

    def identity(self, domain: str | None) -> str:
        return "*" if domain is None else f"arn:aws:ses:{self.region}:{self.account}:identity/{domain}"

    def queue(self, name: str) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{name}"


def read_calls(path: Path) -> list[Call]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def as_requests(calls: Iterable[Call], names: Names) -> list[Request]:
    """Distinct requests in a fixed order. GetCallerIdentity needs no permission and is left out."""
    found = {}
    for call in calls:
        request = _as_request(call, names)
        if request:
            found[str(request)] = request
        if request and request.action.startswith("dynamodb:"):
            decrypt = Request("kms:Decrypt", names.table_key, names.through_dynamodb(TABLE))
            found[str(decrypt)] = decrypt  # DynamoDB calls it with the caller's permissions
        if request and request.action == "iam:GetUser":
            # IAM looks up the path of a user. It evaluates a request for a missing user without a path.
            absent = Request(request.action, request.resource.replace("/smtp/sandbox/", "/"))
            found[str(absent)] = absent
    return [found[name] for name in sorted(found)]


def _as_request(call: Call, names: Names) -> Request | None:
    service, operation, params = call["service"], call["operation"], call["params"]
    match service:
        case "iam":
            return _as_iam_request(operation, params, names)
        case "dynamodb":
            return Request(f"dynamodb:{operation}", names.table(_table(params)), _table_context(operation, params))
        case "dynamodb streams":  # DynamoDB's actions; an iterator does not contain its stream
            return Request(f"dynamodb:{operation}", params.get("StreamArn", names.stream))
        case "sqs":  # a batch requires the permission for the single call
            return Request(f"sqs:{operation.removesuffix('Batch')}", names.queue(params["QueueUrl"].split("/")[-1]))
        case "kms":
            context: dict[str, str | list[str]] = {
                f"kms:EncryptionContext:{k}": v for k, v in params.get("EncryptionContext", {}).items()
            }
            return Request(f"kms:{operation}", names.key, context)
        case "sesv2":
            return Request(f"ses:{operation}", names.identity(params.get("EmailIdentity")))
        case "lambda":  # ListEventSourceMappings is not restricted by resource
            return Request(f"lambda:{operation}", "*")
        case "sts":
            return None
        case _:
            raise AssertionError(f"unexpected call: {service}:{operation}")


def _as_iam_request(operation: str, params: dict[str, Any], names: Names) -> Request:
    if operation == "DeleteVirtualMFADevice":
        return Request(f"iam:{operation}", names.iam(f"mfa/{params['SerialNumber'].split('/')[-1]}"))
    if operation in ("ListUsers", "GetAccountAuthorizationDetails"):
        return Request(f"iam:{operation}", "*")  # not restricted by resource, whatever the path
    if operation == "GetAccessKeyLastUsed":  # IAM looks up the user of the key; our code asks for keys of its own users
        return Request(f"iam:{operation}", names.own_user("smtp-sandbox-owner-of-the-key"), OUR_TAG)
    return Request(
        f"iam:{operation}", names.own_user(params["UserName"]), _iam_context(operation, params, names.boundary)
    )


# IAM evaluates these with the boundary of the user, or with the one in the request.
OUR_TAG = {f"aws:ResourceTag/{OWNER_TAG}": OWNER}  # of every user that our code changes
BOUNDED = {
    "CreateUser", "DeleteUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy",
}  # fmt: skip


def _iam_context(operation: str, params: dict[str, Any], boundary: str) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {}
    if operation in BOUNDED:
        context["iam:PermissionsBoundary"] = params.get("PermissionsBoundary", boundary)
    if operation != "CreateUser":
        context |= OUR_TAG
    if "Tags" in params:
        context["aws:TagKeys"] = [tag["Key"] for tag in params["Tags"]]
        context |= {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in params["Tags"]}
    if operation == "DetachUserPolicy":
        context["iam:PolicyARN"] = params["PolicyArn"]
    return context


def _table_context(operation: str, params: dict[str, Any]) -> dict[str, str | list[str]]:
    if operation == "DescribeTable":
        return {}
    context: dict[str, str | list[str]] = {"dynamodb:LeadingKeys": sorted(_leading_keys(params))}
    if operation == "UpdateItem":
        context["dynamodb:Attributes"] = sorted(_attributes(params))
    return context


def _table(params: dict[str, Any]) -> str:
    return str(params["TableName"]) if "TableName" in params else str(next(iter(params["RequestItems"])))


def _leading_keys(params: dict[str, Any]) -> set[str]:
    if "RequestItems" in params:
        return {key["PK"]["S"] for one in params["RequestItems"].values() for key in one["Keys"]}
    if "ExpressionAttributeValues" in params and ":pk" in params["ExpressionAttributeValues"]:
        return {params["ExpressionAttributeValues"][":pk"]["S"]}
    return {(params.get("Key") or params["Item"])["PK"]["S"]}


EXPRESSIONS = ("UpdateExpression", "ConditionExpression")
KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}
# A plain attribute name: not a placeholder, a function or a nested path.
PLAIN_NAME = re.compile(r"(?<![\w#:.])[A-Za-z_]\w*\b(?!\s*\()")


def _attributes(params: dict[str, Any]) -> set[str]:
    """Every attribute in an update: its keys, and those that it writes, removes or uses in a condition."""
    plain = {name for kind in EXPRESSIONS for name in PLAIN_NAME.findall(params.get(kind, ""))}
    named = params.get("ExpressionAttributeNames", {})
    return {*params["Key"], *named.values(), *(plain - KEYWORDS)}

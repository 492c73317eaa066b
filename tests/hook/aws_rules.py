"""Rules of AWS that emulators do not enforce, enforced on every botocore client of a test.

Works inside the sandbox's functions too: `sitecustomize.py` beside this file installs it in their processes.
Sources: the IAM, KMS and DynamoDB API references and quotas pages.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
from botocore.exceptions import ClientError

NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
DOCUMENT = re.compile(r"[\t\n\r\u0020-\u00ff]+")
# Secrets are recorded for a scan of all output, and calls for an evaluation of the roles. `notes.json` beside this
# module names the files, because the process of a function inherits nothing else from a test.
NOTES = Path(__file__).with_name("notes.json")
notes: dict[str, str] = json.loads(NOTES.read_text()) if NOTES.exists() else {}

secrets_seen: dict[str, str] = {}  # by access key id


def install() -> None:
    """Idempotent. Every client that is created from now on obeys the rules."""
    handlers = botocore.handlers.BUILTIN_HANDLERS
    for event, handler in (
        ("before-call.iam.CreateUser", _create_user),
        ("before-call.iam.PutUserPolicy", _put_user_policy),
        ("before-call.iam.CreateAccessKey", _create_access_key),
        ("before-call.iam.UpdateAccessKey", _check_key_id),
        ("before-call.iam.DeleteAccessKey", _check_key_id),
        ("after-call.iam.CreateAccessKey", _note_secret),
        ("provide-client-params.kms.Encrypt", _encrypt),
        ("before-call.dynamodb", _item),
        ("before-call.iam", _remember_user),
        ("after-call.iam", _refuse_absent_user),
        ("provide-client-params", _note_call),
    ):
        if (event, handler) not in handlers:
            handlers.append((event, handler))


def _create_user(params: dict[str, Any], model: Any, **_: Any) -> None:
    body = params["body"]
    name = body["UserName"]
    if not NAME.fullmatch(name):
        _refuse(model, "ValidationError", f"invalid user name {name!r}")
    if not re.fullmatch(r"/|/[\u0021-\u007e]*/", body.get("Path", "/")):
        _refuse(model, "ValidationError", "invalid path")
    for key, value in body.items():
        if key.startswith("Tags.") and key.endswith(".Value") and not TAG_VALUE.fullmatch(value):
            _refuse(model, "InvalidInput", f"invalid tag value {value!r}")
    if any(known.lower() == name.lower() for known in _held(params).user_names()):
        _refuse(model, "EntityAlreadyExists", f"User with name {name} already exists.", 409)


def _put_user_policy(params: dict[str, Any], model: Any, **_: Any) -> None:
    body = params["body"]
    document = body["PolicyDocument"]
    if not DOCUMENT.fullmatch(document):
        _refuse(model, "MalformedPolicyDocument", "invalid characters in the policy document")
    size = len(re.sub(r"\s", "", document))
    for name, other in _held(params).policies(body["UserName"]).items():
        if name != body["PolicyName"]:
            size += len(re.sub(r"\s", "", other if isinstance(other, str) else json.dumps(other)))
    if size > 2048:
        _refuse(model, "LimitExceeded", f"Maximum policy size of 2048 bytes exceeded for user {body['UserName']}", 409)


def _create_access_key(params: dict[str, Any], model: Any, **_: Any) -> None:
    if _held(params).access_keys(params["body"]["UserName"]) >= 2:
        _refuse(model, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409)


def _check_key_id(params: dict[str, Any], model: Any, **_: Any) -> None:
    if not KEY_ID.fullmatch(params["body"]["AccessKeyId"]):
        _refuse(model, "ValidationError", "the access key id does not match [\\w]+")


# IAM evaluates a request by the path of the user, which it knows only for users that exist.
BY_NAME = frozenset({"CreateUser", "GetUser"})


def _remember_user(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if isinstance(params["body"], dict):
        context["smtp_user"] = params["body"].get("UserName")


def _refuse_absent_user(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """A role limited to a path gets AccessDenied, not NoSuchEntity, for a user that does not exist."""
    name = context.get("smtp_user")
    absent = f"The user with name {name} cannot be found."
    told = parsed.get("Error", {})
    if name and model.name not in BY_NAME and told.get("Code") == "NoSuchEntity" and absent in told.get("Message", ""):
        _refuse(model, "AccessDenied", f"not authorized to perform: iam:{model.name} on resource: user {name}", 403)


def _note_secret(parsed: dict[str, Any], **_: Any) -> None:
    key = parsed.get("AccessKey", {})
    if secret := key.get("SecretAccessKey"):
        secrets_seen[key["AccessKeyId"]] = secret
        _note("secrets", secret)


def _note(kind: str, line: str) -> None:
    if kind in notes:
        with Path(notes[kind]).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _note_call(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Record caller, call and parameters, but never the plaintext of an encryption."""
    if "calls" in notes and not _asking.get():
        call = {
            "by": os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or os.environ.get("CALLS_MADE_AS", ""),
            "service": model.service_model.service_id.lower(),
            "operation": model.name,
            "params": {name: value for name, value in params.items() if name not in ("Plaintext", "CiphertextBlob")},
        }
        _note("calls", json.dumps(call, default=str))


def _encrypt(params: dict[str, Any], model: Any, **_: Any) -> None:
    if len(params["Plaintext"]) > 4096:
        _refuse(model, "ValidationException", "plaintext of more than 4096 bytes")


def _item(params: dict[str, Any], model: Any, **_: Any) -> None:
    body = json.loads(params["body"])
    sort_key = body.get("Key", body.get("Item", {})).get("SK", {}).get("S", "")
    if len(sort_key.encode(errors="surrogatepass")) > 1024:
        _refuse(model, "ValidationException", "Size of rangekey has exceeded the maximum size limit of1024 bytes")


# Calls made by the rules themselves are not calls of the project.
_asking: ContextVar[bool] = ContextVar("asking", default=False)


class Held:
    """What IAM holds, asked by its API."""

    def __init__(self, endpoint: str) -> None:
        self._client: Any = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1")

    def user_names(self) -> list[str]:
        return [user["UserName"] for page in self._pages("list_users") for user in page["Users"]]

    def policies(self, user: str) -> dict[str, Any]:
        names = [name for page in self._pages("list_user_policies", UserName=user) for name in page["PolicyNames"]]
        token = _asking.set(True)
        try:
            asked = ((name, self._client.get_user_policy(UserName=user, PolicyName=name)) for name in names)
            return {name: answer["PolicyDocument"] for name, answer in asked}
        finally:
            _asking.reset(token)

    def access_keys(self, user: str) -> int:
        return sum(len(page["AccessKeyMetadata"]) for page in self._pages("list_access_keys", UserName=user))

    def _pages(self, operation: str, **arguments: Any) -> list[dict[str, Any]]:
        token = _asking.set(True)
        try:
            pages = self._client.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 1000})
            return list(pages)
        except ClientError as error:
            # No such user, or an emulator that accepts only its own keys, which the rules cannot read.
            if error.response["Error"]["Code"] in ("NoSuchEntity", "InvalidClientTokenId"):
                return []
            raise
        finally:
            _asking.reset(token)


held_at: Callable[[str], Any] = cache(Held)


def _held(params: dict[str, Any]) -> Any:
    return held_at(params["url"].rstrip("/"))


def _refuse(model: Any, code: str, message: str, status: int = 400) -> None:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    raise ClientError(response, model.name)

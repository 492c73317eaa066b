"""What moto lacks, with AWS's responses.

IAM: boundaries, service credentials, groups of a user that is deleted, pages of GetAccountAuthorizationDetails. Lambda:
mappings of a function that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import botocore.handlers
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.iam.models import iam_backends

OK = SimpleNamespace(status_code=200, headers={})


class MotoGaps:
    """One instance holds the state of one mocked account.

    `mappings`: the event source mappings of the credential manager.
    """

    def __init__(self) -> None:
        self.mappings: list[dict[str, str]] = []
        self.boundaries: dict[str, str] = {}
        self.service_credentials: dict[str, list[str]] = {}

    @contextmanager
    def filled(self) -> Iterator[None]:
        """For every client that is created meanwhile."""
        entries = [
            ("before-call.iam.PutUserPermissionsBoundary", self._put_boundary),
            ("before-call.iam.DeleteUserPermissionsBoundary", self._delete_boundary),
            ("before-call.iam.ListServiceSpecificCredentials", self._list_credentials),
            ("before-call.iam.DeleteServiceSpecificCredential", self._delete_credential),
            ("before-call.iam.DeleteUser", self._check_delete),
            ("before-call.iam.DeleteUser", _check_groups),
            ("before-call.iam.CreateUser", self._create),
            ("after-call.iam.CreateUser", self._created),
            ("after-call.iam.GetUser", self._got),
            ("before-call.iam.GetAccountAuthorizationDetails", _remember_page),
            ("after-call.iam.GetAccountAuthorizationDetails", self._got_details),
            ("before-call.lambda.ListEventSourceMappings", lambda **_: (OK, {"EventSourceMappings": self.mappings})),
        ]
        handlers: list[Any] = botocore.handlers.BUILTIN_HANDLERS
        handlers.extend(entries)
        try:
            yield
        finally:
            for entry in entries:
                handlers.remove(entry)

    def _put_boundary(self, params: dict[str, Any], **_: Any) -> Any:
        self.boundaries[params["body"]["UserName"]] = params["body"]["PermissionsBoundary"]
        return OK, {}

    def _delete_boundary(self, params: dict[str, Any], **_: Any) -> Any:
        self.boundaries.pop(params["body"]["UserName"], None)
        return OK, {}

    def _list_credentials(self, params: dict[str, Any], **_: Any) -> Any:
        known = self.service_credentials.get(params["body"]["UserName"], [])
        return OK, {"ServiceSpecificCredentials": [{"ServiceSpecificCredentialId": one} for one in known]}

    def _delete_credential(self, params: dict[str, Any], **_: Any) -> Any:
        self.service_credentials[params["body"]["UserName"]].remove(params["body"]["ServiceSpecificCredentialId"])
        return OK, {}

    def _check_delete(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self.service_credentials.get(params["body"]["UserName"]):
            error = {
                "Code": "DeleteConflict",
                "Message": "Cannot delete entity, delete service credentials first.",
            }
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 409}}, model.name)

    def _create(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked_boundary"] = params["body"].get("PermissionsBoundary")

    def _created(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if (user := parsed.get("User")) and context["asked_boundary"]:
            self.boundaries[user["UserName"]] = context["asked_boundary"]

    def _got(self, parsed: dict[str, Any], **_: Any) -> None:
        if (user := parsed.get("User")) and (arn := self.boundaries.get(user["UserName"])):
            user["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}

    def _got_details(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        users = parsed.get("UserDetailList", [])
        for user in users:
            self._got({"User": user})
        start, size = context["page"]
        parsed["UserDetailList"] = users[start : start + size]
        parsed["IsTruncated"] = start + size < len(users)
        if parsed["IsTruncated"]:
            parsed["Marker"] = str(start + size)


def _remember_page(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Where the page begins, and its size: 100 by default, 1,000 at most."""
    body = params["body"]
    context["page"] = int(body.pop("Marker", 0)), min(int(body.get("MaxItems", 100)), 1000)


def _check_groups(params: dict[str, Any], model: Any, **_: Any) -> None:
    name = params["body"]["UserName"]
    if any(name in [user.name for user in group.users] for group in iam_backends[ACCOUNT]["aws"].groups.values()):
        error = {"Code": "DeleteConflict", "Message": "Cannot delete entity, must remove users from group first."}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 409}}, model.name)

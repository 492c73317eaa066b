"""The names of all IAM users of the account, and whether one of them is managed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.core.ownership import OWNER, OWNER_TAG, ListedUser
from reconciler.errors import ABSENT, AwsError

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient


class IamNames:
    def __init__(self, client: IAMClient) -> None:
        self._client = client

    def users(self) -> Iterator[ListedUser]:
        """Of every path, because names are unique in the account: at most five pages, for 5,000 users."""
        with aws_errors("iam:ListUsers"):
            for page in self._client.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1000}):
                for user in page["Users"]:
                    yield ListedUser(user["UserName"], user["Path"], user["CreateDate"])

    def is_unmanaged(self, iam_user: str) -> bool:
        """Does it exist without our tag?"""
        try:
            with aws_errors("iam:GetUser"):
                tags = self._client.get_user(UserName=iam_user)["User"].get("Tags", [])
        except AwsError as error:
            if error.code == ABSENT:
                return False
            raise
        return {tag["Key"]: tag["Value"] for tag in tags}.get(OWNER_TAG) != OWNER

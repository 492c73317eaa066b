"""An IAM user as stored by the model and as returned by AWS. Never changed in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AccessKey:
    id: str
    secret: str
    active: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class IamUser:
    """`attached`: what else prevents the deletion of a user, by the operation that lists it."""

    name: str
    path: str
    created: datetime
    tags: Mapping[str, str]
    boundary: str = ""
    keys: tuple[AccessKey, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    attached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def shown(user: IamUser) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:user{user.path}{user.name}"
    return {"UserName": user.name, "Path": user.path, "Arn": arn, "CreateDate": user.created}


def shown_fully(user: IamUser) -> dict[str, Any]:
    """Including what ListUsers omits."""
    answer = {**shown(user), "Tags": [{"Key": key, "Value": value} for key, value in user.tags.items()]}
    if user.boundary:
        boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": user.boundary}
        answer["PermissionsBoundary"] = boundary
    return answer


def shown_in_detail(user: IamUser) -> dict[str, Any]:
    """As GetAccountAuthorizationDetails returns it; the policies as botocore has parsed them."""
    policies = [{"PolicyName": name, "PolicyDocument": json.loads(text)} for name, text in user.policies.items()]
    attached = [{"PolicyArn": arn} for arn in user.attached.get("list_attached_user_policies", ())]
    groups = list(user.attached.get("list_groups_for_user", ()))
    return {
        **shown_fully(user),
        "UserPolicyList": policies,
        "AttachedManagedPolicies": attached,
        "GroupList": groups,
    }


def shown_key(user: IamUser, key: AccessKey) -> dict[str, Any]:
    status = "Active" if key.active else "Inactive"
    return {"UserName": user.name, "AccessKeyId": key.id, "Status": status, "CreateDate": key.created}

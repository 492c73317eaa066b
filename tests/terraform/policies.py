"""The roles as Terraform made them on the local AWS."""

from __future__ import annotations

import json

from terraform.conftest import Deployed
from terraform.judging import Document, Principal

ROLES = {
    "manager": "smtp-credential-manager-sandbox",
    "plan": "smtp-reconcile-plan-sandbox",
    "apply": "smtp-reconcile-apply-sandbox",
}


def role(sandbox: Deployed, who: str) -> Principal:
    arn = sandbox.client("iam").get_role(RoleName=ROLES[who])["Role"]["Arn"]
    return Principal(arn, role_policies(sandbox, who))


def role_policies(sandbox: Deployed, who: str) -> tuple[Document, ...]:
    iam, name = sandbox.client("iam"), ROLES[who]
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    held = [iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in names]
    return tuple(document if isinstance(document, dict) else json.loads(document) for document in held)

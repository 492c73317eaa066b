"""Principals and their policies, as Terraform created them on the local AWS."""

from __future__ import annotations

import json
from typing import Any

from reconciler.pipeline.definition import load_pipeline
from terraform.conftest import Deployed
from terraform.judging import Document, Principal

PIPELINE = load_pipeline("sandbox")
FUNCTIONS = {kind: function.name for kind, function in PIPELINE.functions.items()}  # each has a role with its own name
CI = {"plan": "smtp-reconcile-plan-sandbox", "apply": "smtp-reconcile-apply-sandbox"}
ROLES = {**FUNCTIONS, **CI, "scheduler": PIPELINE.names["scheduler"]}
POLICIES = {"operator": PIPELINE.names["operator"], "reader": PIPELINE.names["reader"]}  # for roles of people
HOLDERS = {**ROLES, **POLICIES}


def principal(sandbox: Deployed, who: str) -> Principal:
    if who in ROLES:
        arn = sandbox.client("iam").get_role(RoleName=ROLES[who])["Role"]["Arn"]
    else:
        arn = f"arn:aws:iam::{sandbox.environment.account_id}:role/people/{who}"
    return Principal(arn, policies_of(sandbox, who))


def policies_of(sandbox: Deployed, who: str) -> tuple[Document, ...]:
    iam, name = sandbox.client("iam"), HOLDERS[who]
    if who in POLICIES:
        return (managed_policy(sandbox, name),)
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    return tuple(_read(iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]) for one in names)


def managed_policy(sandbox: Deployed, name: str) -> Document:
    iam, arn = sandbox.client("iam"), f"arn:aws:iam::{sandbox.environment.account_id}:policy/{name}"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _read(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _read(document: Any) -> Document:
    return document if isinstance(document, dict) else json.loads(document)

"""Least privilege, measured: every AWS call of the whole lifecycle against the roles that Terraform made.

Every call that was made is allowed; every action that is allowed was made; and what must not happen is refused, by an
evaluator of IAM that is not ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import aws_rules
from attachments import attach_everything
from sandbox.local_aws import eventually
from terraform.calls import as_requests, read_calls
from terraform.conftest import Deployed
from terraform.judging import ALLOW_ALL, Document, Judge, Principal, Request
from terraform.policies import role
from world import a_user, make_world

pytestmark = pytest.mark.xdist_group("terraform")

ACCOUNT, REGION = "000000000000", "eu-central-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/smtp-users-sandbox"
OWN_USER = f"arn:aws:iam::{ACCOUNT}:user/smtp/sandbox/smtp-sandbox-wiki"
FOREIGN_USER = f"arn:aws:iam::{ACCOUNT}:user/people/administrator"
IAM_USER = "smtp-sandbox-wiki"
OURS = {"dynamodb:LeadingKeys": ["SMTP_USER"]}
CONTEXT = {"kms:EncryptionContext:environment": "sandbox"}

# What the Lambda service does on the role's behalf; no code of ours calls it.
BY_THE_SERVICE = {
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip


@dataclass
class Account:
    """The roles, the key and the calls of a whole life."""

    manager: Principal
    plan: Principal
    apply: Principal
    boundary_arn: str
    boundary: Document
    key_arn: str
    key_policy: Document
    manager_calls: list[Request]
    plan_calls: list[Request]
    apply_calls: list[Request]


def strip_calls(calls: Path) -> list[dict[str, Any]]:
    """A teardown that trips over everything, against the emulator that knows all of IAM's calls for it."""
    aws_rules.notes["calls"] = str(calls)
    try:
        with make_world() as world:
            world.ask(a_user("wiki"))
            world.converge("wiki")
            attach_everything(world, "smtp-test-wiki")
            calls.write_text("")
            world.ask_delete("wiki")
            assert world.converge("wiki").result == "removed"
    finally:
        del aws_rules.notes["calls"]
    named = calls.read_text().replace("smtp-test-wiki", IAM_USER)  # one account's calls, told of the other's user
    calls.write_text(named)
    return [call for call in read_calls(calls) if call["service"] == "iam"]


def live_a_whole_life(sandbox: Deployed) -> None:
    """Create, edit, disable, enable, rotate twice, repair, fail, tear down by both ways."""
    assert sandbox.reconcile().returncode == 0
    sandbox.edit("platform.yaml", "[builds@example.com]", "[builds@example.com]\n    credential: 2")
    sandbox.edit("platform.yaml", "[wiki@example.com, noreply@example.com]", "[wiki@example.com]\n    enabled: false")
    assert sandbox.reconcile().returncode == 0
    sandbox.edit("platform.yaml", "credential: 2", "credential: 3")
    sandbox.edit("platform.yaml", "[wiki@example.com]\n    enabled: false", "[wiki@example.com]")
    sandbox.client("iam").delete_user_permissions_boundary(UserName=IAM_USER)
    assert sandbox.reconcile().returncode == 0
    sandbox.client("iam").create_access_key(UserName=IAM_USER)
    text = (sandbox.root / "users/sandbox/platform.yaml").read_text()
    (sandbox.root / "users/sandbox/platform.yaml").write_text(text[: text.index("  - name: wiki")])
    deleted = sandbox.reconcile()
    assert deleted.returncode == 0, deleted.stdout
    sandbox.client("iam").create_user(UserName="smtp-sandbox-foreign")
    sandbox.put_row("foreign", status={"S": "pending"}, allowed_from_addresses={"SS": ["x@example.com"]})
    assert eventually(lambda: sandbox.statuses()["foreign"] == "failed")
    key = {"PK": {"S": "SMTP_USER"}, "SK": {"S": "USER#newsletter"}}
    sandbox.client("dynamodb").delete_item(TableName=sandbox.environment.table, Key=key)
    assert eventually(lambda: "smtp-sandbox-newsletter" not in sandbox.users())


@pytest.fixture(scope="module")
def account(deployed: Deployed) -> Account:
    live_a_whole_life(deployed)
    ci_calls = deployed.ci_hook.parent / "calls"
    reconciling = read_calls(ci_calls)
    ci_calls.write_text("")
    assert deployed.reconcile("plan").returncode == 0
    planning = read_calls(ci_calls)
    iam, kms = deployed.client("iam"), deployed.client("kms")
    boundary_arn = f"arn:aws:iam::{ACCOUNT}:policy/smtp-boundary-sandbox"
    version = iam.get_policy(PolicyArn=boundary_arn)["Policy"]["DefaultVersionId"]
    boundary = iam.get_policy_version(PolicyArn=boundary_arn, VersionId=version)["PolicyVersion"]["Document"]
    key = kms.describe_key(KeyId="alias/smtp-credentials-sandbox")["KeyMetadata"]["Arn"]
    key_policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    def requests(calls: list[dict[str, Any]]) -> list[Request]:
        return as_requests(calls, ACCOUNT, REGION, key, boundary_arn)

    return Account(
        role(deployed, "manager"),
        role(deployed, "plan"),
        role(deployed, "apply"),
        boundary_arn,
        boundary if isinstance(boundary, dict) else json.loads(boundary),
        key,
        key_policy,
        requests([*read_calls(deployed.root / "calls"), *strip_calls(deployed.root / "strip")]),
        requests(planning),
        requests(reconciling),
    )


# What a key has by default: its account's IAM policies decide. The most that another key would let pass.
DELEGATING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        }
    ],
}


def judged(judge: Judge, account: Account, principal: Principal, requests: list[Request]) -> list[bool]:
    """KMS requests are judged with the policy of their key."""
    told = {}
    for policy in (None, account.key_policy, DELEGATING):
        chosen = [request for request in requests if key_policy_of(account, request) is policy]
        if chosen:
            told.update(zip(map(str, chosen), judge.allowed(principal, chosen, policy), strict=True))
    return [told[str(request)] for request in requests]


def key_policy_of(account: Account, request: Request) -> Document | None:
    if not request.action.startswith("kms:"):
        return None
    return account.key_policy if request.resource == account.key_arn else DELEGATING


@pytest.mark.parametrize("who", ["manager", "plan", "apply"])
def test_every_call_that_was_made_is_allowed(judge: Judge, account: Account, who: str) -> None:
    requests: list[Request] = getattr(account, f"{who}_calls")
    assert len(requests) >= {"manager": 40, "plan": 1, "apply": 4}[who]
    verdicts = judged(judge, account, getattr(account, who), requests)
    assert [str(request) for request, allowed in zip(requests, verdicts, strict=True) if not allowed] == []


@pytest.mark.parametrize("who", ["manager", "plan", "apply"])
def test_every_action_that_is_allowed_was_made(account: Account, who: str) -> None:
    principal: Principal = getattr(account, who)
    allowed = {
        action
        for policy in principal.policies
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    made = {request.action for request in getattr(account, f"{who}_calls")}
    assert not [action for action in allowed if "*" in action]
    assert allowed - made == (BY_THE_SERVICE if who == "manager" else set())


def bounded(arn: str) -> dict[str, str | list[str]]:
    return {"iam:PermissionsBoundary": arn}


def refusals(account: Account) -> dict[str, tuple[Principal, Request]]:
    ours = bounded(account.boundary_arn)
    other = bounded(f"arn:aws:iam::{ACCOUNT}:policy/wide-open")
    other_table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/payroll"
    other_key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    manager, plan, apply = account.manager, account.plan, account.apply
    return {
        "a user outside the path": (manager, Request("iam:CreateUser", FOREIGN_USER, ours)),
        "a user of another environment": (
            manager,
            Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/smtp/prod/smtp-prod-wiki", ours),
        ),
        "a user without the boundary": (manager, Request("iam:CreateUser", OWN_USER)),
        "a user with another boundary": (manager, Request("iam:CreateUser", OWN_USER, other)),
        "a policy for a user without the boundary": (manager, Request("iam:PutUserPolicy", OWN_USER)),
        "a policy on a foreign user": (manager, Request("iam:PutUserPolicy", FOREIGN_USER, ours)),
        "a key for a foreign user": (manager, Request("iam:CreateAccessKey", FOREIGN_USER)),
        "another boundary put on a user": (manager, Request("iam:PutUserPermissionsBoundary", OWN_USER, other)),
        "the boundary taken off": (manager, Request("iam:DeleteUserPermissionsBoundary", OWN_USER, ours)),
        "a managed policy attached": (manager, Request("iam:AttachUserPolicy", OWN_USER, ours)),
        "a foreign user looked at": (manager, Request("iam:GetUser", FOREIGN_USER)),
        "keys of a user of our name elsewhere": (
            manager,
            Request("iam:ListAccessKeys", f"arn:aws:iam::{ACCOUNT}:user/people/smtp-sandbox-wiki"),
        ),
        "a role created": (manager, Request("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/any")),
        "another table": (manager, Request("dynamodb:UpdateItem", other_table, OURS)),
        "another leading key": (
            manager,
            Request("dynamodb:UpdateItem", TABLE, {"dynamodb:LeadingKeys": ["ORDER"]}),
        ),
        "a request that names no key": (manager, Request("dynamodb:UpdateItem", TABLE)),
        "a scan": (manager, Request("dynamodb:Scan", TABLE)),
        "another key": (manager, Request("kms:Encrypt", other_key, CONTEXT)),
        "another environment's context": (
            manager,
            Request("kms:Encrypt", account.key_arn, {"kms:EncryptionContext:environment": "prod"}),
        ),
        "decryption by the manager": (manager, Request("kms:Decrypt", account.key_arn, CONTEXT)),
        "decryption by CI's plan": (plan, Request("kms:Decrypt", account.key_arn, CONTEXT)),
        "decryption by CI's apply": (apply, Request("kms:Decrypt", account.key_arn, CONTEXT)),
        "encryption by CI's apply": (apply, Request("kms:Encrypt", account.key_arn, CONTEXT)),
        "CI writes another leading key": (
            apply,
            Request("dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": ["ORDER"]}),
        ),
        "CI writes ours and another": (
            apply,
            Request("dynamodb:BatchGetItem", TABLE, {"dynamodb:LeadingKeys": ["SMTP_USER", "ORDER"]}),
        ),
        "CI deletes a row": (apply, Request("dynamodb:DeleteItem", TABLE, OURS)),
        "CI makes a user": (apply, Request("iam:CreateUser", OWN_USER, ours)),
        "CI's plan puts a row": (plan, Request("dynamodb:PutItem", TABLE, OURS)),
        "CI's plan updates a row": (plan, Request("dynamodb:UpdateItem", TABLE, OURS)),
        "CI's plan deletes a row": (plan, Request("dynamodb:DeleteItem", TABLE, OURS)),
    }


def test_what_must_not_happen_is_refused(judge: Judge, account: Account) -> None:
    """And the same request passes once the role is widened: so each of these would notice."""
    passed, unnoticed = [], []
    for what, (principal, request) in refusals(account).items():
        if any(judged(judge, account, principal, [request])):
            passed.append(what)
        # A key policy that delegates nothing to IAM refuses whatever IAM says: there it is the key that is widened.
        wide = {"Version": "2012-10-17", "Statement": [{**ALLOW_ALL["Statement"][0], "Principal": "*"}]}  # type: ignore[index]
        key_policy = wide if request.action.startswith("kms:") else None
        if not all(judge.allowed(principal.widened(), [request], key_policy)):
            unnoticed.append(what)
    assert passed == []
    assert unnoticed == []


def test_a_user_can_do_nothing_but_send_whatever_its_own_policy_says(judge: Judge, account: Account) -> None:
    user = Principal(OWN_USER, (ALLOW_ALL,), account.boundary)
    identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com"
    other_set = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/unwatched"
    requests = [
        Request("ses:SendRawEmail", identity),
        Request("ses:SendRawEmail", other_set),
        Request("ses:SendEmail", identity),
        Request("iam:CreateAccessKey", OWN_USER),
        Request("kms:Decrypt", account.key_arn, CONTEXT),
        Request("dynamodb:GetItem", TABLE, OURS),
        Request("s3:GetObject", "arn:aws:s3:::any/thing"),
    ]
    assert judge.allowed(user, requests) == [True, False, False, False, False, False, False]


def test_only_the_named_readers_decrypt(judge: Judge, account: Account) -> None:
    """In the sandbox nobody is named; even an administrator of the account may manage the key, but not use it."""
    administrator = Principal(f"arn:aws:iam::{ACCOUNT}:role/administrator", (ALLOW_ALL,))
    requests = [
        Request("kms:Decrypt", account.key_arn, CONTEXT),
        Request("kms:Encrypt", account.key_arn, CONTEXT),
        Request("kms:DescribeKey", account.key_arn),
    ]
    assert judge.allowed(administrator, requests, account.key_policy) == [False, False, True]

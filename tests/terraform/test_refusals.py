"""What must not happen is refused, by an evaluator of IAM that is not ours, and would pass if the role were wider."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from terraform.account import Account
from terraform.calls import Names
from terraform.judging import ALLOW_ALL, Case, Judge, Principal, Request
from terraform.policies import FUNCTIONS, PIPELINE

pytestmark = pytest.mark.xdist_group("terraform")

OURS = {"dynamodb:LeadingKeys": ["SMTP_USER"]}
OTHERS = {"dynamodb:LeadingKeys": ["ORDER"]}
KEYS = ["PK", "SK"]
ASKED = ["status", "revision", "correlation_id", "actor", "requested_at", "revoked", "failure"]
CONTEXT = {"kms:EncryptionContext:environment": "sandbox"}
IAM_USER = "smtp-sandbox-wiki"
DEAD_LETTERS, PARKING = PIPELINE.names["dead_letter_queue"], PIPELINE.names["parking_queue"]
Refusals = Mapping[str, Request]


def bounded(arn: str) -> dict[str, str | list[str]]:
    return {"iam:PermissionsBoundary": arn}


def other_key(names: Names) -> str:
    return f"arn:aws:kms:{names.region}:{names.account}:key/11111111-2222-3333-4444-555555555555"


def no_function(names: Names) -> Refusals:
    """All of them converge users, and none may more than that takes."""
    ours, other = bounded(names.boundary), bounded(names.iam("policy/wide-open"))
    user, foreign = names.own_user(IAM_USER), names.iam("user/people/administrator")
    table, group = names.table(), names.iam("group/senders")
    return {
        "makes a user outside the path": Request("iam:CreateUser", foreign, ours),
        "makes a user of another environment": Request(
            "iam:CreateUser", names.iam("user/smtp/prod/smtp-prod-wiki"), ours
        ),
        "makes a user without the boundary": Request("iam:CreateUser", user),
        "makes a user with another boundary": Request("iam:CreateUser", user, other),
        "puts a policy on a user without the boundary": Request("iam:PutUserPolicy", user),
        "puts a policy on a user with another boundary": Request("iam:PutUserPolicy", user, other),
        "puts a policy on a foreign user": Request("iam:PutUserPolicy", foreign, ours),
        "detaches a policy from a foreign user": Request("iam:DetachUserPolicy", foreign, ours),
        "makes a key for a foreign user": Request("iam:CreateAccessKey", foreign),
        "switches on a foreign user's key": Request("iam:UpdateAccessKey", foreign),
        "puts another boundary on a user": Request("iam:PutUserPermissionsBoundary", user, other),
        "takes the boundary off": Request("iam:DeleteUserPermissionsBoundary", user, ours),
        "attaches a managed policy": Request("iam:AttachUserPolicy", user, ours),
        "adds a user to a group": Request("iam:AddUserToGroup", group),
        "gives a user a console password": Request("iam:CreateLoginProfile", user),
        "looks at a foreign user": Request("iam:GetUser", foreign),
        "lists the keys of a user of our name elsewhere": Request(
            "iam:ListAccessKeys", names.iam(f"user/people/{IAM_USER}")
        ),
        "makes a role": Request("iam:CreateRole", names.iam("role/any")),
        "writes another table": Request("dynamodb:UpdateItem", names.table("payroll"), OURS),
        "reads another table": Request("dynamodb:GetItem", names.table("payroll"), OURS),
        "queries another table": Request("dynamodb:Query", names.table("payroll"), OURS),
        "writes another leading key": Request("dynamodb:UpdateItem", table, OTHERS),
        "deletes another leading key": Request("dynamodb:DeleteItem", table, OTHERS),
        "queries another leading key": Request("dynamodb:Query", table, OTHERS),
        "writes without naming a key": Request("dynamodb:UpdateItem", table),
        "queries without naming a key": Request("dynamodb:Query", table),
        "puts a row": Request("dynamodb:PutItem", table, OURS),
        "scans": Request("dynamodb:Scan", table),
        "reads another table's stream": Request("dynamodb:GetRecords", f"{names.table('payroll')}/stream/2026"),
        "encrypts with another key": Request("kms:Encrypt", other_key(names), CONTEXT),
        "encrypts in another environment's context": Request(
            "kms:Encrypt", names.key, {"kms:EncryptionContext:environment": "prod"}
        ),
        "decrypts": Request("kms:Decrypt", names.key, CONTEXT),
        "decrypts with another key": Request("kms:Decrypt", other_key(names), CONTEXT),
        "sends to another queue": Request("sqs:SendMessage", names.queue("payroll")),
        "receives from another queue": Request("sqs:ReceiveMessage", names.queue("payroll")),
        "empties the parking queue": Request("sqs:PurgeQueue", names.queue(PARKING)),
        "invokes a function": Request("lambda:InvokeFunction", function(names, "manager")),
    }


def function(names: Names, kind: str) -> str:
    return f"arn:aws:lambda:{names.region}:{names.account}:function:{FUNCTIONS[kind]}"


def manager(names: Names) -> Refusals:
    return {
        "lists rows": Request("dynamodb:Query", names.table(), OURS),
        "lists IAM users": Request("iam:ListUsers", "*"),
        "parks a message": Request("sqs:SendMessage", names.queue(PARKING)),
        "receives dead letters": Request("sqs:ReceiveMessage", names.queue(DEAD_LETTERS)),
    }


def dead_letter(names: Names) -> Refusals:
    return {
        "lists IAM users": Request("iam:ListUsers", "*"),
        "reads a user's policy": Request("iam:GetUserPolicy", names.own_user(IAM_USER)),
        "receives parked messages": Request("sqs:ReceiveMessage", names.queue(PARKING)),
        "deletes parked messages": Request("sqs:DeleteMessage", names.queue(PARKING)),
        "empties its queue": Request("sqs:PurgeQueue", names.queue(DEAD_LETTERS)),
    }


def sweep(names: Names) -> Refusals:
    return {
        "sends a dead letter": Request("sqs:SendMessage", names.queue(DEAD_LETTERS)),
        "parks a message": Request("sqs:SendMessage", names.queue(PARKING)),
        "receives dead letters": Request("sqs:ReceiveMessage", names.queue(DEAD_LETTERS)),
        "reads the stream": Request("dynamodb:GetRecords", names.stream),
        "reads a foreign user's policy": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
    }


def no_person_and_no_workflow(names: Names) -> Refusals:
    """Nobody but the functions writes to IAM, nobody reads a secret, and nobody deletes a row."""
    ours, user = bounded(names.boundary), names.own_user(IAM_USER)
    written = (
        "AttachUserPolicy", "CreateAccessKey", "CreateUser", "DeleteAccessKey", "DeleteUser", "DeleteUserPolicy",
        "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy", "TagUser", "UpdateAccessKey",
    )  # fmt: skip
    return {
        **{f"calls {operation}": Request(f"iam:{operation}", user, ours) for operation in written},
        "takes a user out of a group": Request("iam:RemoveUserFromGroup", names.iam("group/senders")),
        "looks at a foreign user": Request("iam:GetUser", names.iam("user/people/administrator")),
        "decrypts": Request("kms:Decrypt", names.key, CONTEXT),
        "decrypts with another key": Request("kms:Decrypt", other_key(names), CONTEXT),
        "encrypts": Request("kms:Encrypt", names.key, CONTEXT),
        "deletes a row": Request("dynamodb:DeleteItem", names.table(), OURS),
        "scans": Request("dynamodb:Scan", names.table()),
        "reads another table": Request("dynamodb:Query", names.table("payroll"), OURS),
        "reads another leading key": Request("dynamodb:Query", names.table(), OTHERS),
        "reads without naming a key": Request("dynamodb:Query", names.table()),
        "reads the stream": Request("dynamodb:GetRecords", names.stream),
        "receives from another queue": Request("sqs:ReceiveMessage", names.queue("payroll")),
        "invokes the manager": Request("lambda:InvokeFunction", function(names, "manager")),
    }


def plan(names: Names) -> Refusals:
    return {
        "puts a row": Request("dynamodb:PutItem", names.table(), OURS),
        "updates a row": Request("dynamodb:UpdateItem", names.table(), OURS),
        "lists the keys of a foreign user": Request("iam:ListAccessKeys", names.iam("user/people/administrator")),
        "reads a foreign user's policy": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
    }


def apply(names: Names) -> Refusals:
    ours_and_another = {"dynamodb:LeadingKeys": ["SMTP_USER", "ORDER"]}
    return {
        "puts another leading key": Request("dynamodb:PutItem", names.table(), OTHERS),
        "updates another leading key": Request("dynamodb:UpdateItem", names.table(), OTHERS),
        "reads ours and another": Request("dynamodb:BatchGetItem", names.table(), ours_and_another),
        "lists IAM users": Request("iam:ListUsers", "*"),
        "looks at our users": Request("iam:GetUser", names.own_user(IAM_USER)),
    }


def operator(names: Names) -> Refusals:
    table, asked = names.table(), [*KEYS, *ASKED]
    granting = {
        f"updates {attribute}": Request(
            "dynamodb:UpdateItem", table, {**OURS, "dynamodb:Attributes": [*asked, attribute]}
        )
        for attribute in (
            "allowed_from_addresses",
            "enabled",
            "expires",
            "managed_by",
            "encrypted_credentials",
            "position",
        )
    }
    return {
        **granting,
        "updates without naming an attribute": Request("dynamodb:UpdateItem", table, OURS),
        "updates without naming a key": Request("dynamodb:UpdateItem", table, {"dynamodb:Attributes": asked}),
        "puts a row": Request("dynamodb:PutItem", table, OURS),
        "updates another leading key": Request("dynamodb:UpdateItem", table, {**OTHERS, "dynamodb:Attributes": asked}),
        "updates another table": Request(
            "dynamodb:UpdateItem", names.table("payroll"), {**OURS, "dynamodb:Attributes": asked}
        ),
        "sends to another queue": Request("sqs:SendMessage", names.queue("payroll")),
        "deletes the parking queue": Request("sqs:DeleteQueue", names.queue(PARKING)),
        "redirects the parking queue": Request("sqs:SetQueueAttributes", names.queue(PARKING)),
        "reads a foreign user's policy": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
    }


def reader(names: Names) -> Refusals:
    return {
        "puts a row": Request("dynamodb:PutItem", names.table(), OURS),
        "updates a row": Request("dynamodb:UpdateItem", names.table(), OURS),
        "looks at our users": Request("iam:GetUser", names.own_user(IAM_USER)),
    }


def scheduler(names: Names) -> Refusals:
    return {
        "invokes the dead-letter function": Request("lambda:InvokeFunction", function(names, "dead_letter")),
        "changes the sweep": Request("lambda:UpdateFunctionCode", function(names, "sweep")),
    }


OWN = {
    "manager": (no_function, manager),
    "dead_letter": (no_function, dead_letter),
    "sweep": (no_function, sweep),
    "plan": (no_person_and_no_workflow, plan),
    "apply": (no_person_and_no_workflow, apply),
    "operator": (no_person_and_no_workflow, operator),
    "reader": (no_person_and_no_workflow, reader),
    "scheduler": (no_person_and_no_workflow, scheduler),
}


@pytest.mark.parametrize("who", OWN)
def test_what_must_not_happen_is_refused(judge: Judge, account: Account, who: str) -> None:
    """And the same request passes once the role is widened: so each of these would notice."""
    listed = {what: request for refusals in OWN[who] for what, request in refusals(account.names).items()}
    assert _passing(judge, {what: account.case(who, request) for what, request in listed.items()}) == []
    assert _passing(judge, {what: account.widened(who, request) for what, request in listed.items()}) == [*listed]


def _passing(judge: Judge, cases: Mapping[str, Case]) -> list[str]:
    return [what for what, allowed in zip(cases, judge.allowed(cases.values()), strict=True) if allowed]


def test_an_operator_asks_and_what_is_asked_is_told_whole(judge: Judge, account: Account) -> None:
    """The calls of retry, revoke and resume. With one of them missing here, a refusal proves nothing."""
    made = [request for request in account.requests["operator"] if request.action == "dynamodb:UpdateItem"]
    told = {tuple(request.context["dynamodb:Attributes"]) for request in made}
    asked = [*KEYS, *(name for name in ASKED if name != "revoked")]
    assert told == {tuple(sorted(asked)), tuple(sorted([*asked, "revoked"]))}
    assert judge.allowed(account.case("operator", request) for request in made) == [True] * len(made)


def test_the_schedule_invokes_the_sweep(judge: Judge, account: Account) -> None:
    request = Request("lambda:InvokeFunction", function(account.names, "sweep"))
    assert judge.allowed([account.case("scheduler", request)]) == [True]


def test_a_user_can_do_nothing_but_send_whatever_its_own_policy_says(judge: Judge, account: Account) -> None:
    names = account.names
    user = Principal(names.own_user(IAM_USER), (ALLOW_ALL,), account.boundary)
    ses = f"arn:aws:ses:{names.region}:{names.account}"
    requests = [
        Request("ses:SendRawEmail", f"{ses}:identity/example.com"),
        Request("ses:SendRawEmail", f"{ses}:configuration-set/unwatched"),
        Request("ses:SendEmail", f"{ses}:identity/example.com"),
        Request("iam:CreateAccessKey", names.own_user(IAM_USER)),
        Request("kms:Decrypt", names.key, CONTEXT),
        Request("dynamodb:GetItem", names.table(), OURS),
        Request("s3:GetObject", "arn:aws:s3:::any/thing"),
    ]
    assert judge.allowed(Case(user, request) for request in requests) == [True, *[False] * 6]


def test_only_the_named_readers_decrypt(judge: Judge, account: Account) -> None:
    """In the sandbox nobody is named; even an administrator of the account may manage the key, but not use it."""
    administrator = Principal(account.names.iam("role/administrator"), (ALLOW_ALL,))
    requests = [
        Request("kms:Decrypt", account.names.key, CONTEXT),
        Request("kms:Encrypt", account.names.key, CONTEXT),
        Request("kms:DescribeKey", account.names.key),
    ]
    cases = [Case(administrator, request, account.key_policy) for request in requests]
    assert judge.allowed(cases) == [False, False, True]

"""The requests that each principal must not be able to make."""

from __future__ import annotations

from collections.abc import Mapping

from terraform.calls import OUR_TAG, Names
from terraform.existing import TABLE
from terraform.judging import Request
from terraform.policies import FUNCTIONS, PIPELINE

OURS = {"dynamodb:LeadingKeys": ["SMTP_USER"]}
OTHERS = {"dynamodb:LeadingKeys": ["ORDER"]}
KEYS = ["PK", "SK"]
ASKED = [
    "status", "revision", "correlation_id", "actor", "ci_actor", "run", "requested_at", "revoked", "failure",
    "revoked_users", "version",
]  # fmt: skip
# What `reconcile apply` writes when it creates a record.
DECLARED = [
    *KEYS, "entity_type", "created_at", "description", "owner", "allowed_from_addresses", "enabled", "credential",
    "spec_hash", "manifest", "managed_by", "commit", "pull_request", "approver", "status", "revision", "actor",
    "ci_actor", "run", "correlation_id", "requested_at",
]  # fmt: skip
CONTEXT = {"kms:EncryptionContext:environment": "sandbox"}
IAM_USER = "smtp-sandbox-wiki"
UNBOUNDED = {"aws:RequestTag/managed-by": "ses-smtp-reconciler", **OUR_TAG}
# Every action that changes a user which exists.
CHANGES = (
    "CreateAccessKey", "DeactivateMFADevice", "DeleteAccessKey", "DeleteLoginProfile",
    "DeleteServiceSpecificCredential", "DeleteSigningCertificate", "DeleteSSHPublicKey", "DeleteUser",
    "DeleteUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy", "TagUser", "UpdateAccessKey",
)  # fmt: skip
DEAD_LETTERS, PARKING = PIPELINE.names["dead_letter_queue"], PIPELINE.names["parking_queue"]
Refusals = Mapping[str, Request]

ALL_USERS = Request("iam:GetAccountAuthorizationDetails", "*")


def bounded(arn: str) -> dict[str, str | list[str]]:
    """Everything else is as it has to be: one difference alone must be refused."""
    return {"iam:PermissionsBoundary": arn, "aws:RequestTag/managed-by": "ses-smtp-reconciler", **OUR_TAG}


def other_keys(names: Names) -> Refusals:
    """DynamoDB decrypts the key of the table with the caller's permissions. The permission must serve nothing else."""
    ours = names.through_dynamodb(TABLE)
    directly = {key: value for key, value in ours.items() if key != "kms:ViaService"}
    return {
        "decrypts with the table's key": Request("kms:Decrypt", names.table_key, directly),
        "decrypts another table's data": Request("kms:Decrypt", names.table_key, names.through_dynamodb("payroll")),
        "decrypts through DynamoDB with another key": Request("kms:Decrypt", other_key(names), ours),
        "decrypts credentials through DynamoDB": Request("kms:Decrypt", names.key, {**CONTEXT, **ours}),
    }


def other_key(names: Names) -> str:
    return f"arn:aws:kms:{names.region}:{names.account}:key/11111111-2222-3333-4444-555555555555"


def every_function(names: Names) -> Refusals:
    """Requests that no function may make: they converge users and need no other permissions."""
    ours, other = bounded(names.boundary), bounded(names.iam("policy/wide-open"))
    user, unmanaged = names.own_user(IAM_USER), names.iam("user/people/administrator")
    table, group = names.table(), names.iam("group/senders")
    untagged = {key: value for key, value in ours.items() if key not in OUR_TAG}
    other_tag = {**untagged, "aws:ResourceTag/managed-by": "somebody"}
    return {
        **{
            f"{operation} on a user {what}": Request(f"iam:{operation}", user, context)
            for operation in CHANGES
            for what, context in (("without our tag", untagged), ("with another tag", other_tag))
        },
        **{
            f"{operation} on a user of our path with another name": Request(
                f"iam:{operation}", names.own_user("administrator"), ours
            )
            for operation in ("CreateUser", *CHANGES)
        },
        "creates a user without our tag": Request("iam:CreateUser", user, {"iam:PermissionsBoundary": names.boundary}),
        "creates a user with another tag": Request(
            "iam:CreateUser", user, {**ours, "aws:RequestTag/managed-by": "somebody"}
        ),
        "replaces our tag": Request("iam:TagUser", user, {**ours, "aws:RequestTag/managed-by": "somebody"}),
        "removes a tag": Request("iam:UntagUser", user, ours),
        "removes a user from a group": Request("iam:RemoveUserFromGroup", group, ours),
        "deactivates an MFA device of an unmanaged user": Request("iam:DeactivateMFADevice", unmanaged, ours),
        "creates a user outside the path": Request("iam:CreateUser", unmanaged, ours),
        "creates a user of another environment": Request(
            "iam:CreateUser", names.iam("user/smtp/prod/smtp-prod-wiki"), ours
        ),
        "creates a user without the boundary": Request("iam:CreateUser", user, UNBOUNDED),
        "creates a user with another boundary": Request("iam:CreateUser", user, other),
        "puts a policy on a user without the boundary": Request("iam:PutUserPolicy", user, UNBOUNDED),
        "puts a policy on a user with another boundary": Request("iam:PutUserPolicy", user, other),
        "puts a policy on an unmanaged user": Request("iam:PutUserPolicy", unmanaged, ours),
        "detaches a policy from an unmanaged user": Request("iam:DetachUserPolicy", unmanaged, ours),
        "creates a key for an unmanaged user": Request("iam:CreateAccessKey", unmanaged, ours),
        "activates a key of an unmanaged user": Request("iam:UpdateAccessKey", unmanaged, ours),
        "puts another boundary on a user": Request("iam:PutUserPermissionsBoundary", user, other),
        "deletes the boundary of a user": Request("iam:DeleteUserPermissionsBoundary", user, ours),
        "attaches a managed policy": Request("iam:AttachUserPolicy", user, ours),
        "adds a user to a group": Request("iam:AddUserToGroup", group),
        "creates a console password for a user": Request("iam:CreateLoginProfile", user),
        "reads an unmanaged user": Request("iam:GetUser", unmanaged),
        "lists the keys of a user with the same name under another path": Request(
            "iam:ListAccessKeys", names.iam(f"user/people/{IAM_USER}")
        ),
        "creates a role": Request("iam:CreateRole", names.iam("role/any")),
        "writes another table": Request("dynamodb:UpdateItem", names.table("payroll"), OURS),
        "reads another table": Request("dynamodb:GetItem", names.table("payroll"), OURS),
        "queries another table": Request("dynamodb:Query", names.table("payroll"), OURS),
        "writes another leading key": Request("dynamodb:UpdateItem", table, OTHERS),
        "deletes another leading key": Request("dynamodb:DeleteItem", table, OTHERS),
        "queries another leading key": Request("dynamodb:Query", table, OTHERS),
        "writes without naming a key": Request("dynamodb:UpdateItem", table),
        "queries without naming a key": Request("dynamodb:Query", table),
        "puts a record": Request("dynamodb:PutItem", table, OURS),
        "scans": Request("dynamodb:Scan", table),
        "reads another table's stream": Request("dynamodb:GetRecords", f"{names.table('payroll')}/stream/2026"),
        "encrypts with another key": Request("kms:Encrypt", other_key(names), CONTEXT),
        "encrypts in another environment's context": Request(
            "kms:Encrypt", names.key, {"kms:EncryptionContext:environment": "prod"}
        ),
        "decrypts": Request("kms:Decrypt", names.key, CONTEXT),
        "decrypts with another key": Request("kms:Decrypt", other_key(names), CONTEXT),
        **other_keys(names),
        "sends to another queue": Request("sqs:SendMessage", names.queue("payroll")),
        "receives from another queue": Request("sqs:ReceiveMessage", names.queue("payroll")),
        "purges the parking queue": Request("sqs:PurgeQueue", names.queue(PARKING)),
        "invokes a function": Request("lambda:InvokeFunction", function(names, "manager")),
    }


def function(names: Names, kind: str) -> str:
    return f"arn:aws:lambda:{names.region}:{names.account}:function:{FUNCTIONS[kind]}"


def manager(names: Names) -> Refusals:
    return {
        "describes the table": Request("dynamodb:DescribeTable", names.table()),
        "lists event source mappings": Request("lambda:ListEventSourceMappings", "*"),
        "reads the SES account": Request("ses:GetAccount", "*"),
        "queries records": Request("dynamodb:Query", names.table(), OURS),
        "lists IAM users": Request("iam:ListUsers", "*"),
        "reads all IAM users": ALL_USERS,
        "parks a message": Request("sqs:SendMessage", names.queue(PARKING)),
        "receives dead letters": Request("sqs:ReceiveMessage", names.queue(DEAD_LETTERS)),
    }


def dead_letter(names: Names) -> Refusals:
    return {
        "lists IAM users": Request("iam:ListUsers", "*"),
        "reads all IAM users": ALL_USERS,
        "reads a user's policy": Request("iam:GetUserPolicy", names.own_user(IAM_USER)),
        "receives parked messages": Request("sqs:ReceiveMessage", names.queue(PARKING)),
        "deletes parked messages": Request("sqs:DeleteMessage", names.queue(PARKING)),
        "purges its queue": Request("sqs:PurgeQueue", names.queue(DEAD_LETTERS)),
    }


def sweep(names: Names) -> Refusals:
    return {
        "sends a dead letter": Request("sqs:SendMessage", names.queue(DEAD_LETTERS)),
        "parks a message": Request("sqs:SendMessage", names.queue(PARKING)),
        "receives dead letters": Request("sqs:ReceiveMessage", names.queue(DEAD_LETTERS)),
        "reads the stream": Request("dynamodb:GetRecords", names.stream),
        "reads the policy of an unmanaged user": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
        "describes another table": Request("dynamodb:DescribeTable", names.table("payroll")),
        "enables or disables a mapping": Request("lambda:UpdateEventSourceMapping", mapping(names)),
        "reads the code of a function": Request("lambda:GetFunction", function(names, "manager")),
        "changes the SES account": Request("ses:PutAccountSendingAttributes", "*"),
    }


def mapping(names: Names) -> str:
    return f"arn:aws:lambda:{names.region}:{names.account}:event-source-mapping:11111111-2222-3333-4444-555555555555"


def every_person_and_workflow(names: Names) -> Refusals:
    """Requests that people and workflows may not make: only functions write to IAM and delete records."""
    ours, user = bounded(names.boundary), names.own_user(IAM_USER)
    written = (
        "AttachUserPolicy", "CreateAccessKey", "CreateUser", "DeleteAccessKey", "DeleteUser", "DeleteUserPolicy",
        "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy", "TagUser", "UpdateAccessKey",
    )  # fmt: skip
    return {
        **{f"calls {operation}": Request(f"iam:{operation}", user, ours) for operation in written},
        "removes a user from a group": Request("iam:RemoveUserFromGroup", names.iam("group/senders")),
        "reads an unmanaged user": Request("iam:GetUser", names.iam("user/people/administrator")),
        "decrypts": Request("kms:Decrypt", names.key, CONTEXT),
        "decrypts with another key": Request("kms:Decrypt", other_key(names), CONTEXT),
        **other_keys(names),
        "encrypts": Request("kms:Encrypt", names.key, CONTEXT),
        "deletes a record": Request("dynamodb:DeleteItem", names.table(), OURS),
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
        "puts a record": Request("dynamodb:PutItem", names.table(), OURS),
        "updates a record": Request("dynamodb:UpdateItem", names.table(), OURS),
        "lists the keys of an unmanaged user": Request("iam:ListAccessKeys", names.iam("user/people/administrator")),
        "reads the policy of an unmanaged user": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
    }


def apply(names: Names) -> Refusals:
    ours_and_another = {"dynamodb:LeadingKeys": ["SMTP_USER", "ORDER"]}
    table, declared = names.table(), {"dynamodb:Attributes": DECLARED}
    written = {
        f"writes {attribute}": Request(
            "dynamodb:UpdateItem", table, {**OURS, "dynamodb:Attributes": [*DECLARED, attribute]}
        )
        for attribute in (
            "revoked", "encrypted_credentials", "smtp_username", "key_created_at", "key_credential", "previous_key",
            "previous_key_retires_at", "previous_key_deletes_at", "observed_revision", "observed_hash", "settled_at",
            "settled_status", "policy_hash", "iam_user_name", "iam_user_arn", "position", "orphans",
        )
    }  # fmt: skip
    return {
        **written,
        "replaces a record": Request("dynamodb:PutItem", table, {**OURS, **declared}),
        "updates without naming an attribute": Request("dynamodb:UpdateItem", table, OURS),
        "updates without naming a key": Request("dynamodb:UpdateItem", table, declared),
        "puts another leading key": Request("dynamodb:PutItem", table, OTHERS),
        "updates another leading key": Request("dynamodb:UpdateItem", table, {**OTHERS, **declared}),
        "updates another table": Request("dynamodb:UpdateItem", names.table("payroll"), {**OURS, **declared}),
        "reads its leading key and another": Request("dynamodb:BatchGetItem", names.table(), ours_and_another),
        "lists IAM users": Request("iam:ListUsers", "*"),
        "reads all IAM users": ALL_USERS,
        "reads managed users": Request("iam:GetUser", names.own_user(IAM_USER)),
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
        "puts a record": Request("dynamodb:PutItem", table, OURS),
        "updates another leading key": Request("dynamodb:UpdateItem", table, {**OTHERS, "dynamodb:Attributes": asked}),
        "updates another table": Request(
            "dynamodb:UpdateItem", names.table("payroll"), {**OURS, "dynamodb:Attributes": asked}
        ),
        "sends to another queue": Request("sqs:SendMessage", names.queue("payroll")),
        "deletes the parking queue": Request("sqs:DeleteQueue", names.queue(PARKING)),
        "redirects the parking queue": Request("sqs:SetQueueAttributes", names.queue(PARKING)),
        "reads the policy of an unmanaged user": Request("iam:GetUserPolicy", names.iam("user/people/administrator")),
    }


def reader(names: Names) -> Refusals:
    return {
        "reads all IAM users": ALL_USERS,
        "puts a record": Request("dynamodb:PutItem", names.table(), OURS),
        "updates a record": Request("dynamodb:UpdateItem", names.table(), OURS),
        "reads managed users": Request("iam:GetUser", names.own_user(IAM_USER)),
    }


def scheduler(names: Names) -> Refusals:
    return {
        "invokes the dead-letter function": Request("lambda:InvokeFunction", function(names, "dead_letter")),
        "changes the sweep": Request("lambda:UpdateFunctionCode", function(names, "sweep")),
    }


FORBIDDEN = {
    "manager": (every_function, manager),
    "dead_letter": (every_function, dead_letter),
    "sweep": (every_function, sweep),
    "plan": (every_person_and_workflow, plan),
    "apply": (every_person_and_workflow, apply),
    "operator": (every_person_and_workflow, operator),
    "reader": (every_person_and_workflow, reader),
    "scheduler": (every_person_and_workflow, scheduler),
}

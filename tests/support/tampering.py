"""Manual changes of a settled user in IAM. Each function returns the description that a report must contain."""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.core.policy import POLICY_NAME
from support.attachments import DENIAL, enable_mfa, make_certificate
from support.world import World, a_user

IAM_USER = "smtp-test-billing-mailer"
LEAVE = f"aws iam remove-user-from-group --user-name {IAM_USER} --group-name admins"
WIDE = json.dumps({**DENIAL, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

Tamper = Callable[[World], str]


def rotated(world: World) -> str:
    """Put the user into an overlap; returns the previous key."""
    world.ask(a_user(credential=2))
    world.converge()
    world.pass_time(hours=1)
    return world.record().previous_key


def edit_policy(world: World) -> str:
    world.iam.put_user_policy(UserName=IAM_USER, PolicyName=POLICY_NAME, PolicyDocument=WIDE)
    return "its policy was changed"


def delete_policy(world: World) -> str:
    world.iam.delete_user_policy(UserName=IAM_USER, PolicyName=POLICY_NAME)
    return "its policy was changed"


def add_inline_policy(world: World) -> str:
    world.iam.put_user_policy(UserName=IAM_USER, PolicyName="by-hand", PolicyDocument=WIDE)
    return "inline policy by-hand was added"


def attach_policy(world: World) -> str:
    arn = world.iam.create_policy(PolicyName="wide", PolicyDocument=WIDE)["Policy"]["Arn"]
    world.iam.attach_user_policy(UserName=IAM_USER, PolicyArn=arn)
    return f"managed policy {arn} was added"


def join_group(world: World) -> str:
    world.iam.create_group(GroupName="admins")
    world.iam.add_user_to_group(GroupName="admins", UserName=IAM_USER)
    return f"group admins was added; remove it manually: {LEAVE}"


def leave_group(world: World) -> None:
    """What the report asks for."""
    world.iam.remove_user_from_group(GroupName="admins", UserName=IAM_USER)


def add_password(world: World) -> str:
    world.iam.create_login_profile(UserName=IAM_USER, Password="Str0ng-and-long!")
    return "console password was added"


def add_mfa_device(world: World) -> str:
    device = enable_mfa(world, IAM_USER)
    return f"MFA device {device} was added"


def add_ssh_key(world: World) -> str:
    key = world.iam.upload_ssh_public_key(UserName=IAM_USER, SSHPublicKeyBody="ssh-rsa AAAA")["SSHPublicKey"]
    return f"SSH public key {key['SSHPublicKeyId']} was added"


def add_certificate(world: World) -> str:
    added = world.iam.upload_signing_certificate(UserName=IAM_USER, CertificateBody=make_certificate())["Certificate"]
    return f"signing certificate {added['CertificateId']} was added"


def add_service_credential(world: World) -> str:
    world.gaps.service_credentials[IAM_USER] = ["ACCAEXAMPLE1234567890"]
    return "service-specific credential ACCAEXAMPLE1234567890 was added"


def deactivate_key(world: World) -> str:
    key = world.record().smtp_username
    world.iam.update_access_key(UserName=IAM_USER, AccessKeyId=key, Status="Inactive")
    return f"access key {key} was deactivated"


def add_key(world: World) -> str:
    key = world.iam.create_access_key(UserName=IAM_USER)["AccessKey"]["AccessKeyId"]
    return f"access key {key} was created outside this system"


def delete_key(world: World) -> str:
    key = world.record().smtp_username
    world.iam.delete_access_key(UserName=IAM_USER, AccessKeyId=key)
    return f"access key {key} was deleted"


def deactivate_previous_key(world: World) -> str:
    key = rotated(world)
    world.iam.update_access_key(UserName=IAM_USER, AccessKeyId=key, Status="Inactive")
    return f"access key {key} was deactivated"


def delete_previous_key(world: World) -> str:
    key = rotated(world)
    world.iam.delete_access_key(UserName=IAM_USER, AccessKeyId=key)
    return f"the previous access key {key} was deleted"


def change_tag(world: World) -> str:
    world.iam.tag_user(UserName=IAM_USER, Tags=[{"Key": "smtp-user", "Value": "crm"}])
    return "its tags or its permissions boundary were changed"


def remove_tag(world: World) -> str:
    world.iam.untag_user(UserName=IAM_USER, TagKeys=["smtp-environment"])
    return "its tags or its permissions boundary were changed"


def change_configured_tag(world: World) -> str:
    world.iam.tag_user(UserName=IAM_USER, Tags=[{"Key": "Cost-Center", "Value": "1"}])
    return "its tags or its permissions boundary were changed"


def remove_configured_tag(world: World) -> str:
    world.iam.untag_user(UserName=IAM_USER, TagKeys=["Cost-Center"])
    return "its tags or its permissions boundary were changed"


def remove_boundary(world: World) -> str:
    world.iam.delete_user_permissions_boundary(UserName=IAM_USER)
    return "its tags or its permissions boundary were changed"


def change_boundary(world: World) -> str:
    world.iam.put_user_permissions_boundary(UserName=IAM_USER, PermissionsBoundary="arn:aws:iam::aws:policy/Any")
    return "its tags or its permissions boundary were changed"


def delete_user(world: World) -> str:
    world.iam.delete_access_key(UserName=IAM_USER, AccessKeyId=world.record().smtp_username)
    world.iam.delete_user_policy(UserName=IAM_USER, PolicyName=POLICY_NAME)
    world.iam.delete_user(UserName=IAM_USER)
    return "its IAM user is missing"


def lose_credential(world: World) -> str:
    row = world.row()
    assert row
    del row["encrypted_credentials"]
    world.put_row("billing-mailer", **row)
    return f"the record lost the credential of access key {row['smtp_username']}"


TAMPERS: tuple[Tamper, ...] = (
    edit_policy, delete_policy, add_inline_policy, attach_policy, deactivate_key, add_key, delete_key,
    deactivate_previous_key, delete_previous_key, change_tag, remove_tag, change_configured_tag, remove_configured_tag,
    remove_boundary, change_boundary, delete_user, lose_credential, add_password, add_mfa_device, add_ssh_key,
    add_certificate, add_service_credential,
)  # fmt: skip

"""IAM users behind SMTP users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.aws.client import aws_errors
from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.ownership import OWNER, OWNER_TAG, iam_path, iam_user_name, ownership_tags, smtp_user_name
from reconciler.core.policy import POLICY_NAME, Document, to_json
from reconciler.errors import ABSENT, AwsError, Denied, Retryable
from reconciler.ports import AccessKey

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

QUOTA_REACHED = frozenset({"LimitExceeded"})


class IamIdentities:
    """The IAM users of one environment: deterministic name, own path, ownership tags, boundary."""

    def __init__(self, client: IAMClient, unretried: IAMClient, environment: str, boundary_arn: str) -> None:
        """`unretried`: a client that makes each call once, for CreateAccessKey."""
        self._client = client
        self._unretried = unretried
        self._environment = environment
        self._boundary_arn = boundary_arn

    def _user(self, name: str) -> str:
        return iam_user_name(self._environment, name)

    @contextmanager
    def _calling(self, name: str, operation: str, terminal: frozenset[str] = frozenset()) -> Iterator[None]:
        """A call on a user that should be there.

        IAM judges one that is not without its path, so a role that is confined to a path is refused what would not have
        been found. Which of the two it was, GetUser tells: our roles may look by name.
        """
        try:
            with aws_errors(operation, terminal=terminal):
                yield
        except Denied as error:
            created_at = self._created_at(name, operation)
            raise Denied(error.operation, error.code, error.reason, error.hint, user_created_at=created_at) from None

    def _created_at(self, name: str, operation: str) -> datetime | None:
        try:
            with aws_errors("iam:GetUser"):
                return self._client.get_user(UserName=self._user(name))["User"]["CreateDate"]
        except AwsError as error:
            if error.code == ABSENT:
                raise Retryable(operation, ABSENT, "the IAM user is gone") from None
            return None

    def smtp_user_names(self) -> list[str]:
        """Every SMTP user that an IAM user under our path stands for, whether it carries our mark or not."""
        return sorted(filter(None, (smtp_user_name(self._environment, iam_user) for iam_user in self.listed())))

    def listed(self) -> list[str]:
        """Every IAM user under our path, by its own name."""
        with aws_errors("iam:ListUsers"):
            pages = self._client.get_paginator("list_users").paginate(PathPrefix=iam_path(self._environment))
            return [user["UserName"] for page in pages for user in page["Users"]]

    def audit(self, name: str) -> Identity | None:
        """As `observe`, and everything that may widen what the user is allowed."""
        identity = self.observe(name)
        if identity is None or not identity.owned:
            return identity
        try:
            inline = self._list("list_user_policies", "PolicyNames", name)
            attached = self.attached(name)
            groups = self._list("list_groups_for_user", "Groups", name)
            policy = self._policy(name) if POLICY_NAME in inline else None
        except AwsError as error:
            if error.code == ABSENT:
                return None  # deleted while we looked
            raise
        attachments = (
            *(Attachment(AttachmentKind.INLINE_POLICY, other) for other in inline if other != POLICY_NAME),
            *attached,
            *(Attachment(AttachmentKind.GROUP, entry["GroupName"]) for entry in groups),
        )
        return replace(identity, policy=policy, attachments=attachments, audited=True)

    def attached(self, name: str) -> tuple[Attachment, ...]:
        """The managed policies of a user: AWS's quarantine is one."""
        listed = self._list("list_attached_user_policies", "AttachedPolicies", name)
        return tuple(Attachment(AttachmentKind.MANAGED_POLICY, entry["PolicyArn"]) for entry in listed)

    def _policy(self, name: str) -> Document | None:
        with self._calling(name, "iam:GetUserPolicy"):
            answer = self._client.get_user_policy(UserName=self._user(name), PolicyName=POLICY_NAME)
        document: Any = answer["PolicyDocument"]  # botocore has parsed it
        return document if isinstance(document, dict) else None

    def detach(self, name: str, attachment: Attachment) -> None:
        match attachment.kind:
            case AttachmentKind.INLINE_POLICY:
                self._delete("delete_user_policy", name, PolicyName=attachment.id)
            case AttachmentKind.MANAGED_POLICY:
                self._delete("detach_user_policy", name, PolicyArn=attachment.id)
            case AttachmentKind.GROUP:
                self._delete("remove_user_from_group", name, GroupName=attachment.id)

    def observe(self, name: str) -> Identity | None:
        """Only the tag on the IAM user itself proves that it is ours; nothing that a row says does."""
        try:
            with aws_errors("iam:GetUser"):
                found = self._client.get_user(UserName=self._user(name))["User"]
        except AwsError as error:
            if error.code == ABSENT:
                return None
            raise
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
        if tags.get(OWNER_TAG) != OWNER:
            return Identity(owned=False)
        keys = self._keys(name)
        if keys is None:
            return None
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        as_made = boundary == self._boundary_arn and ownership_tags(self._environment, name).items() <= tags.items()
        return Identity(owned=True, keys=keys, needs_repair=not as_made)

    def _keys(self, name: str) -> tuple[Key, ...] | None:
        try:
            with self._calling(name, "iam:ListAccessKeys"):
                listed = self._client.list_access_keys(UserName=self._user(name))["AccessKeyMetadata"]
        except AwsError as error:
            if error.code == ABSENT:
                return None
            raise
        return tuple(Key(key["AccessKeyId"], key["Status"] == "Active", key["CreateDate"]) for key in listed)

    def create_user(self, name: str) -> None:
        with aws_errors("iam:CreateUser", terminal=QUOTA_REACHED):
            self._client.create_user(
                UserName=self._user(name),
                Path=iam_path(self._environment),
                PermissionsBoundary=self._boundary_arn,
                Tags=self._tags(name),
            )

    def repair_user(self, name: str) -> None:
        with self._calling(name, "iam:TagUser"):
            self._client.tag_user(UserName=self._user(name), Tags=self._tags(name))
        with self._calling(name, "iam:PutUserPermissionsBoundary"):
            self._client.put_user_permissions_boundary(
                UserName=self._user(name), PermissionsBoundary=self._boundary_arn
            )

    def _tags(self, name: str) -> Any:
        return [{"Key": key, "Value": value} for key, value in ownership_tags(self._environment, name).items()]

    def put_policy(self, name: str, document: Document) -> None:
        with self._calling(name, "iam:PutUserPolicy", terminal=QUOTA_REACHED):
            self._client.put_user_policy(
                UserName=self._user(name), PolicyName=POLICY_NAME, PolicyDocument=to_json(document)
            )

    def create_key(self, name: str) -> AccessKey:
        """Never retried by the SDK: a time-out can have made a key, and a second try would make two."""
        with self._calling(name, "iam:CreateAccessKey"):
            key = self._unretried.create_access_key(UserName=self._user(name))["AccessKey"]
        return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])

    def set_key(self, name: str, key_id: str, *, active: bool) -> None:
        """A key that is gone cannot be used either: to make it inactive is success."""
        try:
            with self._calling(name, "iam:UpdateAccessKey"):
                self._client.update_access_key(
                    UserName=self._user(name), AccessKeyId=key_id, Status="Active" if active else "Inactive"
                )
        except AwsError as error:
            if active or error.code != ABSENT:
                raise

    def delete_key(self, name: str, key_id: str) -> None:
        self._delete("delete_access_key", name, AccessKeyId=key_id)

    def delete_user(self, name: str) -> None:
        """Try the short way; what DeleteUser still trips over is looked up only then."""
        self._delete("delete_user_policy", name, PolicyName=POLICY_NAME)
        try:
            self._delete("delete_user", name)
        except AwsError as error:
            if error.code != "DeleteConflict":
                raise
            self._strip(name)
            self._delete("delete_user", name)

    def _strip(self, name: str) -> None:
        """Everything that AWS or people may attach to a user, keys first.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
        """
        for operation, listing, parameter, delete in _ATTACHED:
            for entry in self._list(operation, listing, name):
                value = entry if isinstance(entry, str) else entry[parameter]
                self._delete(delete, name, **{parameter: value})
        self._delete("delete_login_profile", name)

    def _list(self, operation: str, listing: str, name: str) -> list[Any]:
        user = {"UserName": self._user(name)}
        with self._calling(name, _iam_action(operation)):
            if self._client.can_paginate(operation):
                pages = self._client.get_paginator(operation).paginate(**user)  # type: ignore[call-overload]
                return [entry for page in pages for entry in page[listing]]
            return list(getattr(self._client, operation)(**user)[listing])

    def _delete(self, operation: str, name: str, **parameters: str) -> None:
        """Absent is success."""
        try:
            with self._calling(name, _iam_action(operation)):
                getattr(self._client, operation)(UserName=self._user(name), **parameters)
        except AwsError as error:
            if error.code != ABSENT:
                raise


# What to list, where the answer holds it, its identifier, and how it goes.
_ATTACHED = (
    ("list_access_keys", "AccessKeyMetadata", "AccessKeyId", "delete_access_key"),
    ("list_attached_user_policies", "AttachedPolicies", "PolicyArn", "detach_user_policy"),
    ("list_user_policies", "PolicyNames", "PolicyName", "delete_user_policy"),
    ("list_groups_for_user", "Groups", "GroupName", "remove_user_from_group"),
    ("list_mfa_devices", "MFADevices", "SerialNumber", "deactivate_mfa_device"),
    ("list_signing_certificates", "Certificates", "CertificateId", "delete_signing_certificate"),
    ("list_ssh_public_keys", "SSHPublicKeys", "SSHPublicKeyId", "delete_ssh_public_key"),
    (
        "list_service_specific_credentials",
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
        "delete_service_specific_credential",
    ),
)


def _iam_action(operation: str) -> str:
    spelled = "".join(word.capitalize() for word in operation.split("_"))
    return f"iam:{spelled.replace('Mfa', 'MFA').replace('Ssh', 'SSH')}"

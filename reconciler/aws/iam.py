"""IAM users of SMTP users: observe and change them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.aws.client import aws_errors
from reconciler.aws.iam_calls import IamCalls
from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.differences import leave_group
from reconciler.core.ownership import OWNER, OWNER_TAG, carries, iam_path, iam_user_name, ownership_tags
from reconciler.core.policy import POLICY_NAME, Document, to_json
from reconciler.core.provenance import select_provenance
from reconciler.errors import ABSENT, AwsError, Terminal
from reconciler.ports import AccessKey

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_iam.type_defs import UserDetailTypeDef, UserTypeDef

PAGE = 1000  # users; the most that IAM returns
QUOTA_REACHED = frozenset({"LimitExceeded"})
_OWN_POLICY = Attachment(AttachmentKind.INLINE_POLICY, POLICY_NAME)


class IamIdentities:
    """The IAM users of one environment: deterministic name, own path, tags, permissions boundary."""

    def __init__(
        self, client: IAMClient, unretried: IAMClient, environment: str, boundary_arn: str, tags: Mapping[str, str]
    ) -> None:
        """`unretried`: for CreateAccessKey: see `create_key`. `tags`: beside the ownership tags."""
        self._client = client
        self._unretried = unretried
        self._calls = IamCalls(client)
        self.environment = environment
        self._boundary_arn = boundary_arn
        self._configured_tags = tags
        calls, kinds = self._calls, AttachmentKind
        self._listings: dict[AttachmentKind, Callable[[str], list[str]]] = {
            kinds.INLINE_POLICY: calls.list_user_policies,
            kinds.MANAGED_POLICY: calls.list_attached_user_policies,
            kinds.GROUP: calls.list_groups_for_user,
            kinds.LOGIN_PROFILE: calls.list_login_profiles,
            kinds.MFA_DEVICE: calls.list_mfa_devices,
            kinds.SSH_KEY: calls.list_ssh_public_keys,
            kinds.CERTIFICATE: calls.list_signing_certificates,
            kinds.SERVICE_CREDENTIAL: calls.list_service_specific_credentials,
        }
        self._removals: dict[AttachmentKind, Callable[[str, str], None]] = {
            kinds.INLINE_POLICY: calls.delete_user_policy,
            kinds.MANAGED_POLICY: calls.detach_user_policy,
            kinds.LOGIN_PROFILE: calls.delete_login_profile,
            kinds.MFA_DEVICE: calls.remove_mfa_device,
            kinds.SSH_KEY: calls.delete_ssh_public_key,
            kinds.CERTIFICATE: calls.delete_signing_certificate,
            kinds.SERVICE_CREDENTIAL: calls.delete_service_specific_credential,
        }

    def _user(self, name: str) -> str:
        return iam_user_name(self.environment, name)

    def listed(self) -> list[str]:
        """Every IAM user under our path by its own name, with or without our tag."""
        with aws_errors("iam:ListUsers"):
            paginator = self._client.get_paginator("list_users")
            pages = paginator.paginate(PathPrefix=iam_path(self.environment), PaginationConfig={"PageSize": PAGE})
            return [user["UserName"] for page in pages for user in page["Users"]]

    def details(self) -> Iterator[UserDetailTypeDef]:
        """Every IAM user under our path. IAM returns those of the whole account: this operation has no path prefix."""
        with aws_errors("iam:GetAccountAuthorizationDetails"):
            paginator = self._client.get_paginator("get_account_authorization_details")
            for page in paginator.paginate(Filter=["User"], PaginationConfig={"PageSize": PAGE}):
                yield from (
                    user for user in page["UserDetailList"] if user["Path"].startswith(iam_path(self.environment))
                )

    def observe(self, name: str) -> Identity | None:
        """Only the tag on the IAM user itself proves that it is managed; a record does not."""
        try:
            with aws_errors("iam:GetUser"):
                found = self._client.get_user(UserName=self._user(name))["User"]
        except AwsError as error:
            if error.code == ABSENT:
                return None
            raise
        identity = self.identity(name, found)
        if not identity.owned:
            return identity
        keys = self.keys(name)
        return None if keys is None else replace(identity, keys=keys)

    def identity(self, name: str, found: UserTypeDef | UserDetailTypeDef) -> Identity:
        """Without its keys."""
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
        if tags.get(OWNER_TAG) != OWNER:
            return Identity(owned=False)
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        intact = boundary == self._boundary_arn and carries(tags, self._tags(name))
        return Identity(owned=True, needs_repair=not intact, provenance=select_provenance(tags))

    def keys(self, name: str) -> tuple[Key, ...] | None:
        """None: the IAM user does not exist."""
        user = self._user(name)
        try:
            with self._calls.calling(user, "iam:ListAccessKeys"):
                listed = self._client.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except AwsError as error:
            if error.code == ABSENT:
                return None
            raise
        return tuple(Key(key["AccessKeyId"], key["Status"] == "Active", key["CreateDate"]) for key in listed)

    def audit(self, name: str) -> Identity | None:
        """As `observe`, with the policy and everything that can extend what the user is allowed."""
        identity = self.observe(name)
        if identity is None or not identity.owned:
            return identity
        user = self._user(name)
        try:
            found = self.attachments(name, self._listings)
            policy = self._policy(user) if _OWN_POLICY in found else None
        except AwsError as error:
            if error.code == ABSENT:
                return None  # deleted during the audit
            raise
        attachments = tuple(attachment for attachment in found if attachment != _OWN_POLICY)
        return replace(identity, policy=policy, attachments=attachments, audited=True)

    def attachments(self, name: str, kinds: Collection[AttachmentKind]) -> list[Attachment]:
        """With the user's own policy. One call per kind."""
        user = self._user(name)
        return [Attachment(kind, id_) for kind in kinds for id_ in self._listings[kind](user)]

    def attached(self, name: str) -> tuple[Attachment, ...]:
        """The managed policies of a user; AWS's quarantine is one of them."""
        arns = self._calls.list_attached_user_policies(self._user(name))
        return tuple(Attachment(AttachmentKind.MANAGED_POLICY, arn) for arn in arns)

    def _policy(self, user: str) -> Document | None:
        with self._calls.calling(user, "iam:GetUserPolicy"):
            answer = self._client.get_user_policy(UserName=user, PolicyName=POLICY_NAME)
        document: Any = answer["PolicyDocument"]  # parsed by botocore
        return document if isinstance(document, dict) else None

    def create_user(self, name: str, provenance: Mapping[str, str]) -> None:
        with aws_errors("iam:CreateUser", terminal=QUOTA_REACHED):
            self._client.create_user(
                UserName=self._user(name),
                Path=iam_path(self.environment),
                PermissionsBoundary=self._boundary_arn,
                Tags=_tag_list({**provenance, **self._tags(name)}),
            )

    def repair_user(self, name: str) -> None:
        user = self._user(name)
        with self._calls.calling(user, "iam:TagUser"):
            self._client.tag_user(UserName=user, Tags=_tag_list(self._tags(name)))
        with self._calls.calling(user, "iam:PutUserPermissionsBoundary"):
            self._client.put_user_permissions_boundary(UserName=user, PermissionsBoundary=self._boundary_arn)

    def tag_user(self, name: str, provenance: Mapping[str, str]) -> None:
        """With the ownership tags, which the role requires. A user whose 50 tags are in use works without these."""
        user = self._user(name)
        try:
            with self._calls.calling(user, "iam:TagUser"):
                tags = {**provenance, **ownership_tags(self.environment, name)}
                self._client.tag_user(UserName=user, Tags=_tag_list(tags))
        except AwsError as error:
            if error.code not in QUOTA_REACHED:
                raise

    def _tags(self, name: str) -> dict[str, str]:
        return {**self._configured_tags, **ownership_tags(self.environment, name)}

    def put_policy(self, name: str, document: Document) -> None:
        user = self._user(name)
        with self._calls.calling(user, "iam:PutUserPolicy", terminal=QUOTA_REACHED):
            self._client.put_user_policy(UserName=user, PolicyName=POLICY_NAME, PolicyDocument=to_json(document))

    def detach(self, name: str, attachment: Attachment) -> None:
        self._removals[attachment.kind](self._user(name), attachment.id)

    def create_key(self, name: str) -> AccessKey:
        """Repeated only if AWS throttles: a throttled call has created no key.

        A call that timed out may have created one, and a retry would create another.
        """
        user = self._user(name)
        with self._calls.calling(user, "iam:CreateAccessKey"):
            key = self._unretried.create_access_key(UserName=user)["AccessKey"]
        return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])

    def set_key(self, name: str, key_id: str, *, active: bool) -> None:
        """Deactivating a key that does not exist is success."""
        user = self._user(name)
        try:
            with self._calls.calling(user, "iam:UpdateAccessKey"):
                self._client.update_access_key(
                    UserName=user, AccessKeyId=key_id, Status="Active" if active else "Inactive"
                )
        except AwsError as error:
            if active or error.code != ABSENT:
                raise

    def delete_key(self, name: str, key_id: str) -> None:
        self._calls.delete_access_key(self._user(name), key_id)

    def delete_user(self, name: str) -> None:
        """Delete with as few calls as possible; only after a DeleteConflict, list everything that is attached."""
        user = self._user(name)
        self._calls.delete_user_policy(user, POLICY_NAME)
        try:
            self._calls.delete_user(user)
        except AwsError as error:
            if error.code != "DeleteConflict":
                raise
            self._remove_everything(user)
            self._calls.delete_user(user)

    def _remove_everything(self, user: str) -> None:
        """Everything that can be attached to a user, keys first; a group is left to a person.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
        """
        for key_id in self._calls.list_access_keys(user):
            self._calls.delete_access_key(user, key_id)
        for kind, remove in self._removals.items():
            for attached in self._listings[kind](user):
                remove(user, attached)
        if groups := self._calls.list_groups_for_user(user):
            commands = "; ".join(leave_group(user, group) for group in groups)
            reason = f"the IAM user is a member of group {', '.join(groups)}: run {commands}, then retry"
            raise Terminal("iam:DeleteUser", "DeleteConflict", reason)


def _tag_list(tags: Mapping[str, str]) -> Any:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

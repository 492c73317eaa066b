"""IAM calls on one user: one method per operation, typed in and out. Absent-on-delete is success."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.errors import ABSENT, AwsError, Denied, Retryable

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

VIRTUAL_MFA = ":mfa/"  # in the ARN that is its serial number; that of a hardware device is no ARN


class IamCalls:
    """`user`: the name of the IAM user."""

    def __init__(self, client: IAMClient) -> None:
        self._client = client

    @contextmanager
    def calling(self, user: str, operation: str, terminal: frozenset[str] = frozenset()) -> Iterator[None]:
        """A call on a user that should exist.

        IAM evaluates the permission for a missing user without its path, so a role that is limited to a path is denied.
        GetUser distinguishes the two cases, because our roles may call it for any path.
        """
        try:
            with aws_errors(operation, terminal=terminal):
                yield
        except Denied as error:
            created_at = self._created_at(user, operation)
            raise Denied(error.operation, error.code, error.reason, error.hint, user_created_at=created_at) from None

    def _created_at(self, user: str, operation: str) -> datetime | None:
        try:
            with aws_errors("iam:GetUser"):
                return self._client.get_user(UserName=user)["User"]["CreateDate"]
        except AwsError as error:
            if error.code == ABSENT:
                raise Retryable(operation, ABSENT, "the IAM user does not exist") from None
            if isinstance(error, Retryable):  # without the answer, the denial may be a moment too early to be final
                raise
            return None

    @contextmanager
    def _deleting(self, user: str, operation: str) -> Iterator[None]:
        try:
            with self.calling(user, operation):
                yield
        except AwsError as error:
            if error.code != ABSENT:
                raise

    def list_access_keys(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListAccessKeys"):
            pages = self._client.get_paginator("list_access_keys").paginate(UserName=user)
            return [entry["AccessKeyId"] for page in pages for entry in page["AccessKeyMetadata"]]

    def list_attached_user_policies(self, user: str) -> list[str]:
        """ARNs."""
        with self.calling(user, "iam:ListAttachedUserPolicies"):
            pages = self._client.get_paginator("list_attached_user_policies").paginate(UserName=user)
            return [entry["PolicyArn"] for page in pages for entry in page["AttachedPolicies"]]

    def list_user_policies(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListUserPolicies"):
            pages = self._client.get_paginator("list_user_policies").paginate(UserName=user)
            return [name for page in pages for name in page["PolicyNames"]]

    def list_groups_for_user(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListGroupsForUser"):
            pages = self._client.get_paginator("list_groups_for_user").paginate(UserName=user)
            return [entry["GroupName"] for page in pages for entry in page["Groups"]]

    def list_mfa_devices(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListMFADevices"):
            pages = self._client.get_paginator("list_mfa_devices").paginate(UserName=user)
            return [entry["SerialNumber"] for page in pages for entry in page["MFADevices"]]

    def list_signing_certificates(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListSigningCertificates"):
            pages = self._client.get_paginator("list_signing_certificates").paginate(UserName=user)
            return [entry["CertificateId"] for page in pages for entry in page["Certificates"]]

    def list_ssh_public_keys(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListSSHPublicKeys"):
            pages = self._client.get_paginator("list_ssh_public_keys").paginate(UserName=user)
            return [entry["SSHPublicKeyId"] for page in pages for entry in page["SSHPublicKeys"]]

    def list_service_specific_credentials(self, user: str) -> list[str]:
        with self.calling(user, "iam:ListServiceSpecificCredentials"):
            listed = self._client.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
            return [entry["ServiceSpecificCredentialId"] for entry in listed]

    def list_login_profiles(self, user: str) -> list[str]:
        """The console password, of which a user has one at most and which has no name."""
        try:
            with self.calling(user, "iam:GetLoginProfile"):
                self._client.get_login_profile(UserName=user)
        except AwsError as error:
            if error.code != ABSENT:
                raise
            return []
        return [""]

    def delete_access_key(self, user: str, key_id: str) -> None:
        with self._deleting(user, "iam:DeleteAccessKey"):
            self._client.delete_access_key(UserName=user, AccessKeyId=key_id)

    def detach_user_policy(self, user: str, arn: str) -> None:
        with self._deleting(user, "iam:DetachUserPolicy"):
            self._client.detach_user_policy(UserName=user, PolicyArn=arn)

    def delete_user_policy(self, user: str, policy: str) -> None:
        with self._deleting(user, "iam:DeleteUserPolicy"):
            self._client.delete_user_policy(UserName=user, PolicyName=policy)

    def remove_mfa_device(self, user: str, serial: str) -> None:
        """Of the devices, only a virtual one continues to exist when it is deactivated."""
        with self._deleting(user, "iam:DeactivateMFADevice"):
            self._client.deactivate_mfa_device(UserName=user, SerialNumber=serial)
        if VIRTUAL_MFA in serial:
            with self._deleting(user, "iam:DeleteVirtualMFADevice"):
                self._client.delete_virtual_mfa_device(SerialNumber=serial)

    def delete_signing_certificate(self, user: str, certificate_id: str) -> None:
        with self._deleting(user, "iam:DeleteSigningCertificate"):
            self._client.delete_signing_certificate(UserName=user, CertificateId=certificate_id)

    def delete_ssh_public_key(self, user: str, key_id: str) -> None:
        with self._deleting(user, "iam:DeleteSSHPublicKey"):
            self._client.delete_ssh_public_key(UserName=user, SSHPublicKeyId=key_id)

    def delete_service_specific_credential(self, user: str, credential_id: str) -> None:
        with self._deleting(user, "iam:DeleteServiceSpecificCredential"):
            self._client.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id)

    def delete_login_profile(self, user: str, _: str) -> None:
        with self._deleting(user, "iam:DeleteLoginProfile"):
            self._client.delete_login_profile(UserName=user)

    def delete_user(self, user: str) -> None:
        with self._deleting(user, "iam:DeleteUser"):
            self._client.delete_user(UserName=user)

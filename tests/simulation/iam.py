"""A model of IAM users, at the level of the client's calls. Reads may be out of date by `lag` seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from simulation.clock import Clock
from simulation.faults import refusal
from simulation.iam_user import AccessKey, IamUser, shown, shown_fully, shown_in_detail, shown_key

NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
MAX_KEYS = 2
MAX_POLICIES = 2048  # characters of all inline policies together, without white space
PAGE = 2  # entries per ListUsers page in this model
BY_NAME = frozenset({"GetUser"})  # the permission for it does not depend on the user's path
REMEMBERED = timedelta(minutes=1)


# The listing operation, the key in its response, the identifier, and the operation that removes it.
ATTACHED = (
    ("list_attached_user_policies", "AttachedPolicies", "PolicyArn", "detach_user_policy"),
    ("list_groups_for_user", "Groups", "GroupName", ""),
    ("list_mfa_devices", "MFADevices", "SerialNumber", "deactivate_mfa_device"),
    ("list_signing_certificates", "Certificates", "CertificateId", "delete_signing_certificate"),
    ("list_ssh_public_keys", "SSHPublicKeys", "SSHPublicKeyId", "delete_ssh_public_key"),
    (
        "list_service_specific_credentials",
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
        "delete_service_specific_credential",
    ),
    ("get_login_profile", "LoginProfile", "", "delete_login_profile"),
)


class Iam:
    def __init__(self, clock: Clock, quota: int, *, wide_reads: bool = True) -> None:
        self._clock = clock
        self._quota = quota
        self.wide_reads = wide_reads
        self._versions: dict[str, list[tuple[datetime, IamUser | None]]] = {}  # by lower-case name, oldest first
        self.made: list[AccessKey] = []  # every key that was ever created
        self.lag = 0.0  # of the current call; set by the wire
        for listing, answer, identifier, removal in ATTACHED:
            self._make_attachment_calls(listing, answer, identifier, removal)

    # Direct access for manual changes and checks: always up to date.

    def find(self, name: str) -> IamUser | None:
        versions = self._versions.get(name.lower())
        return versions[-1][1] if versions else None

    def is_long_gone(self, name: str) -> bool:
        """No read can return such a user any more."""
        versions = self._versions.get(name.lower(), [])
        return not versions or (versions[-1][1] is None and versions[-1][0] < self._clock.now - REMEMBERED)

    def users(self) -> Iterator[IamUser]:
        return (user for name in sorted(self._versions) if (user := self.find(name)))

    def write(self, name: str, user: IamUser | None) -> None:
        now = self._clock.now
        versions = self._versions.setdefault(name.lower(), [])
        while len(versions) > 1 and versions[1][0] < now - REMEMBERED:
            del versions[0]
        versions.append((now, user))

    def make_key(self) -> AccessKey:
        number = len(self.made) + 1
        self.made.append(AccessKey(f"AKIA{number:016d}", f"se/cret+{number:032d}", True, self._clock.now))
        return self.made[-1]

    # The client's calls. Keyword arguments are spelled as in AWS.

    def _seen(self, name: str) -> IamUser | None:
        """The user as returned by a replica of IAM that is `lag` seconds behind."""
        if not NAME.fullmatch(name):
            raise refusal("ValidationError", "the operation")
        versions = self._versions.get(name.lower(), ())
        at = self._clock.now - timedelta(seconds=self.lag)
        return next((user for since, user in reversed(versions) if since <= at), None)

    def _read(self, name: str, operation: str) -> IamUser:
        user = self._seen(name)
        if user is None:
            raise _absent(name, operation)
        return user

    def _change(self, name: str, operation: str) -> IamUser:
        """A write affects the current state, but a user created a moment ago may not be found yet."""
        self._read(name, operation)
        user = self.find(name)
        if user is None:
            raise _absent(name, operation)
        return user

    def create_user(self, *, UserName: str, Path: str = "/", PermissionsBoundary: str = "", Tags: Any = ()) -> Any:
        if not NAME.fullmatch(UserName):
            raise refusal("ValidationError", "CreateUser")
        if self.find(UserName):
            raise refusal("EntityAlreadyExists", "CreateUser", f"User with name {UserName} already exists.", 409)
        if sum(1 for _ in self.users()) >= self._quota:
            raise refusal("LimitExceeded", "CreateUser", "Cannot exceed quota for UsersPerAccount", 409)
        user = IamUser(UserName, Path, self._clock.now, _tags(Tags), PermissionsBoundary)
        self.write(UserName, user)
        return {"User": shown_fully(user)}

    def get_user(self, *, UserName: str) -> Any:
        return {"User": shown_fully(self._read(UserName, "GetUser"))}

    def list_users(self, *, PathPrefix: str = "/", Marker: str = "", MaxItems: int = PAGE) -> Any:
        """ListUsers returns neither tags nor boundary."""
        seen = [user for name in sorted(self._versions) if name > Marker and (user := self._seen(name))]
        matches = [user for user in seen if user.path.startswith(PathPrefix)]
        page = matches[: min(MaxItems, PAGE)]
        answer: dict[str, Any] = {"Users": [shown(user) for user in page], "IsTruncated": len(matches) > len(page)}
        if answer["IsTruncated"]:
            answer["Marker"] = page[-1].name.lower()
        return answer

    def get_account_authorization_details(self, *, Filter: list[str], Marker: str = "") -> Any:
        """Without access keys. The permission for it is that of the environment's setting `wide_reads`."""
        assert Filter == ["User"]
        if not self.wide_reads:
            raise refusal("AccessDenied", "GetAccountAuthorizationDetails", status=403)
        names = [name for name in sorted(self._versions) if name > Marker and self._seen(name)]
        page = [user for name in names[:PAGE] if (user := self._seen(name))]
        answer = {"UserDetailList": [shown_in_detail(user) for user in page], "IsTruncated": len(names) > len(page)}
        return {**answer, "Marker": names[PAGE - 1]} if answer["IsTruncated"] else answer

    def tag_user(self, *, UserName: str, Tags: Any) -> Any:
        user = self._change(UserName, "TagUser")
        self.write(UserName, replace(user, tags={**user.tags, **_tags(Tags)}))
        return {}

    def untag_user(self, *, UserName: str, TagKeys: Any) -> Any:
        user = self._change(UserName, "UntagUser")
        self.write(UserName, replace(user, tags={k: v for k, v in user.tags.items() if k not in TagKeys}))
        return {}

    def put_user_permissions_boundary(self, *, UserName: str, PermissionsBoundary: str) -> Any:
        user = self._change(UserName, "PutUserPermissionsBoundary")
        self.write(UserName, replace(user, boundary=PermissionsBoundary))
        return {}

    def delete_user(self, *, UserName: str) -> Any:
        user = self._change(UserName, "DeleteUser")
        if user.keys or user.policies or any(user.attached.values()):
            raise refusal("DeleteConflict", "DeleteUser", "Cannot delete entity, must delete all parts first.", 409)
        self.write(UserName, None)
        return {}

    # Keys.

    def create_access_key(self, *, UserName: str) -> Any:
        user = self._change(UserName, "CreateAccessKey")
        if len(user.keys) >= MAX_KEYS:
            raise refusal("LimitExceeded", "CreateAccessKey", "Cannot exceed quota for AccessKeysPerUser: 2", 409)
        key = self.make_key()
        self.write(UserName, replace(user, keys=(*user.keys, key)))
        return {"AccessKey": {**shown_key(user, key), "SecretAccessKey": key.secret}}

    def list_access_keys(self, *, UserName: str, **_: Any) -> Any:
        user = self._read(UserName, "ListAccessKeys")
        return {"AccessKeyMetadata": [shown_key(user, key) for key in user.keys], "IsTruncated": False}

    def update_access_key(self, *, UserName: str, AccessKeyId: str, Status: str) -> Any:
        _check_key_id(AccessKeyId, "UpdateAccessKey")
        user = self._change(UserName, "UpdateAccessKey")
        _one(AccessKeyId, (key.id for key in user.keys), "UpdateAccessKey")
        keys = tuple(replace(k, active=Status == "Active") if k.id == AccessKeyId else k for k in user.keys)
        self.write(UserName, replace(user, keys=keys))
        return {}

    def delete_access_key(self, *, UserName: str, AccessKeyId: str) -> Any:
        _check_key_id(AccessKeyId, "DeleteAccessKey")
        user = self._change(UserName, "DeleteAccessKey")
        _one(AccessKeyId, (key.id for key in user.keys), "DeleteAccessKey")
        self.write(UserName, replace(user, keys=tuple(k for k in user.keys if k.id != AccessKeyId)))
        return {}

    # Inline policies.

    def put_user_policy(self, *, UserName: str, PolicyName: str, PolicyDocument: str) -> Any:
        user = self._change(UserName, "PutUserPolicy")
        if not re.fullmatch(r"[\t\n\r\u0020-\u00ff]+", PolicyDocument):
            raise refusal("MalformedPolicyDocument", "PutUserPolicy")
        policies = {**user.policies, PolicyName: PolicyDocument}
        if sum(len(re.sub(r"\s", "", document)) for document in policies.values()) > MAX_POLICIES:
            raise refusal("LimitExceeded", "PutUserPolicy", "Maximum policy size of 2048 bytes exceeded", 409)
        self.write(UserName, replace(user, policies=policies))
        return {}

    def get_user_policy(self, *, UserName: str, PolicyName: str) -> Any:
        user = self._read(UserName, "GetUserPolicy")
        _one(PolicyName, user.policies, "GetUserPolicy")
        document = json.loads(user.policies[PolicyName])
        return {"UserName": user.name, "PolicyName": PolicyName, "PolicyDocument": document}

    def list_user_policies(self, *, UserName: str, **_: Any) -> Any:
        return {"PolicyNames": sorted(self._read(UserName, "ListUserPolicies").policies), "IsTruncated": False}

    def delete_user_policy(self, *, UserName: str, PolicyName: str) -> Any:
        user = self._change(UserName, "DeleteUserPolicy")
        _one(PolicyName, user.policies, "DeleteUserPolicy")
        self.write(UserName, replace(user, policies={n: d for n, d in user.policies.items() if n != PolicyName}))
        return {}

    def _make_attachment_calls(self, listing: str, answer: str, identifier: str, removal: str) -> None:
        def list_them(*, UserName: str, **_: Any) -> Any:
            entries = self._read(UserName, listing).attached.get(listing, ())
            if listing == "get_login_profile" and not entries:
                raise refusal("NoSuchEntity", listing, f"Login Profile for User {UserName} cannot be found.", 404)
            return {answer: [{identifier: entry} for entry in entries], "IsTruncated": False}

        def remove_one(*, UserName: str, **which: str) -> Any:
            user = self._change(UserName, removal)
            entries = user.attached.get(listing, ())
            wanted = which.get(identifier, "password")
            _one(wanted, entries, removal)
            left = tuple(entry for entry in entries if entry != wanted)
            self.write(UserName, replace(user, attached={**user.attached, listing: left}))
            return {}

        setattr(self, listing, list_them)
        if removal:
            setattr(self, removal, remove_one)

    def delete_virtual_mfa_device(self, **_: str) -> Any:
        """Devices exist in this model only while a user has them."""
        return {}


def _check_key_id(key_id: str, operation: str) -> None:
    if not re.fullmatch(r"\w{16,128}", key_id, re.ASCII):
        raise refusal("ValidationError", operation)


def _absent(name: str, operation: str) -> ClientError:
    """A role limited to a path gets AccessDenied, not NoSuchEntity, for a user that does not exist."""
    if operation in BY_NAME:
        return refusal("NoSuchEntity", operation, f"The user with name {name} cannot be found.", 404)
    return refusal("AccessDenied", operation, f"not authorized to perform: iam:{operation} on user {name}", 403)


def _one(wanted: str, known: Any, operation: str) -> None:
    if wanted not in tuple(known):
        raise refusal("NoSuchEntity", operation, f"{wanted} cannot be found.", 404)


def _tags(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}

"""One difference of every kind, planted in a clean system: `reconcile drift` must find all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONG_AGO = "2026-01-01T00:00:00Z"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@dataclass(frozen=True)
class Place:
    """Manual access to an environment. `quarantine`: what AWS does to an IAM user with an exposed key."""

    environment: str
    table: str
    iam: Any
    dynamodb: Any
    quarantine: Callable[[str], None]

    def user(self, name: str) -> dict[str, str]:
        return {"UserName": f"smtp-{self.environment}-{name}"}

    def make_user(self, name: str, **tags: str) -> None:
        written = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.iam.create_user(**self.user(name), Path=f"/smtp/{self.environment}/", Tags=written)

    def key(self, name: str) -> dict[str, str]:
        listed = self.iam.list_access_keys(**self.user(name))["AccessKeyMetadata"]
        return {**self.user(name), "AccessKeyId": listed[0]["AccessKeyId"]}

    def set_row(self, name: str, **attributes: Any) -> None:
        """Write attributes of an existing or new record without a condition."""
        self.dynamodb.update_item(
            TableName=self.table,
            Key={"PK": {"S": "SMTP_USER"}, "SK": {"S": f"USER#{name}"}},
            UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in range(len(attributes))),
            ExpressionAttributeNames={f"#{n}": attribute for n, attribute in enumerate(attributes)},
            ExpressionAttributeValues={f":{n}": value for n, value in enumerate(attributes.values())},
        )


def _nothing(place: Place, name: str) -> None:
    pass


def _orphan(place: Place, name: str) -> None:
    place.make_user(name, **{"managed-by": "ses-smtp-reconciler"})


def _ghost(place: Place, name: str) -> None:
    place.iam.delete_access_key(**place.key(name))
    place.iam.delete_user_policy(**place.user(name), PolicyName="smtp-send")
    place.iam.delete_user(**place.user(name))


def _foreign_row(place: Place, name: str) -> None:
    place.set_row(name, managed_by={"S": "console"}, allowed_from_addresses={"SS": [f"{name}@example.com"]})


def _unmark(place: Place, name: str) -> None:
    place.iam.untag_user(**place.user(name), TagKeys=["managed-by"])


def _stranger(place: Place, name: str) -> None:
    place.make_user(name)


def _edit_policy(place: Place, name: str) -> None:
    place.iam.put_user_policy(**place.user(name), PolicyName="smtp-send", PolicyDocument=ANYTHING)


def _add_key(place: Place, name: str) -> None:
    place.iam.create_access_key(**place.user(name))


def _deactivate_key(place: Place, name: str) -> None:
    place.iam.update_access_key(**place.key(name), Status="Inactive")


def _activate_key(place: Place, name: str) -> None:
    """Activate the key of a disabled user."""
    place.iam.update_access_key(**place.key(name), Status="Active")


def _delete_key(place: Place, name: str) -> None:
    """Delete the key. Its recorded creation time is long ago, so that IAM is known to be consistent."""
    place.iam.delete_access_key(**place.key(name))
    place.set_row(name, key_created_at={"S": LONG_AGO})


def _lose_credential(place: Place, name: str) -> None:
    place.set_row(name, encrypted_credentials={"NULL": True})


def _attach_policy(place: Place, name: str) -> None:
    place.iam.put_user_policy(**place.user(name), PolicyName="by-hand", PolicyDocument=ANYTHING)


def _add_to_group(place: Place, name: str) -> None:
    place.iam.create_group(GroupName="senders")
    place.iam.add_user_to_group(**place.user(name), GroupName="senders")


def _add_password(place: Place, name: str) -> None:
    place.iam.create_login_profile(**place.user(name), Password="Str0ng-and-long!")


def _retag(place: Place, name: str) -> None:
    place.iam.tag_user(**place.user(name), Tags=[{"Key": "smtp-user", "Value": "somebody-else"}])


def _take_boundary(place: Place, name: str) -> None:
    place.iam.delete_user_permissions_boundary(**place.user(name))


def _quarantine(place: Place, name: str) -> None:
    place.quarantine(place.user(name)["UserName"])


def _edit_row(place: Place, name: str) -> None:
    place.set_row(name, allowed_from_addresses={"L": [{"S": f"{name}@example.com"}, {"S": "ceo@example.com"}]})


def _fail(place: Place, name: str) -> None:
    failure = {"code": {"S": "AccessDenied"}, "message": {"S": "iam:PutUserPolicy was refused"}}
    place.set_row(name, status={"S": "failed"}, failure={"M": failure})


def _hang(place: Place, name: str) -> None:
    place.set_row(name, status={"S": "pending"}, requested_at={"S": LONG_AGO})


@dataclass(frozen=True)
class Plant:
    """`before`: declared while the clean system is set up. `after`: declared during the audit."""

    name: str
    kind: str
    words: str
    plant: Callable[[Place, str], None]
    before: bool = True
    after: bool = True
    enabled: bool = True


PLANTS = (
    Plant("activated", "key_changed", "was activated", _activate_key, enabled=False),
    Plant("deactivated", "key_changed", "was deactivated", _deactivate_key),
    Plant("edited", "policy_changed", "its policy was changed", _edit_policy),
    Plant("failed", "failed", "AccessDenied: iam:PutUserPolicy was refused", _fail),
    Plant("foreign-row", "unmanaged", "managed by console", _foreign_row, before=False, after=False),
    Plant("ghost", "iam_user_missing", "its IAM user is missing", _ghost),
    Plant("grouped", "attachment_added", "group senders was added", _add_to_group),
    Plant("hanging", "overdue", f"pending since {LONG_AGO}", _hang),
    Plant("keyless", "key_changed", "was deleted", _delete_key),
    Plant("leaked", "key_exposed", "AWS detected an exposed access key", _quarantine),
    Plant("missing", "record_missing", "declared without a record", _nothing, before=False),
    Plant("orphan", "orphan", "a managed IAM user without a record", _orphan, before=False, after=False),
    Plant("passworded", "attachment_added", "console password was added", _add_password),
    Plant("retagged", "boundary_changed", "its tags or its permissions boundary were changed", _retag),
    Plant("rewritten", "record_outdated", "apply would change it: loses ceo@example.com", _edit_row),
    Plant("stranger", "unmanaged", "does not carry our tag", _stranger, before=False, after=False),
    Plant("two-keys", "key_changed", "was created outside this system", _add_key),
    Plant("unbounded", "boundary_changed", "its tags or its permissions boundary were changed", _take_boundary),
    Plant("undeclared", "undeclared", "apply would delete it", _nothing, after=False),
    Plant("unmarked", "unmanaged", "does not carry our tag", _unmark),
    Plant("unsealed", "key_changed", "the record lost the credential of access key", _lose_credential),
    Plant("widened", "attachment_added", "inline policy by-hand was added", _attach_policy),
)

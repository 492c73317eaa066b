"""Rows of SMTP users in a single-table DynamoDB design."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reconciler.aws import aws_errors
from reconciler.core.address import Rules
from reconciler.core.record import (
    ENTITY_TYPE,
    PK,
    PLAN_FIELDS,
    SK_PREFIX,
    SPEC_FIELDS,
    Failure,
    Record,
    Status,
    key_of,
    read,
)
from reconciler.core.user import User, spec_fields, spec_hash
from reconciler.errors import AwsError, Conflict
from reconciler.expressions import Values, pack, unchanged, unpack
from reconciler.ports import Outcome, Request

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UNPROCESSED_PAUSE = 0.2  # seconds, where DynamoDB left keys of a batch unread
BATCH = 100  # keys that one BatchGetItem takes
CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoStore:
    """Serves both halves (`ports.Requests` and `ports.Rows`). Every write is conditional."""

    def __init__(self, client: DynamoDBClient, table: str, rules: Rules) -> None:
        self._client = client
        self._table = table
        self._rules = rules

    # The reconciler's half.

    def records(self) -> list[Record]:
        """All rows of the environment, without their ciphertexts: one Query page per MB."""
        names = {f"#{n}": attribute for n, attribute in enumerate(_LISTED)}
        with aws_errors("dynamodb:Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND begins_with(SK, :user)",
                ExpressionAttributeValues=pack({":pk": PK, ":user": SK_PREFIX}),
                ProjectionExpression=", ".join(names),
                ExpressionAttributeNames=names,
                ConsistentRead=True,
            )
            return [self._record(item) for page in pages for item in page["Items"]]

    def fetch(self, names: Iterable[str]) -> dict[str, Record]:
        """The rows of these users that exist, by name."""
        wanted = [pack(key_of(name)) for name in names]
        found: dict[str, Record] = {}
        while wanted:
            batch, wanted = wanted[:BATCH], wanted[BATCH:]
            with aws_errors("dynamodb:BatchGetItem"):
                answer = self._client.batch_get_item(
                    RequestItems={self._table: {"Keys": batch, "ConsistentRead": True}}
                )
            if left := answer["UnprocessedKeys"].get(self._table):
                wanted += left["Keys"]
                time.sleep(UNPROCESSED_PAUSE)
            for record in map(self._record, answer["Responses"].get(self._table, [])):
                found[record.name] = record
        return found

    def create(self, user: User, manifest: str, request: Request) -> int:
        """Put a new row at revision 1. Raises Conflict when there is one already."""
        item = {
            **key_of(user.name),
            "entity_type": ENTITY_TYPE,
            "revision": 1,
            "created_at": request.requested_at,
            **_wish(user, manifest, request),
        }
        try:
            with aws_errors("dynamodb:PutItem"):
                self._client.put_item(
                    TableName=self._table, Item=pack(item), ConditionExpression="attribute_not_exists(PK)"
                )
        except AwsError as error:
            self._check_conflict(error, user.name, 1, request)
        return 1

    def update(self, record: Record, user: User, manifest: str, request: Request) -> int:
        """Write a declaration over a row; what the credential manager noted there stays."""
        wish = {"entity_type": ENTITY_TYPE, **_wish(user, manifest, request)}
        return self._request(record, wish, request)

    def delete(self, record: Record, request: Request) -> int:
        """Mark a row for teardown. The credential manager removes it, once IAM is clean."""
        return self._request(record, _asked(Status.DELETING, request), request)

    def _request(self, record: Record, values: Values, request: Request) -> int:
        revision = (record.revision or 0) + 1
        dropped = [] if values["status"] == Status.DELETING else [f for f in SPEC_FIELDS if f not in values]
        planned = [pair for pair in record.lock if pair[0] in PLAN_FIELDS]
        try:
            self._update(record.name, {**values, "revision": revision}, [*dropped, "failure"], planned)
        except AwsError as error:
            self._check_conflict(error, record.name, revision, request)
        return revision

    def _check_conflict(self, error: AwsError, name: str, revision: int, request: Request) -> None:
        """An SDK retry can meet the row that its own first try wrote: that is success."""
        if error.code not in (CONDITION_FAILED, "Conflict"):
            raise error
        written = self.fetch([name]).get(name)
        ours = written and (written.revision, written.correlation_id) == (revision, request.correlation_id)
        if not ours:
            raise Conflict(name)

    # The credential manager's half.

    def get(self, name: str) -> Record | None:
        with aws_errors("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=pack(key_of(name)), ConsistentRead=True)
        return self._record(answer["Item"]) if "Item" in answer else None

    def settle(self, record: Record, outcome: Outcome) -> None:
        values: dict[str, Any] = {
            "status": outcome.status,
            "observed_revision": record.revision or 0,
            "observed_hash": outcome.observed_hash,
            "settled_at": outcome.settled_at,
            "iam_user_name": outcome.iam_user_name,
            "iam_user_arn": outcome.iam_user_arn,
        }
        removed = ["failure"]
        if outcome.forget_previous:
            removed += ["previous_key", "previous_key_retires_at"]
        if issued := outcome.issued:
            values |= {
                "smtp_username": issued.id,
                "encrypted_credentials": issued.encrypted_credentials,
                "key_created_at": issued.created_at,
                "key_credential": issued.credential,
            }
            if issued.replaces:
                values |= {"previous_key": issued.replaces, "previous_key_retires_at": issued.retires_at}
        self._update(record.name, values, [r for r in removed if r not in values], record.lock)

    def fail(self, record: Record, failure: Failure) -> None:
        note = {
            "code": failure.code,
            "message": failure.message,
            "at": failure.at,
            "attempts": failure.attempts,
            "during": failure.during,
        }
        self._update(record.name, {"status": Status.FAILED, "failure": note}, [], record.lock)

    def remove(self, record: Record) -> None:
        condition, names, values = unchanged(record.lock)
        try:
            with aws_errors("dynamodb:DeleteItem"):
                self._client.delete_item(
                    TableName=self._table,
                    Key=pack(key_of(record.name)),
                    ConditionExpression=f"attribute_not_exists(PK) OR ({condition})",
                    ExpressionAttributeNames=names,
                    **({"ExpressionAttributeValues": pack(values)} if values else {}),  # type: ignore[arg-type]
                )
        except AwsError as error:
            if error.code == CONDITION_FAILED:
                raise Conflict(record.name) from None
            raise

    def _update(self, name: str, values: Values, removed: Iterable[str], lock: Iterable[tuple[str, Any]]) -> None:
        condition, names, expected = unchanged(lock)
        sets = []
        for n, (attribute, value) in enumerate(values.items()):
            names[f"#s{n}"], expected[f":s{n}"] = attribute, value
            sets.append(f"#s{n} = :s{n}")
        removes = []
        for n, attribute in enumerate(removed):
            names[f"#r{n}"] = attribute
            removes.append(f"#r{n}")
        update = "SET " + ", ".join(sets) + (" REMOVE " + ", ".join(removes) if removes else "")
        try:
            with aws_errors("dynamodb:UpdateItem"):
                self._client.update_item(
                    TableName=self._table,
                    Key=pack(key_of(name)),
                    UpdateExpression=update,
                    ConditionExpression=f"attribute_exists(PK) AND {condition}",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=pack(expected),
                )
        except AwsError as error:
            if error.code == CONDITION_FAILED:
                raise Conflict(name) from None
            raise

    def _record(self, item: Values) -> Record:
        return read(unpack(item), self._rules)


_LISTED = (
    "PK", "SK", "status", *SPEC_FIELDS, "revision", "spec_hash", "managed_by", "manifest", "commit", "actor",
    "correlation_id", "requested_at", "iam_user_arn", "smtp_username", "key_created_at", "key_credential",
    "previous_key", "previous_key_retires_at", "observed_revision", "observed_hash", "settled_at", "failure",
)  # fmt: skip


def _wish(user: User, manifest: str, request: Request) -> dict[str, Any]:
    """A declaration as attributes of the row."""
    fields = {name: value for name, value in spec_fields(user).items() if value != ""}
    return {
        **fields,
        "spec_hash": spec_hash(user),
        "manifest": manifest,
        **_asked(Status.PENDING, request),
    }


def _asked(status: Status, request: Request) -> dict[str, Any]:
    return {
        "status": status,
        "managed_by": request.managed_by,
        "commit": request.commit,
        "actor": request.actor,
        "correlation_id": request.correlation_id,
        "requested_at": request.requested_at,
    }

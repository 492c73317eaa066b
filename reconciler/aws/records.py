"""Records of SMTP users in a single-table DynamoDB design. Every write is conditional."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from reconciler.aws.attributes import Values
from reconciler.aws.dynamodb import BATCH, Table
from reconciler.core.address import Rules
from reconciler.core.record import (
    ENTITY_TYPE,
    PLAN_FIELDS,
    SK_PREFIX,
    Failure,
    Progress,
    Record,
    Status,
)
from reconciler.core.record_parser import PROGRESS_FIELDS, SPEC_FIELDS, read, read_progress
from reconciler.core.user import User, spec_fields, spec_hash
from reconciler.errors import Conflict
from reconciler.ports import ChangeRequest, SettledState

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


LONGEST_KEY = 1024  # bytes of a sort key


class DynamoRecordReader:
    """What both halves read (`ports.RecordReader`)."""

    def __init__(self, client: DynamoDBClient, table: str, rules: Rules) -> None:
        self._table = Table(client, table)
        self._rules = rules

    def get(self, name: str) -> Record | None:
        item = self._table.get(_sk(name)) if can_be_key(name) else None
        return self._record(item) if item is not None else None

    def records(self, after: str = "", *, sealed: bool = False) -> Iterator[Record]:
        """Records of the environment in the order of their names: one Query page per MB.

        `after`: begin behind the record of that name. `sealed`: with their ciphertexts.
        """
        attributes = (*_LISTED, "encrypted_credentials") if sealed else _LISTED
        return map(self._record, self._table.query(SK_PREFIX, attributes, _sk(after) if after else ""))

    def record_names(self) -> set[str]:
        return {item["SK"].removeprefix(SK_PREFIX) for item in self._table.query(SK_PREFIX, ["SK"])}

    def _record(self, item: Values) -> Record:
        return read(item, self._rules)


class DynamoRecordWriter(DynamoRecordReader):
    """The reconciler's half (`ports.RecordWriter`)."""

    def fetch(self, names: Iterable[str]) -> dict[str, Record]:
        """The records of these users that exist, by name."""
        keys = [_sk(name) for name in names if can_be_key(name)]
        return {record.name: record for record in map(self._record, self._table.get_many(keys))}

    def progress(self, names: Collection[str]) -> dict[str, Progress]:
        """The progress of these users, by name, where the record exists.

        One BatchGetItem, or for more users than it takes, a Query: a page per MB of records between the first and the
        last name. BatchGetItem would take more calls, and read at least 4 KB per record where a Query reads its size:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
        """
        sks = sorted(_sk(name) for name in names if can_be_key(name))
        if len(sks) <= BATCH:
            items = self._table.get_many(sks, PROGRESS_FIELDS)
        else:
            items = self._table.query_between(sks[0], sks[-1], PROGRESS_FIELDS)
        return {found.name: found for found in map(read_progress, items) if found.name in names}

    def create(self, user: User, manifest: str, request: ChangeRequest) -> int:
        """Create a record at revision 1. Raises Conflict when there is one already."""
        values = {"entity_type": ENTITY_TYPE, "revision": 1, "created_at": request.requested_at}
        try:
            self._table.put_new(_sk(user.name), {**values, **_declaration(user, manifest, request)})
        except Conflict:
            self._check_conflict(user.name, 1, request)
        return 1

    def update(self, record: Record, user: User, manifest: str, request: ChangeRequest) -> int:
        """Write a declaration into a record. The credential manager's attributes stay, and so does a revocation."""
        declared = {"entity_type": ENTITY_TYPE, **_declaration(user, manifest, request)}
        return self._write(record, declared, request, [f for f in (*SPEC_FIELDS, *_OF_REVIEW) if f not in declared])

    def delete(self, record: Record, request: ChangeRequest) -> int:
        """Request the deletion. The credential manager removes the record once IAM is clean."""
        declared = _declared(Status.DELETING, request)
        return self._write(record, declared, request, [f for f in _OF_REVIEW if f not in declared])

    def retry(self, record: Record, request: ChangeRequest) -> int:
        """Request again what the record requests already."""
        status = Status.DELETING if record.is_being_deleted else Status.PENDING
        return self._write(record, _requested(status, request), request)

    def revoke(self, record: Record, reason: str, request: ChangeRequest) -> int:
        """Deactivate the user's keys until it is resumed, whatever its declaration says."""
        revoked = {"actor": request.actor, "reason": reason, "at": request.requested_at}
        return self._write(record, {"revoked": revoked, **_requested(Status.PENDING, request)}, request)

    def resume(self, record: Record, request: ChangeRequest) -> int:
        """Lift the revocation; the declaration applies again."""
        return self._write(record, _requested(Status.PENDING, request), request, ["revoked"])

    def _write(self, record: Record, values: Values, request: ChangeRequest, removed: Iterable[str] = ()) -> int:
        revision = (record.revision or 0) + 1
        planned = {name: value for name, value in record.lock.items() if name in PLAN_FIELDS}
        dropped = [*removed, *(name for name in _OF_CI if name not in values), "failure"]
        try:
            self._table.update(_sk(record.name), {**values, "revision": revision}, dropped, planned)
        except Conflict:
            self._check_conflict(record.name, revision, request)
        return revision

    def _check_conflict(self, name: str, revision: int, request: ChangeRequest) -> None:
        """An SDK retry can find what its own first attempt wrote: that is success."""
        written = self.fetch([name]).get(name)
        is_own_write = written and (written.revision, written.correlation_id) == (revision, request.correlation_id)
        if not is_own_write:
            raise Conflict.of(name)


class DynamoManagerRecords(DynamoRecordReader):
    """The credential manager's half (`ports.ManagerRecords`)."""

    def settle(self, record: Record, outcome: SettledState) -> None:
        values: dict[str, Any] = {
            "status": outcome.status,
            "observed_revision": record.revision or 0,
            "observed_hash": outcome.observed_hash,
            "policy_hash": outcome.policy_hash,
            "settled_at": outcome.settled_at,
            "settled_status": outcome.status,
            "iam_user_name": outcome.iam_user_name,
            "iam_user_arn": outcome.iam_user_arn,
        }
        removed = ["failure"]
        if outcome.forget_previous:
            removed += _PREVIOUS
        if outcome.previous_deletes_at:
            values["previous_key_deletes_at"] = outcome.previous_deletes_at
        if issued := outcome.issued:
            values |= {
                "smtp_username": issued.id,
                "encrypted_credentials": issued.encrypted_credentials,
                "key_created_at": issued.created_at,
                "key_credential": issued.credential,
            }
            if issued.replaces:
                values |= {"previous_key": issued.replaces, "previous_key_retires_at": issued.retires_at}
                removed += _PREVIOUS
        self._table.update(
            _sk(record.name), values, [name for name in dict.fromkeys(removed) if name not in values], record.lock
        )

    def fail(self, record: Record, failure: Failure) -> None:
        """What was done before is not known any more, so the next attempt observes IAM and writes the policy."""
        stored = {
            "code": failure.code,
            "message": failure.message,
            "at": failure.at,
            "attempts": failure.attempts,
            "during": failure.during,
        }
        values = {"status": Status.FAILED, "failure": stored}
        try:
            self._table.update(_sk(record.name), values, ["policy_hash"], record.lock)
        except Conflict:
            written = self.get(record.name)
            if not written or written.failure != failure:
                raise

    def remove(self, record: Record) -> None:
        self._table.delete(_sk(record.name), record.lock)


_OF_CI = ("ci_actor", "run")  # of the last request
_OF_REVIEW = ("pull_request", "approver")  # of the last declaration
_PREVIOUS = ("previous_key", "previous_key_retires_at", "previous_key_deletes_at")
_LISTED = (
    "PK", "SK", "status", *SPEC_FIELDS, "revision", "spec_hash", "managed_by", "manifest", "commit", *_OF_REVIEW,
    "actor", "run", "correlation_id", "requested_at", "iam_user_arn", "smtp_username", "key_created_at",
    "key_credential",
    *_PREVIOUS, "observed_revision", "observed_hash", "settled_at", "settled_status", "failure", "revoked",
)  # fmt: skip


def _sk(name: str) -> str:
    return f"{SK_PREFIX}{name}"


def can_be_key(name: str) -> bool:
    """A name that no sort key can hold has no record: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""
    try:
        return len(_sk(name).encode()) <= LONGEST_KEY
    except UnicodeEncodeError:
        return False


def _declaration(user: User, manifest: str, request: ChangeRequest) -> dict[str, Any]:
    """A declaration as attributes of the record."""
    fields = {name: value for name, value in spec_fields(user).items() if value != ""}
    return {
        **fields,
        "spec_hash": spec_hash(user),
        "manifest": manifest,
        **_declared(Status.PENDING, request),
    }


def _declared(status: Status, request: ChangeRequest) -> dict[str, Any]:
    """What manifests request: from now on they define the record."""
    return {
        "managed_by": request.managed_by,
        "commit": request.commit,
        **_known(_OF_REVIEW, request),
        **_requested(status, request),
    }


def _requested(status: Status, request: ChangeRequest) -> dict[str, Any]:
    return {
        **_known(_OF_CI, request),
        "status": status,
        "actor": request.actor,
        "correlation_id": request.correlation_id,
        "requested_at": request.requested_at,
    }


def _known(fields: Iterable[str], request: ChangeRequest) -> dict[str, str]:
    return {name: value for name in fields if (value := getattr(request, name))}

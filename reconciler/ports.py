"""What the two halves need of external services: records, IAM users, encryption, queues.

The adapters in `aws/` implement these protocols. All of them raise `Retryable` or `Terminal` (see `errors`) and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from reconciler.core.applied_state import AppliedState
from reconciler.core.decision import Attachment, Identity
from reconciler.core.policy import Document
from reconciler.core.record import Failure, Progress, Record, Status
from reconciler.core.trigger import Trigger
from reconciler.core.user import User


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that was just created. The secret can be read only now; it must not be lost or printed."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a mail client authenticates with: the user name, and a password for each SES region."""

    username: str
    passwords: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key as it is stored in the record."""

    id: str
    created_at: str
    credential: int
    encrypted_credentials: bytes = field(repr=False)
    replaces: str = ""
    retires_at: str = ""


@dataclass(frozen=True, slots=True)
class SettledState:
    """What the credential manager stores in a record when it has processed it."""

    status: Status
    observed_hash: str
    policy_hash: str
    settled_at: str
    iam_user_name: str
    iam_user_arn: str
    issued: IssuedKey | None = None
    forget_previous: bool = False
    previous_deletes_at: str = ""  # set when the previous key was just deactivated


class RecordReader(Protocol):
    """All records of an environment, in the order of their names. `sealed`: with their ciphertexts."""

    def records(self, after: str = "", *, sealed: bool = False) -> Iterator[Record]: ...


class ManagerRecords(RecordReader, Protocol):
    """The credential manager's half of a record. Writes raise Conflict when the record is not as it was read."""

    def get(self, name: str) -> Record | None: ...
    def settle(self, record: Record, outcome: SettledState) -> None: ...
    def fail(self, record: Record, failure: Failure) -> None: ...
    def remove(self, record: Record) -> None: ...


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Who requests a change, as it is stored in the record.

    `actor`: the caller's ARN. `ci_actor` and `run`: who started the CI run, and its URL. `pull_request` and `approver`:
    those of the commit. All four are empty outside of CI.
    """

    managed_by: str
    commit: str
    actor: str
    correlation_id: str
    requested_at: str
    ci_actor: str = ""
    run: str = ""
    pull_request: str = ""
    approver: str = ""


class RecordWriter(Protocol):
    """The reconciler's half of a record. Writes return the new revision, or raise Conflict."""

    def records(self) -> Iterator[Record]: ...
    def fetch(self, names: Iterable[str]) -> dict[str, Record]: ...
    def progress(self, names: Collection[str]) -> dict[str, Progress]: ...
    def create(self, user: User, manifest: str, request: ChangeRequest) -> int: ...
    def update(self, record: Record, user: User, manifest: str, request: ChangeRequest) -> int: ...
    def delete(self, record: Record, request: ChangeRequest) -> int: ...
    def retry(self, record: Record, request: ChangeRequest) -> int: ...
    def revoke(self, record: Record, reason: str, request: ChangeRequest) -> int: ...
    def resume(self, record: Record, request: ChangeRequest) -> int: ...


class AppliedStates(Protocol):
    """What was applied last. `save` raises Conflict if another run has saved its state."""

    def load(self) -> AppliedState: ...
    def save(self, state: AppliedState) -> AppliedState: ...
    def save_revoked(self, state: AppliedState) -> AppliedState: ...


class Identities(Protocol):
    """IAM users of one environment, by the name of their SMTP user. Absent-on-delete is success."""

    def observe(self, name: str) -> Identity | None: ...
    def audit(self, name: str) -> Identity | None: ...
    def attached(self, name: str) -> tuple[Attachment, ...]: ...
    def create_user(self, name: str, provenance: Mapping[str, str]) -> None: ...
    def repair_user(self, name: str) -> None: ...
    def tag_user(self, name: str, provenance: Mapping[str, str]) -> None: ...
    def detach(self, name: str, attachment: Attachment) -> None: ...
    def put_policy(self, name: str, document: Document) -> None: ...
    def create_key(self, name: str) -> AccessKey: ...
    def set_key(self, name: str, key_id: str, *, active: bool) -> None: ...
    def delete_key(self, name: str, key_id: str) -> None: ...
    def delete_user(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """All IAM users under our path, as they were at one moment.

    `users`: their own names, with or without our tag. `identities`: by the name of the SMTP user, without access keys
    and without what only a call per user returns; None where IAM returned the names alone.
    """

    users: Sequence[str]
    identities: Mapping[str, Identity] | None = None


Observed = tuple[str, Identity | Exception | None]  # the name of an SMTP user; an exception: why it was not observed


class IdentityReader(Protocol):
    """Observes many IAM users with few calls."""

    def read(self) -> Listing: ...
    def observe(self, names: Iterable[str], listing: Listing, fully: Callable[[str], bool]) -> Generator[Observed]: ...


class Vault(Protocol):
    """Encryption bound to the environment, the user and the key: a ciphertext is valid in its own record only."""

    def encrypt(self, name: str, credentials: Credentials) -> bytes: ...
    def decrypt(self, name: str, username: str, ciphertext: bytes) -> Credentials: ...


@dataclass(frozen=True, slots=True)
class SweepState:
    """The position of the round. `orphans`: IAM users without a record, and when each was first found.

    `rounds`: how many were completed.
    """

    position: str = ""  # the last user that was checked
    orphans: Mapping[str, str] = field(default_factory=dict)
    version: Any = None  # as it was read
    rounds: int = 0


class SweepStates(Protocol):
    def load(self) -> SweepState: ...
    def save(self, state: SweepState) -> SweepState: ...


class TriggerReader(Protocol):
    """What invokes the credential manager."""

    def read(self) -> Trigger: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the dead-letter queue.

    `receive_count`: how often it was received, including this time. `sent_at`: by the clock of the queue.
    """

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    sent_at: datetime


class Sender(Protocol):
    """A queue to send messages to: their bodies, and after how many seconds each becomes visible."""

    def send(self, messages: Iterable[tuple[str, int]]) -> None: ...


class Queue(Sender, Protocol):
    """The dead-letter queue."""

    def delay(self, message: Message, seconds: int) -> None: ...
    def delete(self, message: Message) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A failed batch of the table's stream: its place, and the sequence numbers of its first and last record."""

    stream_arn: str
    shard: str
    first: str
    last: str


class Stream(Protocol):
    """The table's stream, read by sequence numbers."""

    def users_in_batch(self, batch: Batch, most: int) -> set[str] | None: ...


@dataclass(frozen=True, slots=True)
class Fallback:
    """When a message was sent for every user that waits, and which message caused it."""

    at: datetime
    message_id: str


class Fallbacks(Protocol):
    def claim(self, message_id: str, now: datetime, window: timedelta) -> Fallback: ...

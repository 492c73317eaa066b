"""The record of one SMTP user: the only interface between the two halves.

The reconciler writes the desired state and `revision`, the credential manager writes the result and
`observed_revision`. A record may also have been created manually, so it can contain anything except invalid keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.core.user import User

PK = "SMTP_USER"
SK_PREFIX = "USER#"
ENTITY_TYPE = "smtp_credential"

# A write of the credential manager is conditional on these fields, a planned write on the second list.
LOCK_FIELDS = ("revision", "correlation_id", "status", "smtp_username", "revoked")
PLAN_FIELDS = ("revision", "correlation_id")  # a record that was created again differs in them

Item = Mapping[str, Any]


class Status(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    DISABLED = "disabled"
    FAILED = "failed"
    DELETING = "deleting"


AWAITING = frozenset({Status.PENDING, Status.DELETING})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why processing failed permanently. `during` is the status that was being processed."""

    code: str
    message: str
    at: str
    attempts: int = 1
    during: str = Status.PENDING


@dataclass(frozen=True, slots=True)
class Revocation:
    """Emergency deactivation of the keys: who did it, and why. It applies until the user is resumed."""

    actor: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it was read. `user` is None if it is invalid; `problems` contains the reasons."""

    name: str
    status: str = ""
    user: User | None = None
    problems: tuple[str, ...] = ()
    revision: int | None = None
    spec_hash: str = ""
    managed_by: str = ""
    manifest: str = ""
    commit: str = ""
    pull_request: str = ""
    approver: str = ""  # logins, separated by one space
    actor: str = ""
    run: str = ""
    correlation_id: str = ""
    requested_at: str = ""
    iam_user_arn: str = ""
    smtp_username: str = ""
    key_created_at: str = ""
    key_credential: int | None = None
    previous_key: str = ""
    previous_key_retires_at: str = ""  # then it becomes inactive
    previous_key_deletes_at: str = ""  # set once it is inactive
    observed_revision: int | None = None
    observed_hash: str = ""
    settled_at: str = ""
    settled_status: str = ""  # that of the last result, while the record waits for the next one
    policy_hash: str = ""  # of the policy that the last result left in IAM; not in listings
    failure: Failure | None = None
    revoked: Revocation | None = None
    encrypted_credentials: bytes | None = field(default=None, repr=False)
    # LOCK_FIELDS exactly as they were read.
    lock: Item = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_being_deleted(self) -> bool:
        """Is it to be deleted, or did that fail?"""
        failed = self.status == Status.FAILED and self.failure is not None and self.failure.during == Status.DELETING
        return self.status == Status.DELETING or failed


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the credential manager is with a record: what a run reads again and again while it waits."""

    name: str
    status: str
    revision: int | None
    observed_revision: int | None
    failure: Failure | None


def key_of(name: str) -> dict[str, str]:
    return {"PK": PK, "SK": f"{SK_PREFIX}{name}"}


def name_of(keys: Item) -> str | None:
    """The SMTP user of an item's keys; None for the keys of anything else."""
    pk, sk = keys.get("PK"), keys.get("SK")
    if pk != PK or not isinstance(sk, str) or not sk.startswith(SK_PREFIX):
        return None
    return sk.removeprefix(SK_PREFIX)


def manager_tag(environment: str) -> str:
    """The value of `managed_by` in the records that the reconciler of an environment wrote."""
    return f"reconciler:{environment}"


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def parse_timestamp(text: str) -> datetime | None:
    """Between EARLIEST and LATEST: a calculation with the first or last days of the calendar would raise."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(moment, EARLIEST), LATEST).astimezone(UTC)
    except ValueError:
        return None

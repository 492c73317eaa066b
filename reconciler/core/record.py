"""The row of one SMTP user: the only place where the two halves meet.

The reconciler writes what is wanted (and `revision`), the credential manager writes what it made of it
(and `observed_revision`). A row may also have been put by hand, so nothing but the keys is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.core.address import Rules
from reconciler.core.text import printable
from reconciler.core.user import (
    DEFAULT_OVERLAP_DAYS,
    MAX_CREDENTIAL,
    MAX_ROTATION_DAYS,
    NAME,
    NAME_HINT,
    User,
    check_date,
    check_lists,
    check_rotation,
    make_user,
)

PK = "SMTP_USER"
SK_PREFIX = "USER#"
ENTITY_TYPE = "smtp_credential"

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
    """Why the last attempt ended for good. `during` is the status that was being worked on."""

    code: str
    message: str
    at: str
    attempts: int = 1
    during: str = Status.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row as it was read. `user` is None when `problems` says why its wish cannot be understood."""

    name: str
    status: str = ""
    user: User | None = None
    problems: tuple[str, ...] = ()
    revision: int | None = None
    spec_hash: str = ""
    managed_by: str = ""
    manifest: str = ""
    commit: str = ""
    actor: str = ""
    correlation_id: str = ""
    requested_at: str = ""
    iam_user_arn: str = ""
    smtp_username: str = ""
    key_created_at: str = ""
    key_credential: int | None = None
    previous_key: str = ""
    previous_key_retires_at: str = ""
    observed_revision: int | None = None
    observed_hash: str = ""
    settled_at: str = ""
    failure: Failure | None = None
    encrypted_credentials: bytes | None = field(default=None, repr=False)
    # What a write of the credential manager is conditional on, exactly as it was read.
    lock: tuple[tuple[str, Any], ...] = field(default=(), repr=False, compare=False)


def key_of(name: str) -> dict[str, str]:
    return {"PK": PK, "SK": f"{SK_PREFIX}{name}"}


def name_of(keys: Item) -> str | None:
    """The user an item's keys speak of, or None when they speak of something else."""
    pk, sk = keys.get("PK"), keys.get("SK")
    if pk != PK or not isinstance(sk, str) or not sk.startswith(SK_PREFIX):
        return None
    return sk.removeprefix(SK_PREFIX)


def manager_mark(environment: str) -> str:
    """What `managed_by` says on the rows that the reconciler of an environment wrote."""
    return f"reconciler:{environment}"


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)  # at the very ends of the calendar a day does not matter
    except ValueError:
        return None


def read(item: Item, rules: Rules) -> Record:
    """Make the best of any item of ours: what cannot be understood ends up in `problems`, never in an error."""
    name = name_of(item) or ""
    user, problems = _read_user(name, item, rules)
    return Record(
        name=name,
        user=user,
        problems=tuple(problems),
        revision=_whole(item.get("revision")),
        key_credential=_whole(item.get("key_credential")),
        observed_revision=_whole(item.get("observed_revision")),
        failure=_read_failure(item.get("failure")),
        encrypted_credentials=_binary(item.get("encrypted_credentials")),
        lock=tuple((name, item.get(name)) for name in LOCK_FIELDS),
        **{name: _text(item.get(name)) for name in _TEXT_FIELDS},
    )


LOCK_FIELDS = ("revision", "correlation_id", "status", "smtp_username")
PLAN_FIELDS = ("revision", "correlation_id")  # those that a plan was made against; a row made anew differs in them


_TEXT_FIELDS = (
    "status", "spec_hash", "managed_by", "manifest", "commit", "actor", "correlation_id", "requested_at",
    "iam_user_arn", "smtp_username", "key_created_at", "previous_key", "previous_key_retires_at",
    "observed_hash", "settled_at",
)  # fmt: skip


def _read_user(name: str, item: Item, rules: Rules) -> tuple[User | None, list[str]]:
    problems = [] if NAME.fullmatch(name) else [f"the name '{ascii(name)[1:-1]}' is not allowed: {NAME_HINT}"]
    fields: dict[str, Any] = {"name": name}
    for attribute, reader in _SPEC_READERS.items():
        if (value := item.get(attribute)) is None:
            continue
        try:
            fields[attribute] = reader(value)
        except ValueError as error:
            problems.append(f"{attribute} {error}")
    if not fields.get("allowed_from_addresses") and not problems:
        problems.append("allowed_from_addresses is missing or empty")
    faults = check_lists(fields.get("allowed_from_addresses", ()), fields.get("allowed_source_ips", ()), rules)
    problems += [f"{fault.message}; {fault.hint}" for _, fault in faults]
    return (None, problems) if problems else (make_user(fields), [])


def _read_str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _read_strings(value: Any) -> list[str]:
    """A list or a string set of DynamoDB."""
    if not isinstance(value, list | set | frozenset | tuple) or not all(isinstance(v, str) for v in value):
        raise ValueError("must be a list or a set of strings")
    return sorted(value)


def _read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _read_positive(value: Any, most: int = MAX_CREDENTIAL) -> int:
    number = _whole(value)
    if number is None or not 1 <= number <= most:
        raise ValueError(f"must be a whole number from 1 to {most}")
    return number


def _read_day(value: Any) -> str:
    if fault := check_date(_read_str(value)):
        raise ValueError(fault.message)
    return str(value)


def _read_rotation(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or "every_days" not in value:
        raise ValueError("must be a map with every_days")
    given = [key for key in ("every_days", "overlap_days") if key in value]
    days = {key: _read_positive(value[key], MAX_ROTATION_DAYS) for key in given}
    if fault := check_rotation(days["every_days"], days.get("overlap_days", DEFAULT_OVERLAP_DAYS)):
        raise ValueError(fault.message)
    return days


_SPEC_READERS = {
    "description": _read_str,
    "owner": _read_str,
    "allowed_from_addresses": _read_strings,
    "enabled": _read_bool,
    "expires": _read_day,
    "allowed_source_ips": _read_strings,
    "credential": _read_positive,
    "rotation": _read_rotation,
}
SPEC_FIELDS = tuple(_SPEC_READERS)


def _read_failure(value: Any) -> Failure | None:
    if not isinstance(value, Mapping):
        return None
    return Failure(
        code=_text(value.get("code")),
        message=_text(value.get("message")),
        at=_text(value.get("at")),
        attempts=_whole(value.get("attempts")) or 1,
        during=_text(value.get("during")) or Status.PENDING,
    )


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    """DynamoDB gives numbers as Decimal; text that looks like one does not count."""
    if isinstance(value, bool | str) or value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if number == value else None


def _binary(value: Any) -> bytes | None:
    raw = getattr(value, "value", value)  # boto3 wraps binary attributes
    return raw if isinstance(raw, bytes) else None

"""Read a record. It may have been created manually, so it can contain anything. The limits of a user apply to it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from sys import intern
from typing import Any

from reconciler.core.address import Rules
from reconciler.core.record import LOCK_FIELDS, Failure, Item, Progress, Record, Revocation, Status, name_of
from reconciler.core.smtp import ACCESS_KEY_ID
from reconciler.core.text import clip, count, printable, quote
from reconciler.core.user import (
    CREDENTIAL,
    DEFAULT_OVERLAP_DAYS,
    DESCRIPTION,
    DESCRIPTION_HINT,
    EVERY_DAYS,
    MAX_DESCRIPTION,
    NAME,
    NAME_HINT,
    OVERLAP_DAYS,
    OWNER_HINT,
    Limits,
    User,
    check_date,
    check_lists,
    check_owner,
    check_rotation,
    make_user,
)

COUNTER = Limits(0, 10**15)  # revisions: exact in JSON and far below what DynamoDB can store
ATTEMPTS = Limits(1, 10**6)
MOST_VALUES = 1000  # of a list: no policy has room for more
MOST_PROBLEMS = 20
LONGEST_PROBLEM = 300  # characters


def read(item: Item, rules: Rules) -> Record:
    """Read any item with our keys. What is invalid becomes a problem of the record, never an error."""
    name = name_of(item) or ""
    user, problems = _read_user(name, item, rules)
    return Record(
        name=name,
        user=user,
        problems=_shorten(problems),
        revision=read_counter(item.get("revision")),
        key_credential=_whole(item.get("key_credential"), CREDENTIAL),
        observed_revision=read_counter(item.get("observed_revision")),
        smtp_username=_read_key_id(item.get("smtp_username")),
        previous_key=_read_key_id(item.get("previous_key")),
        failure=_read_failure(item.get("failure")),
        revoked=_read_revoked(item.get("revoked")),
        encrypted_credentials=_binary(item.get("encrypted_credentials")),
        lock={name: item.get(name) for name in LOCK_FIELDS},
        **{name: _text(item.get(name)) for name in _TEXT_FIELDS},
        **{name: intern(_text(item.get(name))) for name in _SHARED_FIELDS},
    )


PROGRESS_FIELDS = ("PK", "SK", "status", "revision", "observed_revision", "failure")


def read_progress(item: Item) -> Progress:
    return Progress(
        name=name_of(item) or "",
        status=_text(item.get("status")),
        revision=read_counter(item.get("revision")),
        observed_revision=read_counter(item.get("observed_revision")),
        failure=_read_failure(item.get("failure")),
    )


_TEXT_FIELDS = (
    "spec_hash", "iam_user_arn", "previous_key_retires_at", "previous_key_deletes_at", "observed_hash", "policy_hash",
)  # fmt: skip
# Many records, or two fields of one, have the same text in them; it is in memory once.
_SHARED_FIELDS = (
    "status", "settled_status", "managed_by", "manifest", "commit", "pull_request", "approver", "actor", "run",
    "correlation_id", "requested_at", "key_created_at", "settled_at",
)  # fmt: skip


def _read_user(name: str, item: Item, rules: Rules) -> tuple[User | None, list[str]]:
    problems = [] if NAME.fullmatch(name) else [f"the name '{quote(name)}' is not allowed: {NAME_HINT}"]
    if item.get("revision") is not None and read_counter(item["revision"]) is None:
        problems.append(f"revision must be a whole number from {COUNTER.least} to {COUNTER.most}")
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


def _read_description(value: Any) -> str:
    text = _read_str(value)
    if text and (len(text) > MAX_DESCRIPTION or not DESCRIPTION.fullmatch(text)):
        raise ValueError(f"must be {DESCRIPTION_HINT}")
    return text


def _read_owner(value: Any) -> str:
    text = _read_str(value)
    if text and (fault := check_owner(text)):
        raise ValueError(f"must be {OWNER_HINT}: {fault.message}")
    return text


def _read_strings(value: Any) -> list[str]:
    """A list or a string set of DynamoDB."""
    if not isinstance(value, list | set | frozenset | tuple) or not all(isinstance(v, str) for v in value):
        raise ValueError("must be a list or a set of strings")
    if len(value) > MOST_VALUES:
        raise ValueError(f"has {len(value)} values; {MOST_VALUES} is the limit")
    return sorted(value)


def _read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _read_number(value: Any, limits: Limits = CREDENTIAL) -> int:
    number = _whole(value, limits)
    if number is None:
        raise ValueError(f"must be a whole number from {limits.least} to {limits.most}")
    return number


def _read_day(value: Any) -> str:
    if fault := check_date(_read_str(value)):
        raise ValueError(fault.message)
    return str(value)


def _read_rotation(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or "every_days" not in value:
        raise ValueError("must be a map with every_days")
    every_days = _read_number(value["every_days"], EVERY_DAYS)
    overlap_days = _read_number(value.get("overlap_days", DEFAULT_OVERLAP_DAYS), OVERLAP_DAYS)
    if fault := check_rotation(every_days, overlap_days):
        raise ValueError(fault.message)
    return {"every_days": every_days, "overlap_days": overlap_days}


_SPEC_READERS = {
    "description": _read_description,
    "owner": _read_owner,
    "allowed_from_addresses": _read_strings,
    "enabled": _read_bool,
    "expires": _read_day,
    "allowed_source_ips": _read_strings,
    "credential": _read_number,
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
        attempts=_whole(value.get("attempts"), ATTEMPTS) or 1,
        during=_text(value.get("during")) or Status.PENDING,
    )


def _read_revoked(value: Any) -> Revocation | None:
    """Any value revokes: a `true` that was written manually in a hurry, `false`, an empty map. Null is no value."""
    if value is None:
        return None
    given = value if isinstance(value, Mapping) else {}
    return Revocation(*(_text(given.get(field)) for field in ("actor", "reason", "at")))


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""


def _read_key_id(value: Any) -> str:
    """IAM refuses anything else: a key of that id cannot exist."""
    return value if isinstance(value, str) and ACCESS_KEY_ID.fullmatch(value) else ""


def read_counter(value: Any) -> int | None:
    return _whole(value, COUNTER)


def _whole(value: Any, limits: Limits) -> int | None:
    """Numbers of DynamoDB are Decimal. The limits come first: the integer of a large exponent takes long to compute."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return int(value) if limits.least <= value <= limits.most and value == int(value) else None


def _binary(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _shorten(problems: list[str]) -> tuple[str, ...]:
    """They are stored in the record and shown in one line."""
    shown = [clip(problem, LONGEST_PROBLEM) for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - len(shown)
    return (*shown, f"and {count(more, 'more problem')}") if more else tuple(shown)

"""The environment variables of the three functions: the only place that reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


def _variable(name: str, read: Callable[[str], Any] = str, write: Callable[[Any], str] = str) -> Any:
    return field(metadata={"name": name, "read": read, "write": write})


def _flag(name: str) -> Any:
    return _variable(name, lambda text: text == "true", lambda value: str(value).lower())


class _Variables:
    """Fields that are environment variables."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Raises KeyError with the name of a variable that is missing."""
        return cls(**{each.name: each.metadata["read"](environ[each.metadata["name"]]) for each in fields(cls)})  # type: ignore[arg-type]

    def to_environ(self) -> dict[str, str]:
        return {each.metadata["name"]: each.metadata["write"](getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(_Variables):
    """Of every function."""

    environment: str = _variable("ENVIRONMENT")
    account_id: str = _variable("ACCOUNT_ID")
    table: str = _variable("TABLE_NAME")
    key: str = _variable("KMS_KEY_ARN")
    boundary_arn: str = _variable("PERMISSIONS_BOUNDARY_ARN")
    configuration_set: str = _variable("CONFIGURATION_SET")
    smtp_regions: tuple[str, ...] = _variable("SMTP_REGIONS", lambda text: tuple(text.split(",")), ",".join)
    allowed_domains: frozenset[str] = _variable(
        "ALLOWED_DOMAINS", lambda text: frozenset(text.split(",")), lambda domains: ",".join(sorted(domains))
    )
    allow_wildcards: bool = _flag("ALLOW_WILDCARDS")
    iam_user_tags: Mapping[str, str] = _variable("IAM_USER_TAGS", json.loads, json.dumps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerSettings(_Variables):
    """Of the credential manager only: where it leaves a user that must be retried."""

    queue_url: str = _variable("DEAD_LETTER_QUEUE_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSettings(_Variables):
    """Of the dead-letter processor only.

    `tries`: the attempts after which a user is given up. `table_arn`, `batch_size`: of the stream's mapping; a message
    about another table or a larger batch is not processed.
    """

    queue_url: str = _variable("DEAD_LETTER_QUEUE_URL")
    parking_url: str = _variable("PARKING_QUEUE_URL")
    tries: int = _variable("DEAD_LETTER_TRIES", int)
    table_arn: str = _variable("TABLE_ARN")
    batch_size: int = _variable("STREAM_BATCH_SIZE", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings(_Variables):
    """Of the sweep only: see `sweep.Budget` and `iam_reader.IamReader`.

    `manager_function`: the function that the table's stream must trigger.
    """

    manager_function: str = _variable("MANAGER_FUNCTION")
    max_orphans: int = _variable("MAX_ORPHANS", int)
    max_orphan_percent: int = _variable("MAX_ORPHAN_PERCENT", int)
    users_per_run: int = _variable("SWEEP_USERS_PER_RUN", int)
    wide_reads: bool = _flag("WIDE_READS")

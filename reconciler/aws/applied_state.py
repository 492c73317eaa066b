"""What was applied last, in an item of its own next to the records of users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.aws.dynamodb import Table
from reconciler.core.applied_state import DIRTY, NOTHING_APPLIED, AppliedState, RevokedUser
from reconciler.core.text import printable
from reconciler.errors import Conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SK = "APPLIED#state"
COMMIT = re.compile(rf"([0-9a-f]{{40}}([0-9a-f]{{24}})?({DIRTY})?)?")  # empty: applied outside of a Git checkout
TEXTS = ("commit", "actor", "ci_actor", "run", "correlation_id", "applied_at")
# `revoked_users`, not `revoked`: a role may write this item, but not lift the revocation of a record.
ATTRIBUTES = (*TEXTS, "counts", "settings", "revoked_users", "version")


class DynamoAppliedStates:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def load(self) -> AppliedState:
        """A Query, because roles that only read records may not call GetItem. Invalid content never raises."""
        for item in self._table.query(SK, ("SK", *ATTRIBUTES)):
            if item["SK"] == SK:
                return _read(item)
        return NOTHING_APPLIED

    def save(self, state: AppliedState) -> AppliedState:
        """Raises Conflict if the item is not as it was when `state.version` was read."""
        values = {name: getattr(state, name) for name in TEXTS}
        return self._write(state, {**values, "counts": dict(state.counts), "settings": dict(state.settings)})

    def save_revoked(self, state: AppliedState) -> AppliedState:
        """Only who stays revoked, and the version. Raises Conflict as `save` does."""
        return self._write(state, {})

    def _write(self, state: AppliedState, values: dict[str, Any]) -> AppliedState:
        version = _number(state.version, least=0) or 0
        saved = replace(state, version=version + 1, exists=True, valid=True)
        values |= {
            "revoked_users": {name: _stored(user) for name, user in saved.revoked.items()},
            "version": saved.version,
        }
        try:
            self._table.update(SK, values, [], {"version": state.version}, create=True)
        except Conflict:
            found = self.load()  # our own write, if its answer was lost
            if any(getattr(found, name) != getattr(saved, name) for name in ("version", "correlation_id", "revoked")):
                raise
        return saved


def _read(item: Mapping[str, Any]) -> AppliedState:
    texts = {name: _text(item.get(name)) for name in TEXTS}
    counts, settings, revoked = (_mapping(item.get(name)) for name in ("counts", "settings", "revoked_users"))
    commit_is_valid = isinstance(item.get("commit"), str) and COMMIT.fullmatch(texts["commit"]) is not None
    version = _number(item.get("version"), least=1)
    return AppliedState(
        commit=texts["commit"] if commit_is_valid else "",
        actor=texts["actor"],
        ci_actor=texts["ci_actor"],
        run=texts["run"],
        correlation_id=texts["correlation_id"],
        applied_at=texts["applied_at"],
        counts={name: number for name, value in (counts or {}).items() if (number := _number(value)) is not None},
        settings={name: _plain(value) for name, value in (settings or {}).items()},
        revoked={name: _revoked_user(value) for name, value in (revoked or {}).items()},
        version=item.get("version") if version is None else version,
        valid=commit_is_valid and None not in (settings, revoked, version),
    )


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""


def _number(value: Any, least: int = 0) -> int | None:
    """A whole number of at most nine digits: more than there will ever be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if (isinstance(value, Decimal) and not value.is_finite()) or not least <= value < 10**9:
        return None
    return int(value) if value == int(value) else None


def _mapping(value: Any) -> dict[str, Any] | None:
    """None if it is neither absent nor a map."""
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    """A setting as `reconcile.yaml` has it; anything else as text."""
    if isinstance(value, str | bool):
        return value
    if (number := _number(value)) is not None:
        return number
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return printable(repr(value))


def _stored(user: RevokedUser) -> dict[str, Any]:
    return {**asdict(user), "addresses": list(user.addresses)}


def _revoked_user(value: Any) -> RevokedUser:
    """Any value revokes."""
    given = value if isinstance(value, Mapping) else {}
    addresses = given.get("addresses")
    texts = {name: _text(given.get(name)) for name in ("actor", "reason", "at", "owner")}
    return RevokedUser(**texts, addresses=tuple(map(_text, addresses)) if isinstance(addresses, list) else ())

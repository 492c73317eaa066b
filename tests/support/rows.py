"""Records and identities for the tests of the core."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.core.decision import Decision, Identity, Key, PutPolicy, Settle
from reconciler.core.lifecycle import decide
from reconciler.core.policy import build, grant_hash
from reconciler.core.record import Record, Revocation, Status, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import User, spec_hash
from support.world import SENDING, START, a_user

NOW = START
LATER = timestamp(NOW + timedelta(days=1))
EARLIER = timestamp(NOW - timedelta(days=1))
K0, K1, K2 = "AKIAEXAMPLE0", "AKIAEXAMPLE1", "AKIAEXAMPLE2"


def settled(user: User | None = None, **fields: Any) -> Record:
    """A record whose declaration was processed."""
    user = user or a_user()
    done = {
        "status": "active" if user.enabled and not fields.get("revoked") else "disabled",
        "observed_revision": 2,
        "observed_hash": grant_hash(user, SENDING) + ("-revoked" if fields.get("revoked") else ""),
    }
    return served(user, **{**done, **fields})


def asked(user: User | None = None, **fields: Any) -> Record:
    """A record as the reconciler writes it."""
    user = user or a_user()
    return replace(Record(name=user.name, status="pending", user=user, revision=2, spec_hash=spec_hash(user)), **fields)


def served(user: User | None = None, **fields: Any) -> Record:
    """A pending record of a user that already has key K1."""
    had = {"smtp_username": K1, "key_credential": 1, "observed_revision": 1, "encrypted_credentials": b"sealed"}
    return asked(user, **{**had, **fields})


def iam(*keys: str, inactive: tuple[str, ...] = (), **fields: Any) -> Identity:
    return Identity(
        owned=True, keys=tuple(Key(key, True) for key in keys) + tuple(Key(key, False) for key in inactive), **fields
    )


def run(record: Record | None, identity: Identity | None) -> Decision:
    return decide(RecordState.of(record, SENDING, NOW) if record else None, identity)


def grant(user: User | None = None) -> PutPolicy:
    return PutPolicy(build(user or a_user(), SENDING))


ACTIVE = Settle(Status.ACTIVE)
DISABLED = Settle(Status.DISABLED)
REVOKED = Revocation("somebody", "leaked", EARLIER)

"""What the record says of the policy in IAM, and when a change does not concern IAM at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import Decision, IssueKey, PutPolicy, SetKey, Settle
from reconciler.core.lifecycle import decide, decide_unobserved
from reconciler.core.policy import build, document_hash
from reconciler.core.record import Record, Status, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import User
from support.rows import ACTIVE, DISABLED, EARLIER, K0, K1, LATER, NOW, REVOKED, grant, iam, run, settled
from support.world import SENDING, a_user

EDITED = a_user(description="Invoices", owner="a@example.com")
OFF = a_user(enabled=False)
OTHER = a_user("billing-mailer", "crm@example.com")


def kept(user: User | None = None, **fields: Any) -> Record:
    """Processed, and its policy is known."""
    record = settled(user, key_created_at=timestamp(NOW - timedelta(days=40)), **fields)
    assert record.user
    return replace(record, settled_status=record.status, policy_hash=document_hash(build(record.user, SENDING)))


def edited(declared: User, before: Record | None = None, **fields: Any) -> Record:
    """The reconciler's next write, and whatever else changed."""
    record = replace(before or kept(), status="pending", user=declared, revision=3)
    return replace(record, **fields)


NEVER_ISSUED = kept(OFF, smtp_username="", key_credential=None, encrypted_credentials=None)


def alone(record: Record) -> Decision | None:
    return decide_unobserved(RecordState.of(record, SENDING, NOW))


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (edited(EDITED), Status.ACTIVE),
        (edited(replace(EDITED, enabled=False), kept(OFF)), Status.DISABLED),
        (edited(replace(OFF, owner="a@example.com"), NEVER_ISSUED), Status.DISABLED),
        (edited(EDITED, kept(previous_key=K0, previous_key_retires_at=LATER)), Status.ACTIVE),
    ],
    ids=["active", "disabled", "disabled, without a key", "in an overlap"],
)
def test_a_description_or_an_owner_does_not_concern_iam(record: Record, status: Status) -> None:
    assert alone(record) == Decision(Settle(status, observed=False))


@pytest.mark.parametrize(
    "record",
    [
        edited(OTHER),
        edited(a_user(allowed_source_ips=["203.0.113.0/24"])),
        edited(a_user(expires="2027-01-01")),
        edited(OFF),
        edited(a_user(), kept(OFF)),
        edited(a_user(credential=2)),
        edited(a_user(rotation={"every_days": 30})),
        edited(EDITED, kept(previous_key=K0, previous_key_retires_at=EARLIER)),
        edited(a_user(), revoked=REVOKED),
        edited(OFF, kept(OFF), revoked=REVOKED),
        edited(OFF, kept(OFF, revoked=REVOKED)),
        edited(OFF, kept(OFF, revoked=REVOKED), revoked=None),
    ],
    ids=[
        "grant", "networks", "expiry", "disabled", "enabled", "credential", "rotation is due", "overlap is over",
        "revoked", "disabled, revoked", "revoked before", "no longer revoked",
    ],
)  # fmt: skip
def test_anything_else_does(record: Record) -> None:
    assert alone(record) is None


@pytest.mark.parametrize(
    "change",
    [
        {"policy_hash": ""},
        {"policy_hash": "0" * 32},
        {"status": "failed"},
        {"status": "active"},
        {"revision": 2},
        {"revision": 4},
        {"revision": None},
        {"observed_revision": None},
        {"revision": 1, "observed_revision": 0},
        {"settled_status": ""},
        {"smtp_username": ""},
        {"encrypted_credentials": None},
        {"user": None},
    ],
    ids=str,
)
def test_a_record_that_may_not_be_as_it_was_left_is_observed(change: dict[str, Any]) -> None:
    """I3, I5: older or edited manually, after a failure, with an attempt in between."""
    assert alone(edited(EDITED, **change)) is None


@pytest.mark.parametrize(
    ("record", "steps"),
    [
        (edited(OFF), (SetKey(K1, False),)),
        (edited(a_user(credential=2)), None),
        (kept(previous_key=K0, previous_key_retires_at=EARLIER), (SetKey(K0, False),)),
    ],
    ids=["disable", "rotate", "overlap is over"],
)
def test_a_known_policy_is_not_put_again(record: Record, steps: tuple[Any, ...] | None) -> None:
    keys = (K1, K0) if record.previous_key else (K1,)
    found = run(record, iam(*keys)).steps
    assert found == steps if steps else [type(step) for step in found] == [IssueKey]


def test_a_narrower_and_a_wider_grant_are_always_put() -> None:
    for user in (OTHER, a_user("billing-mailer", "*@example.com"), a_user(allowed_source_ips=["203.0.113.0/24"])):
        assert run(edited(user), iam(K1)) == Decision(ACTIVE, (grant(user),))


@pytest.mark.parametrize(
    "record",
    [
        edited(OFF, policy_hash=""),
        edited(OFF, policy_hash=document_hash(build(OTHER, SENDING))),
        edited(OFF, revision=4),
        edited(OFF, revision=2),
    ],
    ids=["unknown", "of another grant", "a write in between", "edited manually"],
)
def test_a_policy_that_is_not_known_for_certain_is_put(record: Record) -> None:
    assert run(record, iam(K1)) == Decision(DISABLED, (SetKey(K1, False), grant()))


def test_a_policy_is_put_where_iam_was_changed_or_may_be_outdated() -> None:
    state = RecordState.of(edited(a_user()), SENDING, NOW)
    assert decide(state, iam(K1)).steps == ()
    assert grant() in decide(state, iam(K1), lost_race=True).steps
    assert grant() in decide(state, iam()).steps
    assert grant() in decide(state, iam(K1, needs_repair=True)).steps
    assert grant() in decide(state, None).steps


def test_an_audit_compares_the_policy_itself() -> None:
    """Whatever the record says, even if its hash was forged."""
    forged = replace(kept(OTHER), policy_hash=document_hash(build(OTHER, SENDING)))
    wide = PutPolicy(build(OTHER, SENDING))
    assert run(forged, iam(K1, policy=build(a_user(), SENDING), audited=True)) == Decision(ACTIVE, (wide,))


def test_settings_that_change_the_policy_are_noticed() -> None:
    moved = replace(SENDING, configuration_set="smtp-other")
    assert decide_unobserved(RecordState.of(edited(EDITED), moved, NOW)) is None
    assert decide(RecordState.of(edited(EDITED), moved, NOW), iam(K1)).steps == (PutPolicy(build(EDITED, moved)),)

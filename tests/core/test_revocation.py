from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.decision import (
    CreateUser,
    Decision,
    DeleteKey,
    DeleteUser,
    Fail,
    Identity,
    IssueKey,
    Key,
    NoOp,
    RemoveRecord,
    SetKey,
    Settle,
)
from reconciler.core.record import Failure, Status
from reconciler.core.record_state import RecordState
from support.rows import ACTIVE, DISABLED, K0, K1, LATER, NOW, REVOKED, asked, grant, iam, run, served, settled
from support.world import SENDING, a_user


def test_a_revoked_user_has_no_valid_key() -> None:
    record = served(revoked=REVOKED, previous_key=K0, previous_key_retires_at=LATER)
    steps = (SetKey(K0, False), SetKey(K1, False), grant())
    assert run(record, iam(K0, K1)) == Decision(DISABLED, steps)
    assert run(record, iam(inactive=(K0, K1))) == Decision(DISABLED, (SetKey(K1, False), SetKey(K0, False), grant()))


def test_no_key_is_issued_while_a_user_is_revoked() -> None:
    assert run(asked(revoked=REVOKED), None) == Decision(DISABLED, (CreateUser(), grant()))


def test_a_key_that_is_to_be_replaced_is_deleted_while_its_user_is_revoked() -> None:
    """It may have leaked: when the user is resumed, no listing of IAM can make it valid for an overlap."""
    user = a_user(credential=2)
    record = served(user, revoked=REVOKED, previous_key=K0, previous_key_retires_at=LATER)
    end = Settle(Status.DISABLED, forget_previous=True)
    for found in (iam(K0, K1), iam(inactive=(K0, K1))):
        assert run(record, found) == Decision(end, (DeleteKey(K0), DeleteKey(K1), grant(user)))
    resumed = replace(record, revoked=None, previous_key="")
    assert run(resumed, iam()) == Decision(ACTIVE, (grant(user), IssueKey(2)))


def test_a_key_of_unknown_credential_is_deactivated_and_kept() -> None:
    record = served(a_user(credential=2), revoked=REVOKED, key_credential=None)
    assert run(record, iam(K1)) == Decision(DISABLED, (SetKey(K1, False), grant()))


def test_a_user_that_is_resumed_has_its_key_back() -> None:
    assert run(served(), iam(inactive=(K1,))) == Decision(ACTIVE, (grant(), SetKey(K1, True)))


LARGE = a_user("app", *(f"sender-{n:03}@example.com" for n in range(100)))


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"user": None, "problems": ("x",)}, "InvalidRecord"), ({"user": LARGE}, "PolicyTooLarge")],
    ids=["invalid", "too large"],
)
def test_a_revocation_holds_where_the_rest_of_the_record_cannot_be_processed(fields: dict[str, Any], code: str) -> None:
    record = replace(served(revoked=REVOKED, previous_key=K0), **fields)
    decision = run(record, iam(K0, K1))
    assert isinstance(decision.end, Fail)
    assert decision.end.code == code
    assert decision.steps == (SetKey(K0, False), SetKey(K1, False))
    assert run(record, iam(inactive=(K0, K1))).steps == decision.steps, "the listing may be outdated"
    assert set(run(record, iam()).steps) == set(decision.steps)
    done = replace(record, status="failed")
    assert run(done, iam(K0, inactive=(K1,))).steps == (SetKey(K0, False),)
    assert run(done, iam(inactive=(K0, K1))).steps == ()
    assert run(record, None).steps == ()
    assert run(record, Identity(owned=False, keys=(Key(K1, True),))).steps == ()
    assert run(replace(record, revoked=None), iam(K0, K1)).steps == ()


def test_a_revoked_user_is_torn_down_like_any_other() -> None:
    """I4"""
    record = served(status="deleting", revoked=REVOKED)
    assert run(record, iam(inactive=(K1,))) == Decision(RemoveRecord(), (DeleteKey(K1), DeleteUser()))


STATUSES = [*Status, "", "paused", "Active"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_revocation_applies_under_every_status(status: str) -> None:
    """I16: an unknown status requests nothing else, and a revoked user has no active key whatever it says."""
    record = served(status=status, revoked=REVOKED, previous_key=K0, previous_key_retires_at=LATER)
    decision = run(record, iam(K0, K1))
    ended = {step.key_id for step in decision.steps if isinstance(step, SetKey | DeleteKey)}
    assert ended == {K0, K1}
    assert decision.end == (RemoveRecord() if status == "deleting" else DISABLED)
    assert not decision.activates_key
    assert not RecordState.of(record, SENDING, NOW).settled
    if status not in tuple(Status):
        assert run(replace(record, revoked=None), iam(K0, K1)) == Decision(NoOp())


def test_a_revoked_user_whose_deletion_failed_is_deleted() -> None:
    """A retry waits for a person, but its keys must not."""
    record = served(status="failed", failure=Failure("Throttling", "x", "", during="deleting"))
    assert not isinstance(run(record, iam(K1)).end, RemoveRecord)
    expected = Decision(RemoveRecord(), (DeleteKey(K1), DeleteUser()))
    assert run(replace(record, revoked=REVOKED), iam(K1)) == expected


def test_a_revoked_record_is_settled_once_it_is_disabled_and_not_before() -> None:
    assert RecordState.of(settled(revoked=REVOKED), SENDING, NOW).settled
    for status in {*STATUSES} - {"disabled"}:
        assert not RecordState.of(settled(status=status, revoked=REVOKED), SENDING, NOW).settled

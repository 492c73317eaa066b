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
    Key,
    RemoveRecord,
    SetKey,
)
from support.rows import ACTIVE, DISABLED, K0, K1, LATER, REVOKED, asked, grant, iam, run, served
from support.world import a_user


def test_a_revoked_user_has_no_valid_key() -> None:
    record = served(revoked=REVOKED, previous_key=K0, previous_key_retires_at=LATER)
    steps = (SetKey(K0, False), SetKey(K1, False), grant())
    assert run(record, iam(K0, K1)) == Decision(DISABLED, steps)
    assert run(record, iam(inactive=(K0, K1))) == Decision(DISABLED, (SetKey(K1, False), SetKey(K0, False), grant()))


def test_no_key_is_issued_while_a_user_is_revoked() -> None:
    assert run(asked(revoked=REVOKED), None) == Decision(DISABLED, (CreateUser(), grant()))
    user = a_user(credential=2)
    steps = (SetKey(K1, False), grant(user))
    assert run(served(user, revoked=REVOKED), iam(inactive=(K1,))) == Decision(DISABLED, steps)


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
    assert run(record, iam(inactive=(K0, K1))).steps == ()
    assert run(record, None).steps == ()
    assert run(record, Identity(owned=False, keys=(Key(K1, True),))).steps == ()
    assert run(replace(record, revoked=None), iam(K0, K1)).steps == ()


def test_a_revoked_user_is_torn_down_like_any_other() -> None:
    """I4"""
    record = served(status="deleting", revoked=REVOKED)
    assert run(record, iam(inactive=(K1,))) == Decision(RemoveRecord(), (DeleteKey(K1), DeleteUser()))

"""Which changes of a plan widen a permission, by what was granted before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.record import Failure, Record
from reconciler.core.user import Declaration, User, spec_hash
from reconciler.planning.diff import Adopt, Change, Create, Delete, Update
from reconciler.planning.widening import find_examples
from support.rows import settled
from support.world import a_user

NOW = datetime(2026, 11, 27, tzinfo=UTC)
CRM = a_user("crm", "crm@example.com")
WIDER = a_user("crm", "crm@example.com", "hr@example.com")
SAME = "may send as crm@example.com from anywhere"


def declared(user: User) -> Declaration:
    return Declaration(user, "users/test/crm.yaml", 2)


def record(user: User | None = CRM, **fields: object) -> Record:
    made = settled(user) if user else Record(name="crm", status="active")
    return replace(made, spec_hash=spec_hash(user) if user else "", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "example"),
    [
        (Create(declared(CRM)), SAME),
        (Create(declared(replace(CRM, enabled=False))), None),
        (Update(declared(WIDER), record()), "may send as hr@example.com from anywhere"),
        (Update(declared(CRM), record(WIDER)), None),
        (Update(declared(replace(CRM, owner="b@example.com")), record()), None),
        (Update(declared(CRM), record(a_user("crm", "*@example.com"))), None),
        (Update(declared(CRM), record(status="deleting")), SAME),
        (
            Update(declared(CRM), record(status="failed", failure=Failure("x", "y", "z", during="deleting"))),
            SAME,
        ),
        (Update(declared(CRM), record(None)), SAME),
        # Somebody wrote the new values into the record before they were declared.
        (Update(declared(WIDER), replace(record(WIDER), spec_hash=spec_hash(CRM))), SAME),
        (Adopt(declared(CRM), record(managed_by="")), None),
        (Adopt(declared(WIDER), record(managed_by="")), "may send as hr@example.com from anywhere"),
        (Adopt(declared(CRM), record(managed_by="", status="pending")), SAME),
        (Delete(record()), None),
    ],
)  # fmt: skip
def test_only_what_was_not_granted_before_widens(change: Change, example: str | None) -> None:
    assert find_examples([change], NOW) == ({"crm": example} if example else {})

"""Which IAM users have to be looked at, because their name is that of an SMTP user."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.ownership import ListedUser
from reconciler.core.record import Record, timestamp
from reconciler.core.user import Declaration
from reconciler.planning.diff import Create, Delete, Diff
from reconciler.planning.iam_names import find_suspects, names_to_check
from support.world import START, a_user

OURS = ListedUser("smtp-test-crm", "/smtp/test/", START)
SETTLED = Record(name="crm", status="active", settled_at=timestamp(START + timedelta(seconds=9)))


def suspects(user: ListedUser, record: Record | None = SETTLED) -> dict[str, str]:
    return find_suspects("test", ["crm", "wiki"], [record] if record else [], [user])


def test_an_iam_user_that_was_settled_is_not_looked_at() -> None:
    assert suspects(OURS) == {}
    assert suspects(ListedUser("smtp-test-old", "/", START)) == {}


@pytest.mark.parametrize(
    ("user", "record"),
    [
        (ListedUser("smtp-test-crm", "/", START), SETTLED),
        (ListedUser("smtp-test-crm", "/smtp/prod/", START), SETTLED),
        (ListedUser("SMTP-test-CRM", "/smtp/test/", START), SETTLED),
        (ListedUser("smtp-test-crm", "/smtp/test/", START + timedelta(hours=1)), SETTLED),
        (OURS, None),
        (OURS, Record(name="crm", status="pending")),
        (OURS, Record(name="crm", status="active", settled_at="noon")),
    ],
    ids=["other path", "other environment", "other case", "newer", "no record", "not settled", "invalid time"],
)
def test_any_other_iam_user_of_that_name_is_looked_at(user: ListedUser, record: Record | None) -> None:
    assert suspects(user, record) == {"crm": user.name}


def test_a_new_user_and_one_that_is_being_deleted_are_checked_and_an_unmanaged_record_is_not() -> None:
    changes = (Create(Declaration(a_user("new"), "m", 1)), Delete(Record(name="gone")))
    found = Diff(changes, ("kept",), ("leaving",), unmanaged=(Record(name="theirs"),))
    assert names_to_check(found) == {"new", "gone", "kept", "leaving"}

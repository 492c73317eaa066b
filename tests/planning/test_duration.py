"""How long a plan is expected to take."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.core.record import Record
from reconciler.core.user import Declaration, User
from reconciler.planning.diff import ROTATION_DUE, Adopt, Change, Create, Delete, Diff, Update
from reconciler.planning.duration import describe_duration, describe_progress, expected_seconds
from reconciler.planning.plan import make_plan
from support.world import SENDING, a_user

NEW = Declaration(a_user("crm", credential=2), "users/test/team.yaml", 3)


def a_record(user: User | None) -> Record:
    return Record(name="crm", status="active", user=user)


SAME, OLD, INVALID = a_record(NEW.user), a_record(a_user("crm")), a_record(None)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        (Create(NEW), 0.4),
        (Update(NEW, SAME, ("environment settings changed",)), 0.4),
        (Update(NEW, OLD), 0.5),
        (Update(NEW, INVALID), 0.5),
        (Update(NEW, SAME, (ROTATION_DUE,)), 0.5),
        (Adopt(NEW, SAME), 0.4),
        (Adopt(NEW, OLD), 0.5),
        (Delete(OLD), 0.6),
    ],
    ids=str,
)
def test_the_time_of_each_kind_of_change(change: Change, seconds: float) -> None:
    assert expected_seconds([change]) == pytest.approx(seconds)


def plan_time(changes: Sequence[Change]) -> int:
    return make_plan("test", Diff(tuple(changes)), 0, len(changes), SENDING, []).expected_seconds


def test_a_plan_has_an_expected_time_if_it_takes_more_than_a_minute() -> None:
    assert plan_time([Create(NEW)] * 150) == 0
    assert plan_time([Create(NEW)] * 155) == 62
    assert describe_duration(plan_time([Create(NEW)] * 5000)) == "about 35 minutes"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute"),
        (29, "less than a minute"),
        (61, "about 1 minute"),
        (540, "about 9 minutes"),
        (600, "about 10 minutes"),
        (1000, "about 15 minutes"),
        (7200, "about 120 minutes"),
    ],
)
def test_times_are_rounded(seconds: float, text: str) -> None:
    assert describe_duration(seconds) == text


def test_the_time_left_follows_from_the_users_that_settled() -> None:
    assert describe_progress(1200, 5000, 500) == "1,200 of 5,000 users settled, about 25 minutes left"
    assert describe_progress(999, 1000, 600) == "999 of 1,000 users settled, less than a minute left"
    assert describe_progress(0, 5000, 30) == "0 of 5,000 users settled"

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.policy import grant_hash
from reconciler.core.record import Record
from reconciler.core.user import Declaration, spec_hash
from reconciler.planning.diff import Delete, Diff, diff
from reconciler.planning.limits import Allowance, Limits, check_creates, check_deletes, check_target, count_managed
from support.world import MARK, SENDING, START, a_user

LIMITS = Limits(max_deletes=3, max_delete_percent=30)


def rows(count: int) -> list[Record]:
    return [
        Record(
            name=f"user-{n:03}",
            status="active",
            user=(user := a_user(f"user-{n:03}")),
            spec_hash=spec_hash(user),
            managed_by=MARK,
            observed_revision=0,
            observed_hash=grant_hash(user, SENDING),
        )
        for n in range(count)
    ]


def judge(
    count: int, deletes: int, *, allow: int = 0, empty: bool = False, limits: Limits = LIMITS
) -> list[tuple[str, str]]:
    """Delete the first `deletes` of `count` users."""
    actual = rows(count)
    kept = [row.user for row in actual[deletes:]]
    desired = {user.name: Declaration(user, "users/test/all.yaml", 1) for user in kept if user}
    changes = diff(desired, actual, MARK, SENDING, START)
    assert len(changes.changes) == deletes
    assert sum(isinstance(change, Delete) for change in changes.changes) == deletes
    return check_deletes(changes, len(desired), count_managed(actual, MARK), limits, Allowance(allow, empty))


def test_the_story_of_a_threshold() -> None:
    """Nothing, up to the limit, one over it; then the share; then what a person allows."""
    assert judge(20, 0) == []
    assert judge(20, 3) == []
    assert judge(20, 4) == [
        ("too many deletes: 4 of 20 users (20 %) is over the limit of 3", "if this is intended, run again with "
         "--allow-deletes 4"),
    ]  # fmt: skip
    assert judge(10, 3) == []
    assert judge(9, 3) == [
        (
            "too many deletes: 3 of 9 users (33.33 %) is over 30 %",
            "if this is intended, run again with --allow-deletes 3",
        )
    ]
    assert judge(10, 5) == [
        ("too many deletes: 5 of 10 users (50 %) is over the limit of 3 and over 30 %",
         "if this is intended, run again with --allow-deletes 5"),
    ]  # fmt: skip
    assert judge(10, 5, allow=4) != []
    assert judge(10, 5, allow=5) == []
    assert judge(10, 5, allow=6) == []


@pytest.mark.parametrize("population", [2, 3, 6])
def test_one_delete_is_always_within_the_share(population: int) -> None:
    """With 6 users and 10 %, every single offboarding would be refused."""
    strict = Limits(max_deletes=3, max_delete_percent=10)
    assert judge(population, 1, limits=strict) == []
    assert judge(population, 2, limits=strict) != []


def test_the_last_user_is_no_exception_to_the_share() -> None:
    assert judge(1, 1) != []
    assert judge(1, 1, empty=True) != []
    assert judge(1, 1, empty=True, allow=1) == []


def test_one_rename_in_a_small_environment_is_not_refused() -> None:
    """It is one delete and one create; the environment does not become empty."""
    (old,) = rows(1)
    renamed = Declaration(a_user("renamed"), "users/test/all.yaml", 1)
    changes = diff({"renamed": renamed}, [old], MARK, SENDING, START)
    assert len(changes.changes) == 2
    assert check_deletes(changes, 1, 1, Limits(3, 10), Allowance()) == []
    assert check_creates(changes, Limits(3, 10, 1), Allowance()) == []
    assert check_creates(changes, Limits(3, 10, 0), Allowance()) != []


def test_an_environment_may_forbid_every_delete() -> None:
    assert judge(100, 0, limits=Limits(0, 0)) == []
    assert judge(100, 1, limits=Limits(0, 100)) != []
    assert judge(100, 2, limits=Limits(100, 0)) != []


def test_the_share_that_is_shown_is_over_the_limit_that_is_shown() -> None:
    """`3 of 29 (10 %) is over 10 %` would read as a contradiction."""
    ((reason, _),) = judge(29, 3, limits=Limits(5, 10))
    assert reason == "too many deletes: 3 of 29 users (10.34 %) is over 10 %"


@pytest.mark.parametrize(
    ("population", "deletes", "share"), [(8, 3, "37.5 %"), (6, 4, "66.67 %"), (4, 2, "50 %"), (200, 199, "99.5 %")]
)
def test_the_share_has_a_decimal_only_when_it_needs_one(population: int, deletes: int, share: str) -> None:
    ((reason, _),) = judge(population, deletes, limits=Limits(0, 0))
    assert f"({share})" in reason


def test_nothing_declared_is_refused_whatever_the_limits_allow() -> None:
    ((reason, hint),) = judge(2, 2, allow=2, limits=Limits(100, 100))
    assert reason == "no users are declared; this would delete all 2 users"
    assert "--allow-empty" in hint
    assert "--allow-deletes" in hint
    ((reason, _),) = judge(1, 1, limits=Limits(100, 100))
    assert reason == "no users are declared; this would delete the only user"


def test_deleting_everyone_takes_both_allowances() -> None:
    assert judge(4, 4, empty=True) != []
    assert judge(4, 4, allow=4) != []
    assert judge(4, 4, allow=4, empty=True) == []


def test_no_declared_and_no_managed_users_is_fine() -> None:
    assert judge(0, 0) == []


def test_a_deletion_that_was_allowed_before_is_not_counted_again() -> None:
    """It is only retried: it was allowed when it began."""
    stuck = [replace(row, status="deleting", requested_at="2026-01-01T00:00:00Z") for row in rows(10)[:8]]
    kept = rows(10)[8:]
    desired = {row.name: Declaration(row.user, "users/test/all.yaml", 1) for row in kept if row.user}
    changes = diff(desired, [*stuck, *kept], MARK, SENDING, START)
    assert len(changes.changes) == 8
    assert check_deletes(changes, 2, 10, LIMITS, Allowance()) == []


def test_deletions_in_progress_of_the_last_users_are_not_refused() -> None:
    """The second run after --allow-empty deletes no users."""
    deleting = [replace(row, status="deleting", requested_at="2026-06-01T11:59:00Z") for row in rows(2)]
    changes = diff({}, deleting, MARK, SENDING, START)
    assert changes.changes == ()
    assert check_deletes(changes, 0, 2, LIMITS, Allowance()) == []


def test_retrying_the_last_deletions_needs_no_second_allowance() -> None:
    stuck = [replace(row, status="deleting", requested_at="2026-01-01T00:00:00Z") for row in rows(2)]
    changes = diff({}, stuck, MARK, SENDING, START)
    assert len(changes.changes) == 2
    assert check_deletes(changes, 0, 2, Limits(0, 0), Allowance()) == []


def test_one_new_deletion_among_old_ones_is_refused_when_nothing_is_declared() -> None:
    one, *others = rows(3)
    stuck = [replace(row, status="deleting", requested_at="2026-01-01T00:00:00Z") for row in others]
    changes = diff({}, [one, *stuck], MARK, SENDING, START)
    ((reason, _),) = check_deletes(changes, 0, 3, Limits(100, 100), Allowance(3))
    assert reason == "no users are declared; this would delete all 3 users"


def test_unmanaged_records_are_not_counted() -> None:
    unmanaged = [replace(row, managed_by="console") for row in rows(50)]
    assert count_managed([*rows(2), *unmanaged], MARK) == 2


def test_the_wrong_account_or_region_is_refused_with_both_numbers() -> None:
    wanted = ("111122223333", "eu-central-1")
    assert check_target(wanted, wanted, "test") == []
    ((reason, hint),) = check_target(wanted, ("444455556666", "eu-central-1"), "test")
    assert reason == "credentials are for account 444455556666; environment test is configured for account 111122223333"
    assert "reconcile.yaml" in hint
    assert len(check_target(wanted, ("444455556666", "us-east-1"), "test")) == 2


def test_an_empty_difference_has_nothing_to_refuse() -> None:
    assert check_deletes(Diff(), 0, 0, LIMITS, Allowance()) == []


def judge_creates(number: int, *, allow: int = 0, limits: Limits = LIMITS) -> list[tuple[str, str]]:
    desired = {f"user-{n}": Declaration(a_user(f"user-{n}"), "users/test/all.yaml", 1) for n in range(number)}
    taken_over = Record(name="user-0", user=a_user("user-0"), managed_by="console")
    return check_creates(diff(desired, [taken_over], MARK, SENDING, START), limits, Allowance(creates=allow))


def test_the_story_of_the_limit_of_creates() -> None:
    """An adoption is no create. By default, 50 are allowed."""
    assert judge_creates(51) == []
    assert judge_creates(52) == [
        ("too many creates: 51 is over the limit of 50", "if this is intended, run again with --allow-creates 51")
    ]
    assert judge_creates(52, allow=50) != []
    assert judge_creates(52, allow=51) == []
    assert judge_creates(3, limits=Limits(3, 30, 2)) == []
    assert judge_creates(4, limits=Limits(3, 30, 2)) != []
    assert judge_creates(1, limits=Limits(3, 30, 0)) == []
    assert judge_creates(2, limits=Limits(3, 30, 0)) != []

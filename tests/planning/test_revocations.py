"""I16: a revocation outlives the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.applied_state import RevokedUser
from reconciler.core.record import Record, Revocation
from reconciler.core.user import Declaration, User
from reconciler.planning.diff import Diff, diff
from reconciler.planning.evaluation import like
from reconciler.planning.revocations import check_revoked, remembered_after, resume_remembered
from reconciler.planning.wording import describe
from support.generated import users
from support.rows import settled
from support.world import MARK, SENDING, START, a_user

LEAKED = Revocation("octocat", "leaked", "2026-05-01T00:00:00Z")
REMEMBERED = RevokedUser("octocat", "leaked", "2026-05-01T00:00:00Z")


def record(user: User, **fields: object) -> Record:
    return replace(settled(user, **fields), managed_by=MARK)


def remembered(user: User) -> RevokedUser:
    return replace(REMEMBERED, owner=user.owner, addresses=user.allowed_from_addresses)


def changes(desired: list[User], *actual: Record) -> Diff:
    declared = {user.name: Declaration(user, "team.yaml", 2) for user in desired}
    return diff(declared, actual, MARK, SENDING, START)


CRM = a_user("crm", "crm@example.com", "alerts-*@example.com")


@pytest.mark.parametrize(
    "address", ["crm@example.com", "*@example.com", "c*@example.com", "alerts-disk@example.com", "al*@example.com"]
)
def test_a_revoked_user_is_not_renamed(address: str) -> None:
    found = changes([a_user("crm2", address)], record(CRM, revoked=LEAKED))
    assert check_revoked(found, {}) == [
        (
            "crm is revoked and would be deleted, but crm2 may send as the same address",
            "first run reconcile resume crm, or do not add crm2",
        )
    ]


def test_neither_by_adopting_a_record_that_was_created_manually() -> None:
    manual = replace(record(a_user("crm2", "crm@example.com")), managed_by="")
    found = changes([a_user("crm2", "crm@example.com")], record(CRM, revoked=LEAKED), manual)
    assert len(check_revoked(found, {})) == 1


def test_nor_where_its_record_no_longer_says_what_it_granted() -> None:
    """The rules of the environment may have changed in the same commit."""
    invalid = replace(record(CRM, revoked=LEAKED), user=None, problems=("the domain is not allowed here",))
    assert len(check_revoked(changes([a_user("crm2", "other@example.com")], invalid), {})) == 1


def test_what_has_no_address_in_common_is_no_rename() -> None:
    for address in ("other@example.com", "CRM@example.com", "crm@news.example.com", "ale@example.com"):
        assert check_revoked(changes([a_user("crm2", address)], record(CRM, revoked=LEAKED)), {}) == []


def test_who_is_not_revoked_may_be_renamed() -> None:
    assert check_revoked(changes([a_user("crm2", "crm@example.com")], record(CRM)), {}) == []


SAME = replace(CRM, name="crm2")


def test_a_rename_in_two_runs_is_one_too() -> None:
    """The first run deletes the revoked user, or adds the new one."""
    told = [
        (
            "crm is revoked, but crm2 would be the same user: the same owner with the same addresses",
            "first run reconcile resume crm, or do not add crm2",
        )
    ]
    leaving = record(CRM, status="deleting", requested_at="2026-06-01T12:00:00Z", revoked=LEAKED)
    assert check_revoked(changes([SAME]), {"crm": remembered(CRM)}) == told
    assert check_revoked(changes([SAME], leaving), {}) == told
    assert check_revoked(changes([CRM, SAME], record(CRM, revoked=LEAKED)), {}) == told
    assert check_revoked(changes([CRM, SAME], record(CRM)), {}) == []


@pytest.mark.parametrize("change", [{"owner": "other@example.com"}, {"allowed_from_addresses": ("crm@example.com",)}])
def test_users_of_other_teams_may_share_an_address_with_one_that_is_revoked(change: dict[str, Any]) -> None:
    other = replace(SAME, **change)
    assert check_revoked(changes([other]), {"crm": remembered(CRM)}) == []
    assert check_revoked(changes([CRM, other], record(CRM, revoked=LEAKED)), {}) == []
    assert check_revoked(changes([SAME]), {"crm": REMEMBERED}) == [], "nothing is known of it but its name"


def test_what_is_remembered_is_short() -> None:
    told = Revocation("a" * 1000, "r" * 1000, "t" * 1000)
    ((_, kept),) = remembered_after(changes([], record(CRM, revoked=told)), {}).items()
    assert (len(kept.actor), len(kept.reason), len(kept.at)) == (200, 100, 60)


def test_every_heir_is_named_in_one_refusal() -> None:
    heirs = [
        a_user("b-heir", "crm@example.com"),
        a_user("a-heir", "alerts-1@example.com"),
        a_user("other", "x@example.com"),
    ]
    ((reason, _),) = check_revoked(changes(heirs, record(CRM, revoked=LEAKED)), {})
    assert "a-heir, b-heir may send" in reason


def test_a_name_that_was_revoked_and_deleted_is_refused_until_it_is_resumed() -> None:
    added = changes([CRM])
    remembered = {"crm": REMEMBERED, "wiki": REMEMBERED}
    assert check_revoked(added, remembered) == [
        ("crm was revoked by octocat (leaked) and then deleted; it stays revoked", "reconcile resume crm")
    ]
    assert check_revoked(added, resume_remembered("crm", remembered)) == []
    assert resume_remembered("nobody", remembered) == remembered


def test_a_remembered_name_is_not_adopted_either_whatever_is_known_of_its_revocation() -> None:
    adopted = changes([CRM], replace(record(CRM), managed_by=""))
    ((reason, _),) = check_revoked(adopted, {"crm": RevokedUser("", "", "")})
    assert "by an unknown actor (no reason given)" in reason


def test_the_deletion_of_a_revoked_user_is_allowed_remembered_and_shown() -> None:
    found = changes([], record(CRM, revoked=LEAKED), record(a_user("wiki")))
    assert check_revoked(found, {}) == []
    assert remembered_after(found, {}) == {"crm": remembered(CRM)}
    crm, wiki = (describe(change) for change in found.changes)
    assert "stays revoked after its deletion" in crm
    assert "stays revoked after its deletion" not in wiki


def test_a_deletion_in_progress_is_remembered_too() -> None:
    """It was requested manually, or by a run that did not know."""
    leaving = record(CRM, status="deleting", requested_at="2026-06-01T12:00:00Z", revoked=LEAKED)
    found = changes([], leaving)
    assert found.deleting == ("crm",)
    assert remembered_after(found, {}) == {"crm": remembered(CRM)}


def test_a_record_that_exists_knows_better_than_the_memory() -> None:
    """Its deletion was remembered, but not written; then an operator resumed it."""
    memory = {"crm": REMEMBERED, "gone": REMEMBERED}
    assert remembered_after(changes([CRM], record(CRM)), memory) == {"gone": REMEMBERED}
    assert remembered_after(changes([], record(CRM)), memory) == {"gone": REMEMBERED}
    revoked = record(CRM, revoked=LEAKED)
    assert remembered_after(changes([CRM], revoked), memory) == {**memory, "crm": remembered(CRM)}
    assert check_revoked(changes([CRM, SAME], record(CRM)), {"crm": remembered(CRM)}) == [], "it was resumed"
    unmanaged = replace(record(CRM), managed_by="")
    assert remembered_after(changes([], unmanaged), memory) == memory, "it was created manually"


@given(users(st.just("old")), users(st.just("new")), st.text("abXY019+_-", min_size=1, max_size=6))
def test_no_address_passes_to_another_name_with_a_rename(old: User, new: User, local: str) -> None:
    """If both may send as any one address, the change is refused."""
    address = f"{local}@example.com"
    shared = all(any(like(p, address) for p in user.allowed_from_addresses) for user in (old, new))
    refused = check_revoked(changes([new], record(old, revoked=LEAKED)), {})
    assert refused or not shared

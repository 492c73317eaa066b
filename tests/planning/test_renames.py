"""A rename is shown as one, and never guessed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.record import Record
from reconciler.core.user import Declaration
from reconciler.output.plan import to_lines, to_markdown
from reconciler.output.plan_json import to_dict
from reconciler.output.styled import plain
from reconciler.planning.diff import Adopt, Change, Create, Delete, Diff, Update
from reconciler.planning.plan import make_plan
from reconciler.planning.renames import Rename, find_renames
from support.world import MARK, SENDING, a_user


def create(name: str, *addresses: str) -> Create:
    return Create(Declaration(a_user(name, *addresses), "users/test/all.yaml", 1))


def delete(name: str, *addresses: str) -> Delete:
    return Delete(Record(name=name, user=a_user(name, *addresses), managed_by=MARK, status="active"))


def test_a_user_with_the_same_addresses_and_another_name_is_a_rename() -> None:
    changes = (create("crm-eu", "b@example.com", "a@example.com"), delete("crm", "a@example.com", "b@example.com"))
    assert find_renames(changes) == (Rename("crm", "crm-eu"),)


def test_other_addresses_are_no_rename() -> None:
    assert find_renames((create("crm-eu", "a@example.com"), delete("crm", "a@example.com", "b@example.com"))) == ()


def test_where_two_users_could_be_meant_none_is_named() -> None:
    old, new = delete("crm", "a@example.com"), create("crm-eu", "a@example.com")
    assert find_renames((old, new, create("crm-us", "a@example.com"))) == ()
    assert find_renames((old, new, delete("wiki", "a@example.com"))) == ()
    assert find_renames((old, new, delete("wiki", "w@example.com"), create("docs", "w@example.com"))) == (
        Rename("crm", "crm-eu"),
        Rename("wiki", "docs"),
    )


def test_only_a_create_and_a_new_delete_make_a_rename() -> None:
    old, new = delete("crm", "a@example.com"), create("crm-eu", "a@example.com")
    assert find_renames((replace(old, reasons=("stuck: deleting",)), new)) == ()
    assert find_renames((Delete(replace(old.record, user=None)), new)) == ()
    assert find_renames((old, Adopt(new.declaration, old.record), Update(new.declaration, old.record))) == ()


def test_a_rename_is_shown_in_every_form() -> None:
    changes = Diff((delete("crm", "a@example.com"), create("crm-eu", "a@example.com")))
    plan = make_plan("test", changes, 1, 1, SENDING, [])
    text = "looks like a rename of crm: new password; the old one ends when crm is deleted"
    shown = plain(to_lines(plan, None))
    assert f"may send as a@example.com; {text}" in shown
    assert "deletes access key, policy and IAM user; looks like a rename to crm-eu" in shown
    assert f"<br>`{text}`" in to_markdown(plan)
    assert to_dict(plan)["renames"] == [{"old": "crm", "new": "crm-eu"}]


NAMES = [f"user-{n}" for n in range(6)]
SENDERS = st.sampled_from(["a@example.com", "b@example.com", "c@example.com"])


@st.composite
def some_changes(draw: st.DrawFn) -> tuple[list[Change], list[Change]]:
    """Changes of distinct users, in two orders."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    changes: list[Change] = [draw(st.sampled_from([create, delete]))(name, draw(SENDERS)) for name in names]
    return changes, draw(st.permutations(changes))


@given(some_changes())
def test_renames_are_unambiguous_and_do_not_depend_on_the_order(orders: tuple[list[Change], list[Change]]) -> None:
    changes, shuffled = orders
    found = find_renames(changes)
    assert found == find_renames(shuffled) == tuple(sorted(found, key=lambda rename: rename.old))
    new = {change.name: change.declaration.user for change in changes if isinstance(change, Create)}
    old = {change.name: change.record.user for change in changes if isinstance(change, Delete)}
    for rename in found:
        addresses = new[rename.new].allowed_from_addresses
        assert [n for n, user in new.items() if user.allowed_from_addresses == addresses] == [rename.new]
        assert [n for n, user in old.items() if user and user.allowed_from_addresses == addresses] == [rename.old]

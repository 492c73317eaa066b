"""A plan is complete, stable and honest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.policy import build, grant_hash
from reconciler.core.record import Failure, Record, Status, key_of, timestamp
from reconciler.core.record_parser import read
from reconciler.core.user import Declaration, User, spec_hash
from reconciler.output.plan import to_lines, to_markdown
from reconciler.output.plan_json import from_dict, to_json
from reconciler.output.styled import plain
from reconciler.planning.diff import Adopt, Create, Delete, Diff, Update, diff
from reconciler.planning.evaluation import SendAttempt, evaluate
from reconciler.planning.plan import Plan, make_plan
from reconciler.planning.wording import describe
from support.generated import ADDRESSES, DAYS, FEW_NAMES, ITEMS, NETWORKS, SOURCES, WORDS, users
from support.world import MARK, RULES, SENDING, START, a_user

Items = dict[str, dict[str, Any]]
MOMENTS = st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-06-01T11:59:00Z", "2027-01-01T00:00:00Z"])


def to_text(plan: Plan) -> str:
    return plain(to_lines(plan, None))


def settled(user: User) -> Record:
    """The record of a declaration that was applied and processed."""
    return Record(
        name=user.name,
        status=Status.ACTIVE if user.may_send(START) else Status.DISABLED,
        user=user,
        revision=1,
        spec_hash=spec_hash(user),
        managed_by=MARK,
        requested_at=timestamp(START),
        observed_revision=1,
        observed_hash=grant_hash(user, SENDING),
    )


@st.composite
def rows(draw: st.DrawFn) -> Record:
    """Any state of a record, managed or unmanaged."""
    record = settled(draw(users(FEW_NAMES)))
    return replace(
        record,
        status=draw(st.sampled_from([record.status, *Status, "", "odd"])),
        user=draw(st.sampled_from([record.user, record.user, None])),
        managed_by=draw(st.sampled_from([MARK, MARK, MARK, "", "reconciler:prod"])),
        requested_at=draw(MOMENTS),
        previous_key=draw(st.sampled_from(["", "AKIAEXAMPLE0"])),
        previous_key_retires_at=draw(MOMENTS),
        key_created_at=draw(MOMENTS),
        observed_hash=draw(st.sampled_from([record.observed_hash, record.observed_hash, "", "0" * 16])),
        revision=draw(st.sampled_from([1, 2, None])),
        failure=draw(st.sampled_from([None, Failure("C", "m", "t"), Failure("C", "m", "t", during="deleting")])),
    )


def by_name(found: list[User]) -> dict[str, Declaration]:
    return {user.name: Declaration(user, "users/test/all.yaml", line) for line, user in enumerate(found, 1)}


DESIRED = st.lists(users(FEW_NAMES), max_size=5, unique_by=lambda user: user.name).map(by_name)
ACTUAL = st.lists(rows(), max_size=5, unique_by=lambda row: row.name)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Declaration], list[Record]]:
    """Declarations and records; some records equal their declaration."""
    desired, actual = draw(DESIRED), draw(ACTUAL)
    same = draw(st.sets(FEW_NAMES))
    taken = [row for row in actual if row.name not in same]
    return desired, taken + [settled(desired[name].user) for name in sorted(same & desired.keys())]


def names_by_class(found: Diff) -> list[str]:
    changed = [change.name for change in found.changes]
    return [*changed, *found.unchanged, *found.deleting, *(row.name for row in found.unmanaged)]


@given(pairs())
def test_every_name_is_in_exactly_one_class(pair: tuple[dict[str, Declaration], list[Record]]) -> None:
    desired, actual = pair
    found = names_by_class(diff(desired, actual, MARK, SENDING, START))
    assert sorted(found) == sorted(desired.keys() | {row.name for row in actual})


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_show(pair: tuple[dict[str, Declaration], list[Record]], random: Random) -> None:
    desired, actual = pair
    shuffled_rows, shuffled_names = list(actual), list(desired)
    random.shuffle(shuffled_rows)
    random.shuffle(shuffled_names)
    found = diff({name: desired[name] for name in shuffled_names}, shuffled_rows, MARK, SENDING, START)
    assert found == diff(desired, actual, MARK, SENDING, START)
    names = [change.name for change in found.changes]
    assert names == sorted(names)


@given(pairs())
def test_an_applied_plan_leaves_nothing_to_do(pair: tuple[dict[str, Declaration], list[Record]]) -> None:
    desired, actual = pair
    after = {row.name: row for row in actual}
    found = diff(desired, actual, MARK, SENDING, START)
    for name in found.deleting:
        del after[name]
    for change in found.changes:
        if isinstance(change, Delete):
            del after[change.name]
        else:
            after[change.name] = settled(change.declaration.user)
    assert diff(desired, after.values(), MARK, SENDING, START).changes == ()


@given(DESIRED)
def test_a_changed_setting_reprocesses_every_user_and_nothing_else_does(desired: dict[str, Declaration]) -> None:
    actual = [settled(declaration.user) for declaration in desired.values()]
    assert diff(desired, actual, MARK, SENDING, START).changes == ()
    moved = replace(SENDING, configuration_set="smtp-other")
    changes = diff(desired, actual, MARK, moved, START).changes
    assert [change.name for change in changes] == sorted(desired)
    expected = ["environment settings changed: the policy now allows eu-central-1 with smtp-other"]
    assert all(describe(change) == expected for change in changes)


@given(pairs())
def test_unmanaged_records_are_not_changed_unless_declared(pair: tuple[dict[str, Declaration], list[Record]]) -> None:
    """I7"""
    desired, actual = pair
    unmanaged = {row.name for row in actual if row.managed_by != MARK}
    for change in diff(desired, actual, MARK, SENDING, START).changes:
        assert (change.name in unmanaged) is isinstance(change, Adopt)
        assert change.name in desired or isinstance(change, Delete)


@given(pairs())
def test_a_plan_survives_json_and_every_change_has_details(
    pair: tuple[dict[str, Declaration], list[Record]],
) -> None:
    desired, actual = pair
    plan = make_plan("test", diff(desired, actual, MARK, SENDING, START), len(actual), len(desired), SENDING, [])
    assert from_dict(json.loads(to_json(plan))) == plan
    assert all(line.details and all(line.details) for line in plan.lines)
    assert all(line.name in to_text(plan) and line.name in to_markdown(plan) for line in plan.lines)


@st.composite
def edits(draw: st.DrawFn) -> tuple[User, User]:
    """A user before and after a pull request that changes a few things."""
    old = draw(users(st.just("app")))
    other = draw(users(st.just("app")))
    taken = draw(st.sets(st.sampled_from(["allowed_from_addresses", "enabled", "expires", "allowed_source_ips"])))
    new = replace(old, **{field: getattr(other, field) for field in taken})
    if draw(st.booleans()):
        more = draw(st.lists(ADDRESSES, max_size=1)) + list(new.allowed_from_addresses)
        new = replace(new, allowed_from_addresses=tuple(sorted(set(more))))
    if draw(st.booleans()):
        more = [a_user(allowed_source_ips=[draw(NETWORKS)]).allowed_source_ips[0], *new.allowed_source_ips]
        new = replace(new, allowed_source_ips=tuple(sorted(set(more))))
    return old, new


def permits(user: User, request: SendAttempt) -> bool:
    return user.enabled and evaluate(build(user, SENDING), request)


SAYS_IT_WIDENS = (
    "gains ",
    "may now send from any network",
    "expiry extended from",
    "no longer expires",
    "enabled: may send",
)


@given(st.data(), edits(), DAYS, SOURCES)
def test_every_widening_is_described(data: st.DataObject, edit: tuple[User, User], day: date, source: str) -> None:
    """I10: whatever may be sent after the change and could not be before, the plan line says so."""
    old, new = edit
    sender = data.draw(st.sampled_from(new.allowed_from_addresses)).replace("*", data.draw(WORDS))
    request = SendAttempt(sender, datetime(day.year, day.month, day.day, 12, tzinfo=UTC), source)
    declaration = Declaration(new, "users/test/all.yaml", 1)
    for change in (Update(declaration, settled(old)), Adopt(declaration, replace(settled(old), managed_by=""))):
        words = describe(change)
        if permits(new, request) and not permits(old, request):
            assert any(clause.startswith(SAYS_IT_WIDENS) for clause in words), words


@given(edits())
def test_each_kind_of_widening_has_its_own_description(edit: tuple[User, User]) -> None:
    """I10"""
    old, new = edit
    details = "; ".join(describe(Update(Declaration(new, "m", 1), settled(old))))
    for address in set(new.allowed_from_addresses) - set(old.allowed_from_addresses):
        assert address in details.partition("gains ")[2]
    if old.allowed_source_ips and not new.allowed_source_ips:
        assert "may now send from any network" in details
    elif old.allowed_source_ips and set(new.allowed_source_ips) - set(old.allowed_source_ips):
        assert "gains source" in details
    if old.expires and new.expires is None:
        assert "no longer expires" in details
    elif old.expires and new.expires and new.expires > old.expires:
        assert "extended" in details
    if new.enabled and not old.enabled:
        assert "enabled: may send again" in details


@given(users(FEW_NAMES))
def test_a_new_user_is_announced_with_every_address(user: User) -> None:
    """I10"""
    details = describe(Create(Declaration(user, "m", 1)))
    assert all(address in details[0] for address in user.allowed_from_addresses)


@given(st.dictionaries(FEW_NAMES, ITEMS, max_size=3), DESIRED)
@example({"app": {"managed_by": MARK, "status": "deleting", "requested_at": "0001-01-01T00:00:00+14:00"}}, {})
@example({"app": {"managed_by": MARK, "previous_key_retires_at": "9999-12-31T23:59:59-14:00"}}, {})
def test_no_record_can_stop_a_plan(items: Items, desired: dict[str, Declaration]) -> None:
    """I8"""
    records = [read({**item, **key_of(name)}, RULES) for name, item in items.items()]
    plan = make_plan("test", diff(desired, records, MARK, SENDING, START), len(records), len(desired), SENDING, [])
    assert from_dict(json.loads(to_json(plan))) == plan
    for shown in (to_text(plan), to_markdown(plan)):
        assert all(line.isprintable() for line in shown.split("\n"))
    head, *lines, _ = to_text(plan).split("\n")
    assert head.startswith("smtp users · test · ")
    assert len(lines) == len(plan.lines) + len(plan.deleting) + len(plan.unmanaged) + len(plan.revoked)

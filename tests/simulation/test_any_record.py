"""I16, I17: whatever is written into the table, both halves continue, and it affects only its own record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.status import _to_dict
from reconciler.core.record import PK, SK_PREFIX, Record
from reconciler.core.user import NAME, Declaration, make_user
from reconciler.output import drift as drift_output
from reconciler.output import plan as plan_output
from reconciler.output import plan_json
from reconciler.output.status import to_lines
from reconciler.planning.audit import Snapshot, audit
from reconciler.planning.diff import diff
from reconciler.planning.plan import make_plan
from simulation.commands import EVERYTHING, check_out, command_line, start_command, start_reconcile
from simulation.functions import OUTPUT, captured
from simulation.scheduler import Actor
from simulation.watch import InvariantChecker
from simulation.world import ENV, MANAGER, Settings, World
from support.generated import TYPED, TYPED_ITEMS

CALM, HERO = "yak", "ant"
Item = dict[str, Any]
NAMES = st.one_of(
    st.sampled_from(["", "bee", "a b", "x" * 1019, "ü" * 500, "../etc", "##[debug]", "cat\n", "\x1b[31m"]),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
STATES = st.dictionaries(st.sampled_from(["position", "orphans", "version", "other"]), TYPED, max_size=4)


def declare(world: World, name: str) -> None:
    fields = {"description": "Mail", "owner": "team@example.com", "allowed_from_addresses": [f"{name}@example.com"]}
    world.declare(name, make_user({"name": name, **fields}))


def reconcile(world: World) -> None:
    actor = start_reconcile(world, check_out(world), EVERYTHING)
    world.play(None, None)
    assert actor.error is None, repr(actor.error)


def deliver(world: World) -> None:
    """Until the stream and the dead letters are empty."""
    for _ in range(60):
        world.mapping.poll(40)
        world.play(None, None)
        wait = world.letters.next_due()
        if world.broken or (world.mapping.is_idle() and wait is None):
            return
        world.clock.advance(wait or 0)
        world.letters.poll()
        world.play(None, None)
    raise AssertionError("the stream or the dead letters never finish")


def sweep(world: World) -> None:
    """A whole round, although the item with the position may contain anything."""
    for _ in range(3):
        world.clock.advance(3600)
        actor = world.start_sweep()
        world.play(None, None)
        assert actor.error is None, repr(actor.error)
    assert actor.result["finished"]


@contextmanager
def a_world() -> Iterator[World]:
    """Two settled users."""
    world = World(Settings())
    watch = InvariantChecker(world)
    with captured(), command_line(world, watch.announce):
        for name in (CALM, HERO):
            declare(world, name)
        reconcile(world)
        deliver(world)
        world.clock.advance(3600)
        yield world
        assert not world.broken
        assert not world.scheduler.defects


def put(world: World, name: str, item: Item) -> None:
    world.edited_manually.add(name)
    world.disturbed.add(name)
    item = {attribute: value for attribute, value in item.items() if attribute != "commit"}  # here a number
    world.table.put({**item, "PK": {"S": PK}, "SK": {"S": f"{SK_PREFIX}{name}"}})


def calls(world: World, work: Callable[[], Any]) -> Any:
    """Code that calls AWS runs as an actor."""
    actor = Actor("reader", work)
    world.scheduler.start(actor)
    world.play(None, None)
    assert actor.error is None, repr(actor.error)
    return actor.result


def shown(world: World) -> list[str]:
    """What plan, status and drift print, as text and as JSON, and for a pull request."""
    records: dict[str, Record] = {r.name: r for r in calls(world, lambda: list(world.store.records(sealed=True)))}
    desired = {name: Declaration(user, "team.yaml", 1) for name, user in world.declared.items()}
    names = {*filter(NAME.fullmatch, records), *desired}
    identities = calls(world, lambda: {name: world.identities.audit(name) for name in names})
    now = world.clock.now
    plan = make_plan(ENV.name, diff(desired, records.values(), MANAGER, ENV.sending, now), 2, 2, ENV.sending, [])
    found = audit(Snapshot(desired, records, identities), ENV.name, ENV.sending, now)
    lines = [*plan_output.to_lines(plan, 80), *drift_output.to_lines(found, 80)]
    lines += to_lines(list(records.values()), now, True, 80)
    json.dumps([_to_dict(record) for record in records.values()])
    json.loads(plan_json.to_json(plan))
    json.loads(drift_output.to_json(found))
    return ["".join(segment.text for segment in line) for line in lines]


def active_keys(world: World, name: str) -> list[str]:
    user = world.iam_user(name)
    return [key.id for key in user.keys if key.active] if user else []


def check(world: World, calm: Item | None, output: list[str]) -> None:
    assert world.item(CALM) == calm, "another user was affected"
    assert len(active_keys(world, CALM)) == 1
    for text in (*output, *OUTPUT.texts):
        assert all(character.isprintable() or character == "\n" for character in text), repr(text)
    for record in world.records():
        assert not (record.revoked and active_keys(world, record.name)), f"{record.name} is revoked"


@given(TYPED_ITEMS, TYPED_ITEMS, NAMES, STATES, st.booleans())
def test_any_item_is_read_shown_processed_and_swept(
    own: Item, other: Item, name: str, state: Item, keeps: bool
) -> None:
    """I8, I16, I17. `keeps`: the record keeps its other attributes."""
    with a_world() as world:
        calm = world.item(CALM)
        put(world, HERO, {**(world.item(HERO) or {}), **own} if keeps else own)
        put(world, name, other)
        world.table.put({**state, "PK": {"S": PK}, "SK": {"S": "SWEEP#state"}})
        output = shown(world)
        deliver(world)
        sweep(world)
        output += shown(world)
        check(world, calm, output)
        reconcile(world)
        deliver(world)
        sweep(world)
        check(world, calm, shown(world))


@given(TYPED_ITEMS, st.sampled_from(["revoke", "retry", "resume", "delete"]), st.booleans())
def test_an_operator_can_write_into_any_record(own: Item, word: str, keeps: bool) -> None:
    """I11, I17: conditional on the values as they were read, whatever they are."""
    with a_world() as world:
        calm = world.item(CALM)
        put(world, HERO, {**(world.item(HERO) or {}), **own} if keeps else own)
        record = calls(world, lambda: world.store.fetch([HERO])[HERO])
        before = world.item(HERO)
        actor = start_command(world, word, HERO) if word != "delete" else None
        if actor:
            world.play(None, None)
            assert actor.result == 0 or world.item(HERO) == before
        else:
            world.declare(HERO, None)
            reconcile(world)
        if word == "revoke" and not record.is_being_deleted:
            assert "revoked" in (world.item(HERO) or {})
        deliver(world)
        sweep(world)
        check(world, calm, shown(world))
        if word == "revoke":
            assert active_keys(world, HERO) == []

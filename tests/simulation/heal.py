"""After a scenario: faults off, everything delivered, one round of the sweep. Then the world is judged."""

from __future__ import annotations

import json
from datetime import timedelta

from reconciler.core.ownership import smtp_user_name
from reconciler.core.record import AWAITING, PK, SK_PREFIX
from reconciler.manager.sweep import GRACE
from simulation.commands import EVERYTHING, check_out, start_reconcile
from simulation.judge import judge
from simulation.watch import InvariantChecker
from simulation.world import ENV, PARKED, World

ROUNDS = 40  # of anything that should be over by then


def heal(world: World, watch: InvariantChecker) -> list[str]:
    """What is still wrong then. Beside the sweep's own grace time, nothing is waited for in vain."""
    for stage in (_settle, _sweep_after_grace, _catch_up, _replay):
        if found := world.broken or stage(world, watch):
            return [f"{text} [{stage.__name__.strip('_').replace('_', ' ')}]" for text in found]
    return []


def _settle(world: World, _: InvariantChecker) -> list[str]:
    """What is under way ends, late requests arrive, and everything that was sent is delivered."""
    world.faults.stop()
    world.clock.skew = timedelta()
    world.play(None, None)
    world.wire.land()
    world.clock.advance(120)  # until IAM shows everywhere what was done
    return _deliver(world) or _judge_delivered(world) or _sweep(world)


def _judge_delivered(world: World) -> list[str]:
    """Stream and dead letters alone leave no one waiting, unless an event was lost or its letter parked."""
    if world.mapping.lost or world.sqs.lost or world.sqs.queues[PARKED]:
        return []
    waiting = [record.name for record in world.records() if record.status in AWAITING]
    return [f"I8: everything was delivered, and {name} still waits" for name in waiting]


def _deliver(world: World) -> list[str]:
    for _ in range(ROUNDS):
        world.mapping.poll(ROUNDS)
        world.play(None, None)
        wait = world.letters.next_due()
        if world.broken:
            return world.broken
        if world.mapping.is_idle() and wait is None:
            return []
        world.clock.advance(wait or 0)
        world.letters.poll()
        world.play(None, None)
    waiting = [letter.body for letter in world.letters.waiting()]
    return [f"I8: the stream or the dead letters never come to an end: {waiting}"]


def _sweep(world: World) -> list[str]:
    """Run after run, until one has finished the round."""
    world.clock.advance(3600)  # records and keys are old enough to be checked
    for _ in range(ROUNDS):
        actor = world.start_sweep()
        world.play(None, None)
        if world.broken or actor.error is not None:
            return world.broken or [f"I8: the sweep failed: {actor.error!r}"]
        world.swept = actor.result
        if actor.result["finished"]:
            return _deliver(world)
        world.clock.advance(60)
    return ["I8: the sweep never finishes its round"]


def _sweep_after_grace(world: World, _: InvariantChecker) -> list[str]:
    """Orphans are given some time before they go; the second sweep is the one that takes them."""
    world.clock.advance(GRACE.total_seconds())
    return _sweep(world) or _let_go(world) or judge(world)


def _let_go(world: World) -> list[str]:
    """Too many orphans at once are held: a person says of each that it is meant to go, as docs/operations.md has it."""
    if not world.swept["orphans_held"]:
        return []
    rows = {record.name for record in world.records()}
    for iam_user in world.iam.users():
        if (name := smtp_user_name(ENV.name, iam_user.name)) not in rows:
            world.give_up(json.dumps({"user": name}))
    return _deliver(world)


def _catch_up(world: World, _: InvariantChecker) -> list[str]:
    """A last `reconcile` makes the records what is declared, and after it there is nothing left to do."""
    for first in (True, False):
        world.clock.advance(60)
        failed = sum(record.status == "failed" for record in world.records())
        written = _writes(world)
        actor = start_reconcile(world, check_out(world), EVERYTHING)
        world.play(None, None)
        if actor.error is not None:
            return [f"I5: the last reconcile failed: {actor.error!r}"]
        if not first and _writes(world) - written > failed:  # what cannot but fail is reprocessed by every run
            return ["I5: a second reconcile finds something to do again"]
        if found := _deliver(world):
            return found
    return _sweep(world) or judge(world) or _judge_declared(world)


def _writes(world: World) -> int:
    return world.wire.counts["dynamodb:PutItem"] + world.wire.counts["dynamodb:UpdateItem"]


def _judge_declared(world: World) -> list[str]:
    found = []
    records = {record.name: record for record in world.records()}
    for name, user in world.declared.items():
        record = records.get(name)
        if record is None:
            found.append(f"I5: {name} is declared, and has no row")
        elif record.status != "failed" and record.user != user:
            found.append(f"I5: the row of {name} is not what is declared: {record.user}")
    return found


def _replay(world: World, watch: InvariantChecker) -> list[str]:
    """Every event that the stream still holds once more, and another sweep: no one has anything to change."""
    world.clock.advance(60)
    changes = watch.changes
    failed = {(PK, f"{SK_PREFIX}{record.name}") for record in world.records() if record.status == "failed"}
    world.mapping.rewind()
    found = _deliver(world) or _sweep(world) or judge(world)
    if not found and watch.changes != changes and not failed:
        calls = [" ".join(entry).strip() for entry in world.wire.trace[-40:]]
        return ["I5: a replay of what was done changed something:", *calls]
    return found

"""The end of a scenario: faults stop, everything is delivered, the sweep runs; then the invariants are checked."""

from __future__ import annotations

import json
from datetime import timedelta

from reconciler.core.ownership import smtp_user_name
from reconciler.core.record import AWAITING, PK, SK_PREFIX
from reconciler.errors import Refused
from reconciler.manager.sweep import GRACE
from simulation import hands
from simulation.commands import EVERYTHING, check_out, start_command, start_reconcile
from simulation.judge import judge
from simulation.trigger import FAULTS
from simulation.watch import InvariantChecker
from simulation.world import ENV, PARKED, World

ROUNDS = 500  # after which anything should have finished: a day of retries takes about 100 for each message


def heal(world: World, watch: InvariantChecker) -> list[str]:
    """Return the violations. Apart from the sweep's grace time, no wait is needed."""
    for stage in (_settle, _sweep_after_grace, _catch_up, _replay, _revoke_all):
        if found := world.broken or stage(world, watch):
            return [f"{text} [{stage.__name__.strip('_').replace('_', ' ')}]" for text in found]
    return []


def _settle(world: World, _: InvariantChecker) -> list[str]:
    """Finish running actors, let late requests arrive and deliver everything that was sent."""
    world.faults.stop()
    world.mapping.repair()
    world.clock.skew = timedelta()
    world.play(None, None)
    world.wire.land()
    world.clock.advance(120)  # until all reads of IAM are up to date
    return _deliver(world) or _judge_delivered(world) or _sweep(world)


def _judge_delivered(world: World) -> list[str]:
    """Stream and dead letters alone leave no user pending, unless an event was lost or its dead letter parked."""
    if world.mapping.lost or world.sqs.lost or world.sqs.queues[PARKED]:
        return []
    waiting = [record.name for record in world.records() if record.status in AWAITING]
    return [f"I8: everything was delivered, but {name} is still pending" for name in waiting]


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
    return [f"I8: the stream or the dead letters never finish: {waiting}"]


def _sweep(world: World) -> list[str]:
    """Run the sweep until it has read everything of every user."""
    world.clock.advance(3600)  # records and keys are old enough to be checked
    found: list[str] = []
    for _ in range(world.settings.full_check):
        found = found or _finish_round(world)
    return found


def _finish_round(world: World) -> list[str]:
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
    """Orphans are deleted after a grace time, so only the second sweep deletes them."""
    world.clock.advance(GRACE.total_seconds())
    return _sweep(world) or _release_orphans(world) or judge(world)


def _release_orphans(world: World) -> list[str]:
    """The safety limit withholds many orphans at once; an operator confirms each deletion, see docs/operations.md."""
    if not world.swept["orphans_held"]:
        return []
    names = {record.name for record in world.records()}
    for iam_user in world.iam.users():
        if (name := smtp_user_name(ENV.name, iam_user.name)) not in names:
            world.give_up(json.dumps({"user": name}))
    return _deliver(world)


def _catch_up(world: World, _: InvariantChecker) -> list[str]:
    """A last `reconcile` brings the records to the declared state; another one has nothing to do."""
    for first in (True, False):
        world.clock.advance(60)
        failed = sum(record.status == "failed" for record in world.records())
        written = _writes(world)
        actor = start_reconcile(world, check_out(world), EVERYTHING)
        world.play(None, None)
        if first and isinstance(actor.error, Refused):  # it would rename a revoked user, or create one that was deleted
            hands.lift_revocations(world)
            _resume_remembered(world)
            actor = start_reconcile(world, check_out(world), EVERYTHING)
            world.play(None, None)
        if actor.error is not None:
            return [f"I5: the last reconcile failed: {actor.error!r}"]
        # Every run reprocesses users that failed, and stores before that it was applied.
        if not first and _writes(world) - written > failed + bool(failed):
            return ["I5: a second reconcile still finds something to do"]
        if found := _deliver(world):
            return found
    return _sweep(world) or judge(world) or _judge_declared(world)


def _resume_remembered(world: World) -> None:
    """Refused for every name that is not remembered."""
    for name in sorted(world.declared):
        start_command(world, "resume", name)
        world.play(None, None)


def _writes(world: World) -> int:
    return world.wire.counts["dynamodb:UpdateItem"]


def _judge_declared(world: World) -> list[str]:
    found = []
    records = {record.name: record for record in world.records()}
    for name, user in world.declared.items():
        record = records.get(name)
        if record is None:
            found.append(f"I5: {name} is declared but has no record")
        elif record.status != "failed" and record.user != user:
            found.append(f"I5: the record of {name} differs from the declaration: {record.user}")
    return found


def _replay(world: World, watch: InvariantChecker) -> list[str]:
    """Replay all events that the stream still holds and run another sweep: neither changes anything."""
    world.clock.advance(60)
    changes = watch.changes
    failed = {(PK, f"{SK_PREFIX}{record.name}") for record in world.records() if record.status == "failed"}
    world.mapping.rewind()
    found = _deliver(world) or _sweep(world) or judge(world)
    if not found and watch.changes != changes and not failed:
        calls = [" ".join(entry).strip() for entry in world.wire.trace[-40:]]
        return ["I5: a replay of the stream changed something:", *calls]
    return found


def _revoke_all(world: World, _: InvariantChecker) -> list[str]:
    """I16: whatever a record says besides, its keys are inactive after the next sweep.

    In every second scenario, the trigger delivers nothing and the round is past every record.
    """
    world.clock.advance(3600)
    if is_dead := world.commits % 2 == 1:
        world.trigger.damage(FAULTS[world.commits // 2 % 2])
        hands.end_round(world)
    hands.revoke_all(world, world.commits)
    if not is_dead:
        return _deliver(world) or _sweep(world) or judge(world)
    found = _sweep(world)
    if 2 * len(world.records()) > world.settings.users_per_run:
        found = found or _sweep(world)  # the limit of users leaves some to the round
    found = found or judge(world)
    world.mapping.repair()
    return found or _deliver(world) or _sweep(world) or judge(world)

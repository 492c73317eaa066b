"""What people, schedules and AWS do in a scenario. Actions are independent: any of them can be removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from reconciler.aws.attributes import pack
from reconciler.core.ownership import iam_path, iam_user_name
from reconciler.core.record import PK, SK_PREFIX, key_of
from reconciler.core.user import make_user, spec_fields
from reconciler.errors import InvalidInput
from reconciler.planning.limits import Allowance
from simulation import hands, manifests
from simulation.commands import EVERYTHING, check_out, start_command, start_reconcile
from simulation.faults import Fault, Kind
from simulation.iam_user import IamUser
from simulation.scheduler import Actor
from simulation.world import ENV, World

Play = Callable[[World, "Action"], None]
PLAYS: dict[str, Play] = {}
DEFAULTS = {"description": "What it sends", "owner": "team@example.com"}


@dataclass(frozen=True, slots=True)
class Action:
    """`salt`: the seed of random decisions until the next action; 0: no randomness and no interleaving.

    `calls`: how many AWS calls are made before the next action; None: until all actors have finished.
    """

    kind: str
    name: str = ""  # of the user that it concerns
    args: Mapping[str, Any] = field(default_factory=dict)
    salt: int = 0
    calls: int | None = None

    def play(self, world: World) -> None:
        PLAYS[self.kind](world, self)
        world.actions[self.kind] += 1
        world.steps += 1
        world.play(self.calls, Random(self.salt) if self.salt else None)  # noqa: S311 - reproducible, not a secret

    def __str__(self) -> str:
        what = str(_planned(self)) if self.kind == "fault" else ", ".join(f"{k} {v!r}" for k, v in self.args.items())
        then = "" if self.calls is None else f"; then {self.calls} calls"
        chance = f" (salt {self.salt})" if self.salt else ""
        return f"{self.kind:<16} {self.name:<8} {what}{then}{chance}".rstrip()


def action(kind: str) -> Callable[[Play], Play]:
    def register(play: Play) -> Play:
        PLAYS[kind] = play
        return play

    return register


# Manifests.


def _declare(world: World, it: Action) -> None:
    """Change some fields of a declaration; the others keep their values or defaults."""
    known = world.declared.get(it.name)
    fields = spec_fields(known) if known else {**DEFAULTS, "allowed_from_addresses": [f"{it.name}@example.com"]}
    changed = {**fields, **it.args, "name": it.name}
    world.declare(it.name, make_user({name: value for name, value in changed.items() if value is not None}))


for _kind in ("declare", "edit", "schedule"):
    PLAYS[_kind] = _declare


@action("rotate")
def _rotate(world: World, it: Action) -> None:
    if known := world.declared.get(it.name):
        world.declare(it.name, replace(known, credential=known.credential + 1))


@action("enable")
@action("disable")
@action("expire")
def _switch(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    _declare(world, it)


@action("undeclare")
def _undeclare(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    world.declare(it.name, None)


# The command line.


@action("old run")  # a workflow of an earlier commit is run again
@action("reconcile")
def _reconcile(world: World, it: Action) -> None:
    allowance = EVERYTHING if it.args.get("allow") else Allowance()
    checkout = check_out(world, it.args.get("behind", 0))
    start_reconcile(world, checkout, allowance, timeout=it.args.get("wait", 0))


@action("reconcile files")
def _reconcile_files(world: World, _: Action) -> None:
    """Like `reconcile`, with the manifests read from YAML files."""
    folder = manifests.write(world.declared)
    actor = start_reconcile(world, check_out(world, folder=folder), EVERYTHING)
    actor.ended = lambda _: shutil.rmtree(folder)


@action("invalid manifest")
def _invalid(world: World, it: Action) -> None:
    """I9: nothing is written, whatever changes are pending."""
    folder = manifests.write(world.declared, broken=it.args["how"])
    actor = start_reconcile(world, check_out(world, folder=folder), EVERYTHING)
    actor.ended = lambda actor: _check_refused(world, actor, folder)


def _check_refused(world: World, actor: Actor, folder: Path) -> None:
    shutil.rmtree(folder)
    if not isinstance(actor.error, InvalidInput) or actor.calls:
        world.broken.append(f"I9: an invalid manifest was not rejected before the first call: {actor.error!r}")


@action("revoke")
@action("resume")
@action("retry")
def _command(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    start_command(world, it.kind, it.name, **it.args)


# AWS: the event source mappings, the schedule.


@action("deliver")
def _deliver(world: World, it: Action) -> None:
    world.mapping.poll(it.args["times"])


@action("deliver twice")
def _deliver_twice(world: World, _: Action) -> None:
    world.mapping.repeat()
    world.mapping.poll(2)


@action("dead letters")
def _letters(world: World, it: Action) -> None:
    """Invoke the dead-letter function once the next message is visible."""
    if (wait := world.letters.next_due()) is not None and it.args["wait"]:
        world.clock.advance(wait)
    world.sqs.duplicate = bool(it.args.get("duplicates"))
    world.letters.poll()


@action("other message")
def _other_message(world: World, it: Action) -> None:
    world.give_up(it.args["body"])


@action("damage trigger")
def _damage_trigger(world: World, it: Action) -> None:
    world.trigger.damage(it.args["how"])


@action("repair trigger")
def _repair_trigger(world: World, _: Action) -> None:
    world.mapping.repair()


@action("sweep")
def _sweep(world: World, _: Action) -> None:
    if sum(actor.name.startswith("sweep") for actor in world.scheduler.actors) < 2:
        world.start_sweep()


# Time and faults.


@action("outage")  # of the mapping: the stream drops records that were not read within a day
@action("pass")
def _pass(world: World, it: Action) -> None:
    world.clock.advance(timedelta(**it.args).total_seconds())


@action("clock skew")
def _skew(world: World, it: Action) -> None:
    world.clock.skew = timedelta(**it.args)


@action("fault")
def _fault(world: World, it: Action) -> None:
    world.faults.plan(_planned(it))


def _planned(it: Action) -> Fault:
    return Fault(Kind(it.args["kind"]), it.args["on"], it.args["skip"], it.args["times"])


# Manual changes.


@action("put record")
def _put_record(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    world.edited_manually.add(it.name)
    world.table.put(pack({**key_of(it.name), **it.args}))


@action("edit record")
def _edit_record(world: World, it: Action) -> None:
    """Change attributes of an existing record; None removes one."""
    world.disturbed.add(it.name)
    world.edited_manually.add(it.name)
    if item := world.item(it.name):
        kept = {name: value for name, value in item.items() if name not in it.args}
        world.table.put({**kept, **pack({name: value for name, value in it.args.items() if value is not None})})


PLAYS |= dict.fromkeys(("edit revocation", "edit status"), _edit_record)


@action("delete record")
def _delete_record(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    if world.item(it.name):
        world.table.remove((PK, f"{SK_PREFIX}{it.name}"))


@action("other item")
def _other_item(world: World, it: Action) -> None:
    """Items of other applications in the same table."""
    world.table.put(pack(it.args))


@action("drift")
def _drift(world: World, it: Action) -> None:
    world.disturbed.add(it.name)
    world.tampered.add(it.name)
    hands.DRIFTS[it.args["what"]](world, it.name)


@action("unmanaged user")
def _unmanaged_user(world: World, it: Action) -> None:
    """An IAM user is created manually, with exactly that name or one that differs only in case.

    Not within a minute of a managed one: IAM might still return that one, and the two could not be distinguished.
    """
    name = iam_user_name(ENV.name, it.name)
    if world.iam.is_long_gone(name):
        world.disturbed.add(it.name)
        world.unmanaged.add(it.name)
        shown = name.upper() if it.args.get("upper_case") else name
        key = world.iam.make_key()
        path = iam_path(ENV.name) if it.args.get("own_path") else "/"
        world.iam.write(shown, IamUser(shown, path, world.clock.now, {"team": "other"}, keys=(key,)))

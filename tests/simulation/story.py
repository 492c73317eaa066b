"""A scenario: settings and a list of actions, generated from a seed. Its simulation returns the violated invariants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from simulation.actions import Action
from simulation.commands import command_line
from simulation.functions import captured
from simulation.heal import heal
from simulation.watch import InvariantChecker
from simulation.world import Settings, World


@dataclass(frozen=True, slots=True)
class Scenario:
    seed: int
    settings: Settings
    actions: tuple[Action, ...]

    def __str__(self) -> str:
        lines = [f"scenario {self.seed}, {self.settings}"]
        lines += [f"  {number:2} {action}" for number, action in enumerate(self.actions, start=1)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Result:
    """`broken`: the violated invariants, each with a description; empty if all hold."""

    broken: tuple[str, ...]
    steps: int
    calls: Counter[str]
    faults: Counter[str]
    actions: Counter[str]
    trace: Sequence[tuple[str, str, str, str]] = field(repr=False)

    @property
    def invariant(self) -> str:
        return self.broken[0].partition(":")[0] if self.broken else ""

    def digest(self) -> str:
        """Equal digests mean equal runs."""
        return sha256(repr((self.broken, self.trace)).encode()).hexdigest()[:16]


def simulate(scenario: Scenario) -> Result:
    world = World(scenario.settings)
    watch = InvariantChecker(world)
    with captured(), command_line(world, watch.announce):
        broken = _simulate(scenario, world, watch)
    return Result(tuple(broken), world.steps, world.wire.counts, world.faults.met, world.actions, world.wire.trace)


def _simulate(scenario: Scenario, world: World, watch: InvariantChecker) -> list[str]:
    for action in scenario.actions:
        action.play(world)
        if world.broken:
            return world.broken
    return heal(world, watch)

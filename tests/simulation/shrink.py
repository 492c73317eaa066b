"""Shrink a failed scenario: remove what is not needed to violate the same invariant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from simulation.actions import Action
from simulation.story import Result, Scenario, simulate


def shrink(scenario: Scenario, seconds: float, rerun: Callable[[Scenario], Result] = simulate) -> Scenario:
    """Return the shortest scenario found in time that violates the same invariant."""
    invariant = rerun(scenario).invariant
    deadline = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for shorter in _simpler(scenario):
            if time.monotonic() > deadline:
                return scenario
            if rerun(shorter).invariant == invariant:
                scenario, progress = shorter, True
                break
    return scenario


def _simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Remove half of the actions, a quarter, … a single one; then reduce the randomness of the rest."""
    size = len(scenario.actions)
    part = size // 2
    while part:
        for start in range(size - part, -1, -part):
            yield replace(scenario, actions=scenario.actions[:start] + scenario.actions[start + part :])
        part //= 2
    for simpler in (
        replace(scenario.settings, lag=0),
        replace(scenario.settings, lanes=1),
        replace(scenario.settings, stickiness=0.0),
        replace(scenario.settings, users_per_run=5000),
        replace(scenario.settings, telemetry=True),
        replace(scenario.settings, wide_reads=True),
        replace(scenario.settings, allowed_wide_reads=True),
        replace(scenario.settings, full_check=1),
    ):
        if simpler != scenario.settings:
            yield replace(scenario, settings=simpler)
    for index, action in enumerate(scenario.actions):
        for plainer in _plainer(action):
            yield replace(scenario, actions=(*scenario.actions[:index], plainer, *scenario.actions[index + 1 :]))


def _plainer(action: Action) -> Iterator[Action]:
    if action.calls is not None:
        yield replace(action, calls=None)
    if action.salt:
        yield replace(action, salt=0)
    for name in action.args if action.kind == "fault" else ():
        if name in ("skip", "times") and action.args[name] > (name == "times"):
            yield replace(action, args={**action.args, name: int(name == "times")})

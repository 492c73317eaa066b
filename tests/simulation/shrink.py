"""Make a failing story short: leave out whatever is not needed to break the same invariant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from simulation.actions import Action
from simulation.story import Ending, Story, tell


def shrink(story: Story, seconds: float, retell: Callable[[Story], Ending] = tell) -> Story:
    """The shortest story found in time that breaks the invariant which this one breaks."""
    invariant = retell(story).invariant
    deadline = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for shorter in _simpler(story):
            if time.monotonic() > deadline:
                return story
            if retell(shorter).invariant == invariant:
                story, progress = shorter, True
                break
    return story


def _simpler(story: Story) -> Iterator[Story]:
    """Without half of the actions, a quarter, … a single one; then the same actions with less left to chance."""
    size = len(story.actions)
    part = size // 2
    while part:
        for start in range(size - part, -1, -part):
            yield replace(story, actions=story.actions[:start] + story.actions[start + part :])
        part //= 2
    for simpler in (
        replace(story.settings, lag=0),
        replace(story.settings, lanes=1),
        replace(story.settings, stickiness=0.0),
        replace(story.settings, users_per_run=2000),
        replace(story.settings, telemetry=True),
    ):
        if simpler != story.settings:
            yield replace(story, settings=simpler)
    for index, action in enumerate(story.actions):
        for plainer in _plainer(action):
            yield replace(story, actions=(*story.actions[:index], plainer, *story.actions[index + 1 :]))


def _plainer(action: Action) -> Iterator[Action]:
    if action.calls is not None:
        yield replace(action, calls=None)
    if action.salt:
        yield replace(action, salt=0)
    for name in action.args if action.kind == "trouble" else ():
        if name in ("skip", "times") and action.args[name] > (name == "times"):
            yield replace(action, args={**action.args, name: int(name == "times")})

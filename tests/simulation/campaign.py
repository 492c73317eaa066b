"""Story after story, until so many steps are told, so much time is gone, or one of them breaks something."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from simulation.generate import make_story
from simulation.story import Ending, Story, tell

CI_STEPS = 25_000  # what CI tells: the same stories each time


@dataclass
class Campaign:
    """What happened. `failed`: the first story that broke something, and how."""

    stories: int = 0
    steps: int = 0
    seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    failed: tuple[Story, Ending] | None = None

    def add(self, ending: Ending) -> None:
        self.stories += 1
        self.steps += ending.steps
        self.calls += ending.calls
        self.faults += ending.faults
        self.actions += ending.actions

    def __str__(self) -> str:
        rate = f"{self.steps / self.seconds:,.0f} a second" if self.seconds else ""
        return "\n".join(
            (
                f"{self.stories:,} stories, {self.steps:,} steps, {self.seconds:.1f} s, {rate}",
                _table("actions", self.actions),
                _table("faults", self.faults),
                _table("AWS calls", self.calls),
            )
        )


def run(steps: int, seconds: float = 1e9, first: int = 1) -> Campaign:
    campaign = Campaign()
    began = time.monotonic()
    seed = first
    while campaign.steps < steps and time.monotonic() - began < seconds:
        story = make_story(seed)
        ending = tell(story)
        campaign.add(ending)
        if ending.broken:
            campaign.failed = story, ending
            break
        seed += 1
    campaign.seconds = time.monotonic() - began
    return campaign


def _table(title: str, counts: Counter[str]) -> str:
    cells = [f"{name} {count:,}" for name, count in sorted(counts.items())]
    lines = [f"{title}: {sum(counts.values()):,} of {len(counts)} kinds"]
    while cells:
        line = "  " + cells.pop(0)
        while cells and len(line) + len(cells[0]) < 110:
            line += f" · {cells.pop(0)}"
        lines.append(line)
    return "\n".join(lines)

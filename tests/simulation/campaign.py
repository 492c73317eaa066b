"""Run scenarios until a limit of steps or seconds is reached or one of them violates an invariant."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from simulation.generate import make_scenario
from simulation.story import Result, Scenario, simulate

CI_STEPS = 25_000  # in CI: the same scenarios in every run


@dataclass
class Campaign:
    """The totals of a run. `failed`: the first scenario that violated an invariant, and its result."""

    scenarios: int = 0
    steps: int = 0
    seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    failed: tuple[Scenario, Result] | None = None

    def add(self, result: Result) -> None:
        self.scenarios += 1
        self.steps += result.steps
        self.calls += result.calls
        self.faults += result.faults
        self.actions += result.actions

    def __str__(self) -> str:
        rate = f"{self.steps / self.seconds:,.0f} steps/s" if self.seconds else ""
        return "\n".join(
            (
                f"{self.scenarios:,} scenarios, {self.steps:,} steps, {self.seconds:.1f} s, {rate}",
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
        scenario = make_scenario(seed)
        result = simulate(scenario)
        campaign.add(result)
        if result.broken:
            campaign.failed = scenario, result
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

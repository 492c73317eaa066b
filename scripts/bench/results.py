"""All numbers of one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.bench.measure import Sample
from scripts.bench.profiles import Cost
from scripts.bench.sandbox import SandboxRun


@dataclass(frozen=True, slots=True)
class Ratio:
    """The project and what it is compared with. Instructions: 0 if they were not counted."""

    own: Sample
    other: Sample
    instructions: float = 0.0

    @property
    def cpu(self) -> float:
        return self.own.cpu / self.other.cpu


@dataclass(frozen=True, slots=True)
class Size:
    """A repository with so many users, in environments of 5,000 unless a field says otherwise."""

    users: int
    validate: Sample
    baseline: Sample
    validate_alone: Sample  # all users in one environment
    plan: Sample
    requests: Mapping[str, int]  # of the plan


@dataclass(frozen=True, slots=True)
class Results:
    """`latency`, `creations`: as their modules print them, with the parameters of the model."""

    users: int  # of the comparisons
    repetitions: int
    ratios: Mapping[str, Ratio]
    sizes: Sequence[Size]
    calls: Mapping[str, Sequence[str]]
    sandbox: SandboxRun
    latency: Mapping[str, Any]
    creations: Mapping[str, Any]
    zip_bytes: int
    cli_packages: int
    costs: Mapping[str, Sequence[Cost]]
    commits: int  # of the repository whose history is read
    history: Sample

    def bytes_per_user(self, command: Callable[[Size], Sample]) -> float:
        """Of one environment that holds all users: the growth of memory between the smallest and the largest size."""
        small, large = self.sizes[0], self.sizes[-1]
        return (command(large).memory - command(small).memory) / (large.users - small.users)

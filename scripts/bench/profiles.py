"""The functions that use the most time of a command, by cProfile."""

from __future__ import annotations

import pstats
import re
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.measure import Command, measure
from scripts.bench.paths import PYTHON

TOP = 10
BEFORE = re.compile(r".*(?:/site-packages/|/lib/python[\d.]+/)|.*/(?=reconciler/)")


@dataclass(frozen=True, slots=True)
class Cost:
    """`share`: of the whole run, in percent, without the functions that it calls."""

    share: float
    calls: int
    function: str


def find_costs(command: Command, output: Path) -> list[Cost]:
    """`command`: of `reconcile`. The profiler makes calls of Python functions look more expensive than they are."""
    words = [PYTHON, "-m", "cProfile", "-o", str(output), *command.words[1:]]
    measure(Command(words, command.folder, command.environ, command.codes))
    stats = pstats.Stats(str(output)).stats  # type: ignore[attr-defined]
    total = sum(times[2] for times in stats.values())
    found = [Cost(100 * own / total, calls, _name(*place)) for place, (_, calls, own, _, _) in stats.items()]
    return sorted(found, key=lambda cost: (-cost.share, cost.function))[:TOP]


def _name(path: str, _: int, function: str) -> str:
    if path in ("~", ""):
        return re.sub(r"<built-in method (.*)>|<method '(.*)' of '(.*)' objects>", _builtin, function)
    return f"{BEFORE.sub('', path)}: {function}"


def _builtin(found: re.Match[str]) -> str:
    return found[1] or f"{found[3]}.{found[2]}"

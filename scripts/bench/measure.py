"""Measure commands as processes: CPU seconds and memory from the kernel, instructions from valgrind."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.bench.paths import ENVIRON

COLLECTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True, slots=True)
class Command:
    """`codes`: the exit codes of success."""

    words: Sequence[str]
    folder: Path = Path()
    environ: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[int, ...] = (0,)

    def start(self, prefix: Sequence[str] = (), output: Any = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """`output`: of both streams."""
        errors = subprocess.STDOUT if output == subprocess.PIPE else output
        return subprocess.Popen(  # noqa: S603 - our own commands
            [*prefix, *self.words],
            cwd=self.folder, env={**ENVIRON, **self.environ}, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """`cpu`: user and system seconds. `memory`: the most bytes that were resident."""

    cpu: float
    wall: float
    memory: int


def measure(command: Command) -> Sample:
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = command.start(output=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped
        if process.returncode not in command.codes:
            output.seek(0)
            shown = output.read().decode(errors="replace")[-2000:]
            sys.exit(f"exit code {process.returncode}: {' '.join(command.words)}\n{shown}")
    return Sample(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024)


def interleaved(commands: Mapping[str, Command], repetitions: int) -> dict[str, Sample]:
    """The median of each value. In turns, so that a machine that becomes slower is no advantage for any of them.

    Each runs once before it is measured: otherwise the processor's caches would hold what the command before it used.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(repetitions):
        for name, command in commands.items():
            measure(command)
            samples[name].append(measure(command))
    return {name: _median(found) for name, found in samples.items()}


def _median(samples: list[Sample]) -> Sample:
    return Sample(
        statistics.median(sample.cpu for sample in samples),
        statistics.median(sample.wall for sample in samples),
        int(statistics.median(sample.memory for sample in samples)),
    )


def count_instructions(commands: Mapping[str, Command]) -> dict[str, int]:
    """The same in every run, whatever else the machine does. Empty if valgrind is not installed."""
    if shutil.which("valgrind") is None:
        return {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(commands, pool.map(_instructions, commands.values()), strict=True))


def _instructions(command: Command) -> int:
    prefix = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    with tempfile.TemporaryFile() as output:
        code = command.start(prefix, output).wait()
        output.seek(0)
        shown = output.read().decode(errors="replace")
    found = COLLECTED.search(shown)
    if code not in command.codes or not found:
        sys.exit(f"valgrind: exit code {code}: {' '.join(command.words)}\n{shown[-2000:]}")
    return int(found[1])

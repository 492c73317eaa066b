"""docs/performance.md and its picture, from the results of one run."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence

from scripts.bench.calls import LEAST
from scripts.bench.chart import draw
from scripts.bench.profiles import Cost
from scripts.bench.results import Results
from scripts.bench.table import lines_of

PAGE = """# Performance

IAM allows 5,000 users per account. This page shows how the system behaves at that size, and how its cost grows with
many environments in one repository. `make bench` measures everything and writes this page; `make bench QUICK=1` prints
a short run. The numbers below are from Python {python} on {cores} cores.

A ratio compares two commands of the same run, in turns, each {repetitions} times: it depends little on the machine.
Seconds do. Instructions were counted with valgrind, for fewer users.

## Results

{results}

## Growth

![CPU seconds of validate and plan by number of users](images/performance.svg)

`validate` and its comparison read environments of 5,000 users each, `plan` reads all users as one environment.

{growth}

## AWS calls of the credential manager

Calls of one event when nothing fails, with the in-process AWS of the tests. *Least* is what the operation needs: the
record, the proof that the IAM user is managed, its keys, the changes, and the result.

{calls}

## Where the time goes

The ten most expensive functions of each command with {users:,} users, without the functions that they call. The
profiler makes Python functions look more expensive than they are.

### validate

{validate}

### plan

{plan}

## How it is measured

- CPU time and memory are those of the whole process, as the kernel counts them; medians of {repetitions} runs after one
  that is not counted. The project and what it is compared with use the same Python and the same packages.
- **libyaml and jsonschema**: `scripts/bench/baselines/parse_and_check.py` parses the same files and checks the same
  schema. It knows no line numbers, and none of the rules that a schema cannot express.
- **octoDNS**: a dry run of `octodns-sync` with `YamlProvider` as source and as target, and one record with two
  values for each user. Its target is a file; `plan` reads its records, and the list of IAM users, with boto3 from a
  server on the same machine.
- **Sweep and drift**: the real handler and the real command with their own threads, on the models of the simulator. An
  IAM call takes {latency} ms on a simulated clock, any other call 10 ms, and computing takes no time.
- **Creations**: the real code of both halves on the models of the simulator, with the batch sizes, the parallelism and
  the delays of `reconciler/pipeline/pipeline.yaml`. Each API of IAM has a token bucket: 2 writes or 20 reads per
  second, and a burst of ten seconds. AWS does not document its rates; `python -m simulation.creations --help` lists the
  parameters.
- **Sandbox**: the wall-clock time of `reconcile apply`, with the real Lambda zip. It shows that nothing waits without a
  reason; AWS has other latencies.
"""


def write_page(results: Results) -> str:
    return PAGE.format(
        python=platform.python_version().rpartition(".")[0],
        cores=os.cpu_count(),
        repetitions=results.repetitions,
        users=results.users,
        latency=round(1000 * results.latency["iam_seconds"]),
        results=_table(
            ("Measure", "Result", "Goal", "What it means"),
            ((line.measure, line.value, line.goal, line.meaning) for line in lines_of(results)),
        ),
        growth=_growth(results),
        calls=_table(
            ("Operation", "Calls", "Least", "Which"),
            ((name, len(made), LEAST[name], ", ".join(made)) for name, made in results.calls.items()),
        ),
        validate=_costs(results.costs["validate"]),
        plan=_costs(results.costs["plan"]),
    )


def draw_growth(results: Results) -> str:
    lines = {
        "plan": [(size.users, size.plan.cpu) for size in results.sizes],
        "validate": [(size.users, size.validate.cpu) for size in results.sizes],
        "libyaml, jsonschema": [(size.users, size.baseline.cpu) for size in results.sizes],
    }
    return draw("CPU time by number of users", "users", "CPU seconds", lines)


def _growth(results: Results) -> str:
    heads = ("Users", "validate", "libyaml and jsonschema", "plan", "Memory of validate", "of plan", "Requests of plan")
    cells = (
        (
            f"{size.users:,}",
            *(f"{sample.cpu:.1f} s" for sample in (size.validate, size.baseline, size.plan)),
            *(f"{sample.memory / 1e6:.0f} MB" for sample in (size.validate, size.plan)),
            ", ".join(f"{count} {name}" for name, count in sorted(size.requests.items())),
        )
        for size in results.sizes
    )
    return _table(heads, cells)


def _costs(costs: Sequence[Cost]) -> str:
    shown = ((f"{cost.share:.1f} %", f"{cost.calls:,}", f"`{cost.function}`") for cost in costs)
    return _table(("Share", "Calls", "Function"), shown)


def _table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    shown = [" | ".join(heads), "|".join("---" for _ in heads), *(" | ".join(map(str, line)) for line in lines)]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in shown)

"""The measurements of `make bench`: their data, their calculations, and the page that they write."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.core.user import make_user
from reconciler.engine.user_history import read_history
from reconciler.manifests.environments import load_environments
from reconciler.manifests.loader import load_manifests
from reconciler.pipeline.lambda_zip import ROOT
from scripts.bench import measure
from scripts.bench.calls import LEAST, count_calls
from scripts.bench.chart import draw
from scripts.bench.commits import SAMPLE, write_commits
from scripts.bench.dataset import entry, write_repository
from scripts.bench.measure import Command, Sample, interleaved
from scripts.bench.page import draw_growth, write_page
from scripts.bench.profiles import Cost
from scripts.bench.results import Ratio, Results, Size
from scripts.bench.sandbox import SandboxRun
from scripts.bench.table import lines_of

SVG = "{http://www.w3.org/2000/svg}"


def sample(cpu: float = 1.0, memory: int = 50_000_000) -> Sample:
    return Sample(cpu, 2 * cpu, memory)


def some_results() -> Results:
    sizes = [
        Size(users, sample(users / 1000), sample(), sample(1, 40_000_000 + 2000 * users), sample(), {"Query": 2})
        for users in (50, 5000, 100_000)
    ]
    return Results(
        users=5000,
        repetitions=5,
        ratios={name: Ratio(sample(3.0), sample(2.0), 1.25) for name in ("validate", "plan", "help", "handler")},
        sizes=sizes,
        calls={name: ["GetItem"] * least for name, least in LEAST.items()},
        sandbox=SandboxRun(500, 60.0, 3500, 2.0),
        latency={
            "users": 5000, "iam_seconds": 0.12, "drift": {"seconds": 300.0, "iam_calls": 5500},
            "sweep": {"runs": 1, "stopped": [""], "seconds": 660.0, "iam_calls": 5500},
        },
        creations={
            "users": 5000, "seconds": 2520.0, "failed": 0, "succeeded": True, "throttled": 10, "requests": 100,
            "dead_letters": 1, "parked": 0,
        },
        zip_bytes=2_500_000,
        cli_packages=15,
        costs={name: [Cost(12.5, 10, "yaml/resolver.py: resolve")] for name in ("validate", "plan")},
        commits=5000,
        history=sample(0.5),
    )  # fmt: skip


def test_a_repository_of_any_size_is_valid(tmp_path: Path) -> None:
    names = write_repository(tmp_path / "many", 130, most=60)
    assert names == ["test", "env1", "env2"]
    declared: dict[str, object] = {}
    for environment in load_environments(tmp_path / "many" / "reconcile.yaml").values():
        found = load_manifests(tmp_path / "many" / "users", environment)
        declared |= {name: declaration.user for name, declaration in found.items()}
    assert declared == {entry(n)["name"]: make_user(entry(n)) for n in range(130)}


def test_a_repository_with_many_commits_has_the_history_of_each_user(tmp_path: Path) -> None:
    write_commits(tmp_path / "many", 400, 30)
    folder = tmp_path / "many"
    found = read_history(folder / "reconcile.yaml", folder / "users", "test", SAMPLE)
    assert [(entry.event, entry.origin.pull_request) for entry in found.entries][-1] == ("created", "#0")
    assert found.incomplete == ""


def test_medians_of_interleaved_runs_each_after_one_that_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    times = {"a": iter([9.0, 1.0, 9.0, 5.0, 9.0, 2.0]), "b": iter([9.0, 4.0, 9.0, 6.0, 9.0, 5.0])}

    def fake(command: Command) -> Sample:
        ran.append(command.words[0])
        return sample(next(times[command.words[0]]))

    monkeypatch.setattr(measure, "measure", fake)
    medians = interleaved({"a": Command(["a"]), "b": Command(["b"])}, 3)
    assert ran == ["a", "a", "b", "b"] * 3
    assert {name: found.cpu for name, found in medians.items()} == {"a": 2.0, "b": 5.0}


def test_a_process_is_measured_by_the_kernel() -> None:
    found = measure.measure(Command(["python3", "-c", "x = bytearray(80_000_000); sum(range(2_000_000))"]))
    assert 0.01 < found.cpu < 30
    assert 80_000_000 < found.memory < 800_000_000


def test_a_command_that_fails_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="exit code 3"):
        measure.measure(Command(["python3", "-c", "raise SystemExit(3)"]))


def test_the_table_has_ratios_and_memory() -> None:
    values = {line.measure: line.value for line in lines_of(some_results())}
    assert values["`--help` / click alone"] == "1.50 (instructions: 1.25)"
    assert values["memory of `validate` per user, 100,000 in one environment"] == "2.0 KB"
    assert values["IAM calls per settled user, sweep"] == "1.10"


def test_the_page_contains_every_line_and_needs_no_other_file() -> None:
    page = write_page(some_results())
    assert [line.measure for line in lines_of(some_results()) if line.measure not in page] == []
    assert "| edit a description | 2 | 2 | GetItem, GetItem |" in page
    assert "{" not in page.replace("{env}", "")


def test_the_axes_are_linear() -> None:
    root = ElementTree.fromstring(draw("t", "x", "y", {"line": [(0, 0), (50, 5), (100, 10)]}))  # noqa: S314 - our own
    points = [circle.attrib for circle in root.iter(f"{SVG}circle")]
    for axis in ("cx", "cy"):
        first, second = (float(b[axis]) - float(a[axis]) for a, b in pairwise(points))
        assert first == pytest.approx(second, abs=0.2)


def test_labels_of_lines_that_end_together_do_not_overlap() -> None:
    lines = {name: [(0, 0), (100, end)] for name, end in (("a", 10.0), ("b", 9.9), ("c", 1.0))}
    root = ElementTree.fromstring(draw("t", "x", "y", lines))  # noqa: S314
    labels = sorted(float(text.attrib["y"]) for text in root.iter(f"{SVG}text") if text.text in lines)
    assert all(below - above >= 16 for above, below in pairwise(labels))


def test_committed_picture_is_well_formed_and_needs_nothing_else() -> None:
    written = draw_growth(some_results())
    for text in (written, (ROOT / "docs" / "images" / "performance.svg").read_text(encoding="utf-8")):
        root = ElementTree.fromstring(text)  # noqa: S314
        assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}image", f"{SVG}script"})
        assert "prefers-color-scheme: dark" in text


def test_no_operation_makes_more_calls_than_it_may() -> None:
    made = {name: len(calls) for name, calls in count_calls().items()}
    assert made.keys() == LEAST.keys()
    assert {name: count for name, count in made.items() if count > LEAST[name]} == {}

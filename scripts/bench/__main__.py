"""`make bench`: print one table; without --quick, also write docs/performance.md and its picture."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT
from scripts.bench.page import draw_growth, write_page
from scripts.bench.results import Results
from scripts.bench.runs import QUICK, Scale, run_all
from scripts.bench.table import lines_of

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"


def report(step: str) -> None:
    print(f"measuring: {step}", file=sys.stderr, flush=True)


def show(results: Results) -> None:
    lines = [("measure", "result", "goal"), *((line.measure, line.value, line.goal) for line in lines_of(results))]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for measure, value, goal in lines:
        print(f"{measure.replace('`', ''):{widths[0]}}  {value:{widths[1]}}  {goal}".rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer users and repetitions; writes no page")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="smtp-bench-") as folder:
        results = run_all(QUICK if quick else Scale(), Path(folder), report)
    show(results)
    if not quick:
        PAGE.write_text(write_page(results), encoding="utf-8")
        PICTURE.write_text(draw_growth(results), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

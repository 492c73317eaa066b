"""What the pages list is what the code defines: alarms, metrics, log queries, failure codes, statuses, drift kinds."""

from __future__ import annotations

import re

from docs.pages import text_of
from reconciler.core.differences import Drift
from reconciler.core.record import Status
from reconciler.pipeline.lambda_zip import ROOT

MONITORING = ROOT / "terraform" / "modules" / "monitoring"


def page(name: str) -> str:
    return text_of(ROOT / "docs" / f"{name}.md")


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found.group(1)


def first_column(table: str) -> list[str]:
    return re.findall(r"^\| `([^|]+)` \|", table, re.MULTILINE)


def terraform(pattern: str) -> str:
    return "\n".join(text_of(path) for path in sorted(MONITORING.glob(pattern)))


def test_every_alarm_is_documented_and_counted() -> None:
    documented = first_column(section(page("monitoring"), "Alarms"))
    maps = re.findall(r"^    ([a-z-]+) = \{$", terraform("alarms_*.tf"), re.MULTILINE)
    alone = re.findall(r'alarm_name += "\$\{local\.name\}-([a-z-]+)"', terraform("alarms_*.tf"))
    by_role = ["ROLE-errors", "ROLE-throttles"]
    by_region = [f"{name}-REGION" if "-rate" in name else name for name in maps]
    assert sorted(documented) == sorted([*by_role, *by_region, *alone])
    count = len(documented) + 2 * len(by_role)  # three functions
    assert f"{count} with one region" in page("monitoring")
    assert f"{count} with one region" in page("deploy")


def test_every_alarm_has_its_line_in_the_runbook() -> None:
    runbook = section(page("operations"), "Alarms")
    names = [name.replace("ROLE", "sweep") for name in first_column(section(page("monitoring"), "Alarms"))]
    assert [name for name in names if f"`smtp-ENV-{name}`" not in runbook] == []


def test_every_metric_is_documented() -> None:
    table = section(page("monitoring"), "Metrics of the functions")
    defined = re.findall(r'"((?:User|Sweep)[A-Z]\w+)"', terraform("metrics.tf"))
    assert defined
    assert [metric for metric in defined if f"`{metric}`" not in table] == []


def test_every_saved_query_is_documented() -> None:
    table = section(page("monitoring"), "Log queries")
    defined = re.findall(r'^    "([^"]+)" = (?:<<|local)', terraform("queries*.tf"), re.MULTILINE)
    assert sorted(defined) == sorted(re.findall(r"^\| ([a-z][^|]*) \|", table, re.MULTILINE))


def test_every_failure_code_of_ours_is_documented() -> None:
    source = text_of(ROOT / "reconciler" / "core" / "lifecycle.py")
    codes = {*re.findall(r'"([A-Z][A-Za-z]+)"', source), "InternalError", "Conflict", "NotYetVisible"}
    assert {"ForeignUser", "InvalidRecord", "PolicyTooLarge", "Quarantined"} <= codes
    table = section(page("operations"), "Failure codes")
    assert [code for code in codes if f"`{code}`" not in table] == []


def test_every_status_is_documented() -> None:
    for text in (section(page("records"), "Statuses"), section(page("operations"), "Statuses")):
        assert [status for status in Status if f"| `{status}`" not in text] == []


def test_every_drift_kind_is_documented() -> None:
    kinds = [str(kind) for kind in Drift]
    reference, runbook = section(page("cli"), "reconcile drift"), section(page("operations"), "Drift")
    assert [kind for kind in kinds if f"`{kind}`" not in reference or f"`{kind}`" not in runbook] == []

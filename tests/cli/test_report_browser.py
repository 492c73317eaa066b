"""The access review in headless Chromium: it loads nothing, works with keyboard and screen reader, and prints."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.output.report import render
from support.chromium import Tab, chromium, contrast, find_program, pages_of
from support.reports import a_large_report, a_report

REQUIRED = os.environ.get("REQUIRE_CHROMIUM") == "1"
pytestmark = [
    pytest.mark.skipif(not find_program() and not REQUIRED, reason="Chromium is not installed"),
    pytest.mark.xdist_group("chromium"),
]
USERS = 1000
VISIBLE = "[...document.querySelectorAll('#users tbody tr')].filter(row => !row.hidden)"
NAMES = f"{VISIBLE}.map(row => row.cells[0].firstChild.textContent)"
SHOWN = "document.getElementById('shown').value"
LATER = "new Promise(resolve => setTimeout(() => resolve({}), 150))"


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as made:
        yield made


def page_of(users: int, folder: Path) -> Path:
    file = folder / "report.html"
    file.write_bytes(render(a_large_report(users), "", "report.json").html)
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(USERS, tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(120, tmp_path_factory.mktemp("small"))


def names(tab: Tab) -> list[str]:
    found: list[str] = tab.run(NAMES)
    return found


def column(tab: Tab, number: int) -> list[str]:
    found: list[str] = tab.run(f"{VISIBLE}.map(row => row.cells[{number}].textContent)")
    return found


def keys(tab: Tab, number: int) -> list[float]:
    found: list[float] = tab.run(f"{VISIBLE}.map(row => Number(row.cells[{number}].dataset.v))")
    return found


def background(tab: Tab) -> tuple[int, ...]:
    color = tab.run("getComputedStyle(document.body).backgroundColor")
    return tuple(map(int, re.findall(r"\d+", color)[:3]))


def test_it_shows_a_thousand_users_without_a_request_or_a_message(tab: Tab, page: Path) -> None:
    tab.load(page)
    assert tab.run(SHOWN) == "1,000 users"
    assert len(names(tab)) == USERS
    requests = [params["request"]["url"] for params in tab.of("Network.requestWillBeSent")]
    assert [url for url in requests if not url.startswith("data:")] == [page.as_uri()]
    assert tab.of("Log.entryAdded") == tab.of("Runtime.consoleAPICalled") == tab.of("Runtime.exceptionThrown") == []


def test_the_policy_stops_scripts_that_are_not_its_own(tab: Tab, tmp_path: Path) -> None:
    html = render(a_large_report(2), "", "report.json").html.decode()
    added = '<img src="http://127.0.0.1/x" onerror="document.title=\'ran\'"><script>document.title="ran"</script><p>'
    file = tmp_path / "report.html"
    file.write_text(html.replace('<p class="kicker">', added, 1))
    tab.load(file)
    tab.run(LATER)
    assert tab.run("document.title").startswith("Access review")
    assert not [one for one in tab.of("Network.responseReceived") if "127.0.0.1" in one["response"]["url"]]


def test_search_filters_as_it_is_typed(tab: Tab, page: Path) -> None:
    tab.load(page)
    tab.run("document.getElementById('search').focus()")
    tab.type("BILLING-00 news.example.com")
    tab.run(LATER)
    found = names(tab)
    assert found
    assert all(name.startswith("billing-00") for name in found)
    assert tab.run(SHOWN) == f"{len(found)} of 1,000 users"
    tab.type(" no such user")
    tab.run(LATER)
    assert (names(tab), tab.run("document.getElementById('empty').hidden")) == ([], False)
    tab.run("document.getElementById('reset').click()")
    assert tab.run(SHOWN) == "1,000 users"


def choose(tab: Tab, field: str, value: str) -> None:
    tab.run(
        f"(() => {{ const field = document.getElementById('{field}'); field.value = '{value}';"
        "field.dispatchEvent(new Event('change')) })()"
    )


def test_filters_by_owner_state_and_finding_combine(tab: Tab, page: Path) -> None:
    tab.load(page)
    choose(tab, "owner", "crm@example.com")
    assert set(column(tab, 4)) == {"crm@example.com"}
    choose(tab, "owner", "none")
    assert set(column(tab, 4)) == {"none"}
    choose(tab, "owner", "crm@example.com")
    choose(tab, "state", "active")
    count = len(names(tab))
    tab.run("document.querySelector('[data-finding=wildcard]').click()")
    assert 0 < len(names(tab)) < count
    assert all("Wildcard" in cell for cell in column(tab, 8))
    assert set(column(tab, 1)) == {"active"}
    assert tab.run("document.querySelector('[data-finding=wildcard]').getAttribute('aria-pressed')") == "true"
    tab.run("document.querySelector('[data-finding=wildcard]').click()")
    assert len(names(tab)) == count


def test_every_column_sorts_both_ways(tab: Tab, page: Path) -> None:
    tab.load(page)
    for number in range(9):
        read = keys if number >= 6 else column
        values: list[list[Any]] = []
        for direction in ("ascending", "descending"):
            tab.run(f"document.querySelectorAll('#users thead button')[{number}].click()")
            assert tab.run(f"document.querySelectorAll('#users thead th')[{number}].ariaSort") == direction
            assert tab.run("document.querySelectorAll('[aria-sort]').length") == 1
            values.append(read(tab, number))
        up, down = values
        assert (up[0], up[-1]) == (down[-1], down[0])
        assert up[0] != up[-1]
        if number >= 6:
            assert (up, down) == (sorted(up), sorted(up, reverse=True))
    assert len(set(names(tab))) == USERS


def test_the_keyboard_is_sufficient(tab: Tab, small: Path) -> None:
    tab.load(small)
    reached = []
    for _ in range(40):
        tab.press("Tab", 9)
        reached.append(tab.run("document.activeElement.id || document.activeElement.textContent.trim()"))
        if reached[-1].startswith("Last use"):
            break
    for wanted in ("Skip to the users", "search", "owner", "state", "reset"):
        assert wanted in reached
    assert any(text.startswith("Wildcard") for text in reached)
    tab.press("Enter", 13, "\r")
    assert tab.run("document.querySelector('[aria-sort]').textContent") == "Last use"
    assert tab.run("document.activeElement.textContent") == "Last use"
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_field_has_a_name_and_the_table_keeps_its_roles(tab: Tab, small: Path) -> None:
    tab.load(small)
    tab.send("Accessibility.enable")
    nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
    tab.send("Accessibility.disable")
    seen = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    roles = [role for role, _ in seen]
    assert {"table", "row", "columnheader", "rowheader", "cell"} <= set(roles)
    for role in ("searchbox", "combobox", "button", "link"):
        assert all(name for each, name in seen if each == role)
    assert ("columnheader", "May send as") in seen


def test_it_reads_without_scripts(tab: Tab, page: Path) -> None:
    tab.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.load(page)
    finally:
        tab.send("Emulation.setScriptExecutionDisabled", value=False)
    root = tab.send("DOM.getDocument")["root"]["nodeId"]
    rows = tab.send("DOM.querySelectorAll", nodeId=root, selector="#users tbody tr")["nodeIds"]
    assert len(rows) == USERS
    assert tab.run("getComputedStyle(document.querySelector('.fields')).display") == "none"
    assert tab.run("document.querySelectorAll('#users thead button').length") == 0


def test_no_width_scrolls_sideways(tab: Tab, small: Path) -> None:
    tab.load(small)
    for width in (360, 800, 1160, 1280, 1920):
        tab.resize(width, 900)
        assert tab.run("document.documentElement.scrollWidth") <= width, width


def test_light_and_dark_differ_and_are_legible(tab: Tab, page: Path, tmp_path: Path) -> None:
    pictures = []
    for dark in (False, True):
        tab.load(page, dark=dark)
        assert (sum(background(tab)) < 300) == dark
        pictures.append(tab.screenshot(tmp_path / f"{dark}.png"))
        for selector in (
            "body",
            "small",
            ".chip.high",
            ".chip.medium",
            ".chip.low",
            ".state.good",
            "a[href^=https]",
            "thead th",
        ):
            assert contrast(tab, selector) >= 4.5, (selector, dark)
    assert pictures[0] != pictures[1]


def test_it_prints_what_is_shown(tab: Tab, small: Path) -> None:
    tab.load(small, dark=True)
    tab.run("document.querySelector('[data-finding=policy_changed]').click()")
    some = pages_of(tab.pdf())
    tab.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert tab.run("getComputedStyle(document.querySelector('.fields')).display") == "none"
    assert tab.run("getComputedStyle(document.querySelector('#users thead')).display") == "table-header-group"
    assert tab.run("getComputedStyle(document.querySelector('.signature')).display") == "flex"
    assert background(tab) == (255, 255, 255)
    tab.send("Emulation.setEmulatedMedia", media="")
    tab.run("document.getElementById('reset').click()")
    assert some < 3 < pages_of(tab.pdf())


def test_an_empty_review(tab: Tab, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(render(a_report(), "", "report.json").html)
    tab.load(file)
    assert (tab.run(SHOWN), tab.run("document.getElementById('empty').hidden")) == ("0 users", False)

"""The page of the access review: everything is in it, and nothing of a record is markup, a script or a link."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcileError
from reconciler.output.report_page import NO_DIGEST, require_extra, set_digest, to_html
from reconciler.output.report_rows import to_row
from reconciler.planning.report import AccessKey, Entry, Grant
from reconciler.planning.report_findings import Kind, ReviewFinding
from support.reports import AT, COMMIT, REPOSITORY, a_large_report, a_report
from support.world import a_user

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</script><svg onload=alert(1)>", "{{ 7 * 7 }}{% raw %}", "javascript:alert(1)", "<!--", "]]>", "&lt;b&gt;",
    "\u202egnp.exe",
    f'<code id="digest">{NO_DIGEST}</code>',
    f'id="digest">{NO_DIGEST}<',
)  # fmt: skip


class Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(*made: Entry, **fields: Any) -> Page:
    return Page(to_html(a_report(*made, **fields), "", "report.json"))


def an_entry(**fields: Any) -> Entry:
    given = {"name": "crm", "state": "active", "user": a_user("crm"), "grant": Grant()}
    return Entry(**{**given, **fields})


def skeleton(page: Page) -> list[tuple[str, list[str]]]:
    return [(tag, [*attributes]) for tag, attributes in page.elements if tag not in ("a", "span", "wbr")]


def hostile_entry(text: str) -> Entry:
    user = replace(
        a_user("crm"), description=text, owner=text, allowed_from_addresses=(text,), allowed_source_ips=(text,)
    )
    grant = Grant(text, text, text, text, text, text, text, 3)
    return Entry(text, text, user, grant, findings=(ReviewFinding(Kind.REVOKED, text),))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_record_becomes_markup(text: str) -> None:
    harmless = page_of(hostile_entry("x"), notes=("x",), commit="x", by="x")
    page = page_of(hostile_entry(text), notes=(text,), commit=text, by=text, environment="prod")
    assert skeleton(page) == skeleton(harmless)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements} | {"wbr"}
    assert not [each for tag, each in page.elements if tag == "a" and each.get("href") != "#users"]
    assert set_digest(to_html(a_report(hostile_entry(text)), "", text), NO_DIGEST, "f" * 64)


@settings(max_examples=30)
@given(st.text(max_size=40))
def test_any_text_is_shown_and_stays_text(text: str) -> None:
    assert skeleton(page_of(hostile_entry(text or "x"))) == skeleton(page_of(hostile_entry("x")))


def test_nothing_is_loaded_and_only_its_own_script_runs() -> None:
    html = to_html(a_large_report(50), "", "report.json")
    page = Page(html)
    (policy,) = [each["content"] for tag, each in page.elements if each.get("http-equiv") == "Content-Security-Policy"]
    hashes = {}
    for element in ("script", "style"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
        hashes[element] = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not any("style" in each or "src" in each for _, each in page.elements)
    assert [each["href"] for tag, each in page.elements if tag == "link"] == ["data:,"]
    links = {each["href"] for tag, each in page.elements if tag == "a"} - {"#users"}
    assert links
    assert all(link and link.startswith(f"{REPOSITORY}/") for link in links)


def test_what_a_user_may_do_and_where_it_comes_from() -> None:
    user = a_user("crm", "crm@example.com", owner="team@example.com", expires="2026-11-26", description="Customers",
                  allowed_source_ips=["203.0.113.0/24"])  # fmt: skip
    grant = Grant(COMMIT, "dana eve", f"{REPOSITORY}/pull/12", manifest="users/prod/crm.yaml", line=7)
    keys = (AccessKey("AKIAEXAMPLE1", True, AT, AT - timedelta(days=3), True),)
    page = page_of(an_entry(user=user, grant=grant, keys=keys, key_created_at=AT - timedelta(days=40)))
    shown = (
        "crm", "Customers", "from 203.0.113.0/24", "2026-11-26", "pull request 12", COMMIT[:12],
        "approved by dana, eve", "users/prod/crm.yaml:7", "40 days", "3 days ago", "assumed-role/auditor/alice",
    )  # fmt: skip
    for text in shown:
        assert text in page.text, text
    links = [each["href"] for tag, each in page.elements if tag == "a"]
    assert links[2:] == [
        f"{REPOSITORY}/pull/12", f"{REPOSITORY}/commit/{COMMIT}", f"{REPOSITORY}/blob/{COMMIT}/users/prod/crm.yaml#L7",
    ]  # fmt: skip
    assert "AKIAEXAMPLE1" not in page.text
    assert ("td", {"data-v": "2026-11-26", "class": "over"}) in page.elements


@pytest.mark.parametrize(
    ("fields", "use", "age"),
    [
        ({}, "no key", "no key"),
        ({"keys": (AccessKey("K", True, None),)}, "unknown", "unknown"),
        ({"keys": (AccessKey("K", True, None, None, True),), "key_created_at": AT}, "never", "0 days"),
        ({"keys": (AccessKey("K", True, None, AT, True),), "key_created_at": AT - timedelta(1)}, "today", "1 day"),
        ({"keys": (AccessKey("K", True, None, AT + timedelta(1), True),)}, "today", "unknown"),
    ],
)
def test_use_and_age(fields: Any, use: str, age: str) -> None:
    row = to_row(an_entry(**fields), a_report())
    assert (row.last_use, row.key_age) == (use, age)


@pytest.mark.parametrize(
    ("state", "style"),
    [
        ("active", "good"),
        ("failed", "high"),
        ("disabled", ""),
        ("not applied", ""),
        ("orphan", "high"),
        ("odd", "high"),
    ],
)
def test_states(state: str, style: str) -> None:
    assert to_row(an_entry(state=state), a_report()).state_tone == style


def test_a_source_without_links() -> None:
    grant = Grant("c0ffee-dirty", "", "ticket 12", manifest="/elsewhere/crm.yaml")
    row = to_row(an_entry(grant=grant), a_report(repository="", commit=""))
    assert [(part.text, part.url) for part in row.source] == [
        ("ticket 12", ""), ("c0ffee-dirty", ""), ("/elsewhere/crm.yaml", ""),
    ]  # fmt: skip


def test_a_user_of_whom_nothing_is_known() -> None:
    row = to_row(an_entry(user=None), a_report())
    assert (row.addresses, row.networks, row.expires, row.owner, row.source) == ((), "", "unknown", "", ())
    assert page_of(an_entry(user=None)).text.count("unknown") == 3


def test_without_users() -> None:
    page = page_of()
    assert "0 users" in page.text
    assert ("p", {"class": "empty", "id": "empty"}) in page.elements
    assert "What the findings mean" not in page.text


def test_the_facts_of_the_report() -> None:
    page = Page(to_html(a_report(an_entry(), notes=("not read",), commit=f"{COMMIT}-dirty"), "ab" * 32, "nov.json"))
    for text in (
        f"{COMMIT[:12]}-dirty",
        "ab" * 32,
        "reconcile report --verify nov.json",
        "Not checked",
        "not read",
        "1 users",
    ):
        assert text in page.text, text
    page = page_of(commit="")
    assert "The first report of its series" in page.text
    assert "Commit" not in page.text


def test_the_digest_has_one_place() -> None:
    html = to_html(a_report(an_entry()), "", "report.json")
    filled = set_digest(html, NO_DIGEST, "f" * 64)
    assert set_digest(filled, "f" * 64, NO_DIGEST) == html
    with pytest.raises(ValueError, match="does not show"):
        set_digest(html, "f" * 64, NO_DIGEST)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_extra()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("reconciler.output.report_page.find_spec", lambda _: None)
    with pytest.raises(ReconcileError) as caught:
        require_extra()
    assert caught.value.hint == 'install "ses-smtp-reconciler[report]"'

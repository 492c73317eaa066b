"""The CSV of the access review: complete, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.output.report import to_dict
from reconciler.output.report_csv import COLUMNS, neutral_cell, to_csv
from support.reports import a_large_report, a_report

DANGEROUS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("billing@example.com", "billing@example.com"),
        ("2027-06-30", "2027-06-30"),
        ("a-b, c+d; e=f", "a-b, c+d; e=f"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        ("' \"=1", "'' \"=1"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("\u200b=1", "\\u200b=1"),
        ("\uff1d1", "'\uff1d1"),
        ("x;=1", "x;'=1"),
        ("x; \"=1", "x;' \"=1"),
        ("x\n=1", "x\\n=1"),
        ("x|-1", "x|'-1"),
        ("Gr\u00fc\u00dfe", "Gr\u00fc\u00dfe"),
        ("\u202etxt", "\\u202etxt"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert neutral_cell(text) == cell


@given(st.text(st.sampled_from(DANGEROUS + "\"' ;|\nab\u200b\u00a0"), max_size=12))
def test_whatever_it_contains(text: str) -> None:
    cell = neutral_cell(text)
    assert cell.isprintable()
    for part in re.split("[;|\t\r\n]", cell):
        assert part.startswith("'") or part.lstrip(" \"'`")[:1] not in [*DANGEROUS]


def test_every_user_is_a_line() -> None:
    users = to_dict(a_large_report(30), "")["users"]
    rows = [*csv.DictReader(io.StringIO(to_csv(users)))]
    assert [row["name"] for row in rows] == [user["name"] for user in users]
    assert tuple(rows[0]) == COLUMNS
    row = next(row for row in rows if row["name"] == "crm-0001")
    assert row == {
        "name": "crm-0001", "description": "Order confirmations", "owner": "crm@example.com", "state": "active",
        "addresses": "crm-0001@example.com no-reply+crm@news.example.com", "networks": "203.0.113.0/24",
        "expires": "2028-02-28", "commit": "3f2a9c81d0e4b7a6950c1f8e2d3b4a5968778695",
        "pull_request": "https://github.com/example-org/smtp-users/pull/101", "approver": "dana eve",
        "manifest": "users/prod/crm.yaml", "key_ids": "AKIAEXAMPLE10001", "key_created_at": "2026-10-21T08:30:00Z",
        "last_use": "used", "last_used_at": "2026-10-05T09:30:00Z", "findings": "",
    }  # fmt: skip


def test_an_address_that_looks_like_a_formula_stays_text() -> None:
    users = to_dict(a_large_report(1), "")["users"]
    users[0]["addresses"] = ["=cmd|' /C calc'!A0@example.com", "-x@example.com"]
    (row,) = csv.DictReader(io.StringIO(to_csv(users)))
    assert row["addresses"].startswith("'=cmd|")


def test_nobody_is_the_heading_only() -> None:
    assert to_csv(to_dict(a_report(), "")["users"]).count("\n") == 1

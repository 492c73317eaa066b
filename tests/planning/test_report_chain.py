"""The digests of a series of reports."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from reconciler.planning.report_chain import Link, breaks, digest_of, in_order


def link(month: int, digest: str, previous: str, environment: str = "prod") -> Link:
    return Link(f"{month}.json", environment, f"2026-{month:02}-01T00:00:00Z", digest, previous)


def test_the_digest_covers_everything_but_itself() -> None:
    content = {"b": [1, None, "ü"], "a": {"y": 1, "x": True}}
    wanted = hashlib.sha256(b'{"a":{"x":true,"y":1},"b":[1,null,"\\u00fc"]}').hexdigest()
    assert digest_of(content) == digest_of({**content, "digest": "any"}) == wanted
    assert digest_of({**content, "b": [1, None, "u"]}) != wanted


def test_a_series_in_order_is_whole() -> None:
    series = [link(3, "c", "b"), link(1, "a", "0"), link(2, "b", "a")]
    ordered = in_order(series)
    assert [one.file for one in ordered] == ["1.json", "2.json", "3.json"]
    assert [*breaks(ordered)] == []
    assert [*breaks([])] == [*breaks(ordered[:1])] == []


def test_reports_of_the_same_second() -> None:
    first, second, third = (replace(link(n, *digests), at="now") for n, digests in ((9, "a0"), (5, "ba"), (1, "cb")))
    assert in_order([third, second, first]) == [first, second, third]


def test_a_report_that_is_missing_or_was_replaced_breaks_it() -> None:
    assert [*breaks([link(1, "a", ""), link(3, "c", "b")])] == [
        "3.json: continues the report b, but 1.json has the digest a"
    ]
    assert [*breaks([link(1, "a", ""), link(2, "b", "")])] == [
        "2.json: continues no report, but 1.json has the digest a"
    ]


def test_a_series_is_of_one_environment() -> None:
    mixed = in_order([link(2, "b", "a"), link(1, "a", "", "test")])
    assert [*breaks(mixed)] == ["1.json: is about test, 2.json about prod"]

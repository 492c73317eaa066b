"""Addresses, sources and times as a person writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.planning.questions import parse_sender, parse_source, parse_time


@pytest.mark.parametrize("text", ["billing@example.com", "a$b{c}?@example.com", '"a b"@example.com', "a@b"])
def test_any_valid_address_may_be_asked_for(text: str) -> None:
    assert parse_sender(text) == (text, ())


def test_a_pattern_is_not_what_the_answer_is_about() -> None:
    address, (note,) = parse_sender("alerts-*@example.com")
    assert address == "alerts-*@example.com"
    assert note == "'*' stands for itself here: the answer is about this one address, not about a pattern"


def test_the_domain_is_evaluated_in_lower_case_and_the_local_part_as_written() -> None:
    address, (note,) = parse_sender("Billing@Example.COM")
    assert address == "Billing@example.com"
    assert "IAM compares case" in note


@pytest.mark.parametrize(
    "text",
    ["", "billing", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a..b@example.com", "ä@example.com",
     "a@exa mple.com", "Ann <a@example.com>", "a@-x.com", "a@example.com\n", f"{'a' * 65}@example.com",
     f"a@{'b.' * 130}com"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        parse_sender(text)


def test_a_source_that_is_never_seen_by_ses_is_noted() -> None:
    assert parse_source("203.0.113.9") == ("203.0.113.9", ())
    assert parse_source("10.0.0.1")[1] == (
        "10.0.0.1 is not public: it is private; aws:SourceIp holds public addresses only",
    )
    for text in ("x", "203.0.113.0/24", "fe80::1%eth0"):
        with pytest.raises(ValueError, match="is not an IP address"):
            parse_source(text)


def test_a_day_or_a_time() -> None:
    assert parse_time("2027-06-30") == datetime(2027, 6, 30, tzinfo=UTC)
    assert parse_time("2027-06-30T12:00:00+02:00") == datetime(2027, 6, 30, 10, tzinfo=UTC)
    for text in ("tomorrow", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(ValueError, match="is not a time"):
            parse_time(text)

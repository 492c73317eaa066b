from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.user import (
    NAME,
    Rotation,
    check_date,
    check_lists,
    check_rotation,
    make_user,
    spec_fields,
    spec_hash,
)
from support.world import RULES, a_user

FULL: dict[str, Any] = {
    "name": "billing-mailer",
    "description": "Invoices",
    "owner": "billing@example.com",
    "allowed_from_addresses": ["billing@example.com"],
    "enabled": False,
    "expires": "2027-06-30",
    "allowed_source_ips": ["203.0.113.0/24"],
    "credential": 2,
    "rotation": {"every_days": 90, "overlap_days": 14},
}


def test_addresses_and_networks_are_sorted_normalized_and_listed_once() -> None:
    user = a_user(
        "app", "z@EXAMPLE.com", "a@example.com", "z@example.com", allowed_source_ips=["203.0.113.9", "203.0.113.9/32"]
    )
    assert user.allowed_from_addresses == ("a@example.com", "z@example.com")
    assert user.allowed_source_ips == ("203.0.113.9/32",)


def test_what_is_left_out_is_the_least_surprising() -> None:
    user = a_user()
    assert (user.enabled, user.expires, user.allowed_source_ips, user.credential) == (True, None, (), 1)
    assert user.rotation is None
    assert user.expires_at() is None


def test_a_rotation_overlaps_by_a_week_unless_declared_otherwise() -> None:
    assert a_user(rotation={"every_days": 90}).rotation == Rotation(90, 7)


def test_an_overlap_ends_before_the_next_rotation_begins() -> None:
    assert check_rotation(90, 7) is None
    assert check_rotation(2, 1) is None
    for every, overlap in ((7, 7), (7, 8), (1, 1)):
        fault = check_rotation(every, overlap)
        assert fault
        assert fault.message == f"overlap_days ({overlap}) is not shorter than every_days ({every})"
        assert fault.hint


def test_sending_is_allowed_through_the_last_day_and_not_a_moment_longer() -> None:
    user = a_user(expires="2027-06-30")
    end = datetime(2027, 7, 1, tzinfo=UTC)
    assert user.expires_at() == end
    assert user.may_send(end - timedelta(microseconds=1))
    assert not user.may_send(end)


def test_a_disabled_user_may_not_send_whenever_it_expires() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert a_user().may_send(now)
    assert not a_user(enabled=False).may_send(now)
    assert not a_user(enabled=False, expires="2027-06-30").may_send(now)


def test_a_declaration_survives_as_plain_data() -> None:
    user = make_user(FULL)
    assert make_user({"name": user.name, **spec_fields(user)}) == user


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "Reminders"),
        ("owner", "platform@example.com"),
        ("allowed_from_addresses", ["Billing@example.com"]),
        ("enabled", True),
        ("expires", "2027-07-01"),
        ("allowed_source_ips", ["203.0.113.0/25"]),
        ("credential", 3),
        ("rotation", {"every_days": 90}),
    ],
)
def test_every_declared_field_counts_in_the_hash(field: str, value: Any) -> None:
    changed = spec_hash(make_user({**FULL, field: value}))
    assert changed != spec_hash(make_user(FULL))
    assert re.fullmatch("[0-9a-f]{16}", changed)


def test_the_order_of_writing_does_not_count_in_the_hash() -> None:
    one = a_user("app", "a@example.com", "b@example.com")
    other = a_user("app", "b@example.com", "a@example.com", "a@EXAMPLE.COM")
    assert spec_hash(one) == spec_hash(other)


def test_every_fault_of_the_lists_is_reported_with_its_place() -> None:
    faults = check_lists(
        ["a@example.com", "bad", "a@EXAMPLE.com"], ["203.0.113.0/24", "203.0.113.1/24", "0.0.0.0/0"], RULES
    )
    places = [(place, fault.message) for place, fault in faults]
    assert places == [
        (("allowed_from_addresses", 1), "'bad' is not an address"),
        (("allowed_from_addresses", 2), "'a@EXAMPLE.com' is listed twice"),
        (("allowed_source_ips", 1), "'203.0.113.1/24' is not a network"),
        (("allowed_source_ips", 2), "'0.0.0.0/0' allows every address"),
    ]


def test_a_day_that_the_calendar_has_is_fine() -> None:
    assert check_date("2028-02-29") is None
    assert a_user(expires="2028-02-29").expires == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["2027-02-29", "2027-02-30", "20270630", "2027-W26-3", "2027-6-30", "30.06.2027", "", "9999-12-31", "soon\n"],
)
def test_a_day_that_does_not_exist_or_is_written_otherwise_is_refused(text: str) -> None:
    fault = check_date(text)
    assert fault
    assert "is not a date" in fault.message
    assert "YYYY-MM-DD" in fault.hint
    assert fault.message.isprintable()


def test_a_day_whose_year_iam_could_not_read_is_refused() -> None:
    """The policy would contain `999-01-02T00:00:00Z`, which IAM does not accept as a date."""
    assert check_date("0999-01-01")


@pytest.mark.parametrize("name", ["ab", "billing-mailer", "a1", "a" + "-" * 38 + "b"])
def test_a_name_may_be_short_lower_case_words(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "a", "1a", "-a", "a-", "Billing", "a_b", "a.b", "a" * 41, "ab\n", "ä1"])
def test_other_names_are_refused(name: str) -> None:
    assert not NAME.fullmatch(name)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.address import Rules
from reconciler.core.record import (
    EARLIEST,
    LATEST,
    Failure,
    Progress,
    Revocation,
    key_of,
    name_of,
    parse_timestamp,
    timestamp,
)
from reconciler.core.record_parser import read, read_progress
from reconciler.core.user import Rotation
from support.world import RULES, START, a_user


def row(**attributes: Any) -> dict[str, Any]:
    return {**key_of("billing-mailer"), "status": "pending", "allowed_from_addresses": ["billing@example.com"]} | {
        name.rstrip("_"): value for name, value in attributes.items()
    }


@pytest.mark.parametrize(
    "addresses",
    [
        ["hello@news.example.com", "billing@EXAMPLE.com"],
        {"hello@news.example.com", "billing@example.com"},
        frozenset({"hello@news.example.com", "billing@example.com"}),
    ],
)
def test_a_record_created_manually_may_list_its_addresses_or_give_a_set(addresses: Any) -> None:
    record = read(row(allowed_from_addresses=addresses), RULES)
    assert record.problems == ()
    assert record.user == a_user("billing-mailer", "billing@example.com", "hello@news.example.com")
    assert record.revision is None


@pytest.mark.parametrize(
    ("attributes", "progress"),
    [
        ({"revision": Decimal(2), "observed_revision": Decimal(1)}, ("pending", 2, 1, None)),
        (
            {"status": "failed", "failure": {"code": "Denied", "message": "no", "at": "then"}},
            ("failed", None, None, Failure("Denied", "no", "then")),
        ),
        (
            {"status": 5, "revision": "two", "observed_revision": Decimal("1E99"), "failure": "x"},
            ("", None, None, None),
        ),
    ],
    ids=["pending", "failed", "invalid"],
)
def test_the_progress_of_any_record_is_read(attributes: dict[str, Any], progress: tuple[Any, ...]) -> None:
    assert read_progress(row(**attributes)) == Progress("billing-mailer", *progress)


def test_every_attribute_of_a_full_record_is_understood() -> None:
    record = read(
        row(
            expires="2027-06-30",
            enabled=False,
            allowed_source_ips={"203.0.113.7"},
            credential=Decimal(3),
            rotation={"every_days": Decimal(90), "overlap_days": Decimal(14)},
            revision=Decimal(4),
            observed_revision=Decimal(3),
            key_credential=Decimal(2),
            smtp_username="AKIAEXAMPLE000001",
            previous_key="AKIAEXAMPLE000000",
            encrypted_credentials=b"sealed",
        ),
        RULES,
    )
    assert record.user == a_user(
        expires="2027-06-30",
        enabled=False,
        allowed_source_ips=["203.0.113.7"],
        credential=3,
        rotation={"every_days": 90, "overlap_days": 14},
    )
    assert record.user
    assert record.user.rotation == Rotation(90, 14)
    assert (record.revision, record.observed_revision, record.key_credential) == (4, 3, 2)
    assert (record.smtp_username, record.previous_key) == ("AKIAEXAMPLE000001", "AKIAEXAMPLE000000")
    assert record.encrypted_credentials == b"sealed"


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [
        ("allowed_from_addresses", "billing@example.com", "must be a list or a set of strings"),
        ("allowed_from_addresses", [1], "must be a list or a set of strings"),
        ("allowed_from_addresses", {"a": "b"}, "must be a list or a set of strings"),
        ("allowed_from_addresses", [], "is missing or empty"),
        ("allowed_from_addresses", None, "is missing or empty"),
        ("allowed_from_addresses", ["*@evil.example"], "evil.example is not allowed here"),
        ("allowed_source_ips", ["203.0.113.1/24"], "did you mean 203.0.113.0/24?"),
        ("enabled", "yes", "must be true or false"),
        ("enabled", Decimal(1), "must be true or false"),
        ("expires", "soon", "'soon' is not a date"),
        ("expires", Decimal(20270630), "must be text"),
        ("description", ["x"], "must be text"),
        ("owner", b"x", "must be text"),
        ("description", "two\nlines", "must be one line of up to 200 characters"),
        ("description", "x" * 201, "must be one line of up to 200 characters"),
        ("owner", "the mail team", "must be an address of up to 254 characters"),
        ("owner", f"{'x' * 243}@example.com", "must be an address of up to 254 characters"),
        ("allowed_source_ips", ["fe80::1%eth0"], "has a zone"),
        ("credential", Decimal(0), "must be a whole number from 1"),
        ("credential", Decimal(1_000_001), "must be a whole number from 1 to 1000000"),
        ("credential", Decimal("1.5"), "must be a whole number from 1"),
        ("credential", Decimal("Infinity"), "must be a whole number from 1"),
        ("credential", "2", "must be a whole number from 1"),
        ("credential", True, "must be a whole number from 1"),
        ("rotation", Decimal(90), "must be a map with every_days"),
        ("rotation", {"overlap_days": Decimal(1)}, "must be a map with every_days"),
        ("rotation", {"every_days": "often"}, "must be a whole number from 2 to 3650"),
        ("rotation", {"every_days": Decimal(3651)}, "must be a whole number from 2 to 3650"),
        ("rotation", {"every_days": Decimal(1), "overlap_days": Decimal(1)}, "must be a whole number from 2 to 3650"),
        ("rotation", {"every_days": Decimal(90), "overlap_days": Decimal(0)}, "must be a whole number from 1 to 90"),
        ("rotation", {"every_days": Decimal(7)}, "overlap_days (7) is not shorter than every_days (7)"),
        (
            "rotation",
            {"every_days": Decimal(30), "overlap_days": Decimal(31)},
            "overlap_days (31) is not shorter than every_days (30)",
        ),
    ],
)
def test_what_a_record_says_wrongly_is_a_problem_that_names_the_attribute(
    attribute: str, value: Any, told: str
) -> None:
    record = read(row(**{attribute: value}), RULES)
    assert record.user is None
    (problem,) = record.problems
    assert told in problem
    if "must be" in told or "missing" in told or attribute == "rotation":
        assert problem.startswith(f"{attribute} ")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("rotation", {"every_days": Decimal(90), "overlap_days": Decimal("1E+12")}),
        ("rotation", {"every_days": Decimal("1E+30")}),
        ("rotation", {"every_days": Decimal(3650), "overlap_days": Decimal(3651)}),
        ("rotation", {"every_days": Decimal(3650), "overlap_days": Decimal(91)}),
        ("credential", Decimal("1E+125")),
    ],
)
def test_a_record_is_held_to_the_same_bounds_as_a_manifest(attribute: str, value: Any) -> None:
    """I8: a number of days beyond the last calendar date would raise an exception in the credential manager."""
    assert read(row(**{attribute: value}), RULES).problems


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("rotation", {"every_days": Decimal(3650), "overlap_days": Decimal(90)}),
        ("rotation", {"every_days": Decimal(2), "overlap_days": Decimal(1)}),
        ("rotation", {"every_days": Decimal(8), "unknown": "x"}),
        ("credential", Decimal(1_000_000)),
        ("credential", Decimal("1.0")),
        ("description", ""),
        ("description", "x" * 200),
        ("owner", ""),
        ("owner", f"{'x' * 64}@{'y' * 63}.{'z' * 63}.{'w' * 61}"),
    ],
)
def test_a_record_may_go_as_far_as_the_bounds(attribute: str, value: Any) -> None:
    assert read(row(**{attribute: value}), RULES).problems == ()


def test_text_of_a_record_is_harmless_from_the_moment_it_is_read() -> None:
    """A record is data: it is shown in terminals, logs and pull requests. The lock keeps the original value."""
    hostile, shown = "a\n::error::\x1b[2K", "a\\n::error::\\x1b[2K"
    record = read(row(status=hostile, managed_by=hostile, failure={"code": hostile, "message": hostile}), RULES)
    assert (record.status, record.managed_by) == (shown, shown)
    assert record.failure == Failure(shown, shown, "")
    assert dict(record.lock)["status"] == hostile


def test_several_problems_are_reported_together() -> None:
    record = read(row(enabled="yes", credential="2", allowed_from_addresses=["bad"]), RULES)
    assert len(record.problems) == 3


@pytest.mark.parametrize("name", ["", "Billing", "a b", "x" * 41])
def test_a_name_that_the_rules_do_not_allow_is_a_problem(name: str) -> None:
    record = read(row() | key_of(name), RULES)
    assert record.name == name
    assert "is not allowed" in record.problems[0]


def test_a_number_or_status_that_makes_no_sense_counts_as_absent() -> None:
    record = read(row(status=Decimal(1), revision="7", observed_revision=Decimal("NaN"), commit=[1]), RULES)
    assert (record.status, record.revision, record.observed_revision, record.commit) == ("", None, None, "")


def test_the_lock_is_what_was_read_and_not_what_was_made_of_it() -> None:
    """I11: a write is conditional on the current attributes in the table."""
    record = read(row(revision="7"), RULES)
    assert dict(record.lock) == {
        "revision": "7",
        "correlation_id": None,
        "status": "pending",
        "smtp_username": None,
        "revoked": None,
    }


def test_keys_lead_to_the_name_and_back() -> None:
    assert name_of(key_of("billing-mailer")) == "billing-mailer"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"PK": "SMTP_USER"},
        {"PK": "ORDER", "SK": "USER#billing-mailer"},
        {"PK": "SMTP_USER", "SK": "GROUP#billing-mailer"},
        {"PK": "SMTP_USER", "SK": 1},
        {"PK": b"SMTP_USER", "SK": b"USER#billing-mailer"},
    ],
)
def test_other_items_of_the_table_are_no_one_of_ours(keys: dict[str, Any]) -> None:
    assert name_of(keys) is None


def test_a_failure_is_read_as_far_as_it_goes() -> None:
    full = {"code": "C", "message": "m", "at": "t", "attempts": Decimal(3), "during": "deleting"}
    assert read(row(failure=full), RULES).failure == Failure("C", "m", "t", 3, "deleting")
    assert read(row(failure={"code": 1}), RULES).failure == Failure("", "", "")
    assert read(row(failure="it broke"), RULES).failure is None


def test_a_moment_is_written_in_utc_to_the_second_and_read_back() -> None:
    moment = datetime(2026, 6, 1, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-06-01T12:00:00Z"
    assert parse_timestamp(timestamp(moment)) == START


def test_a_moment_of_another_zone_is_read_in_utc() -> None:
    assert parse_timestamp("2026-06-01T14:00:00+02:00") == START
    moment = parse_timestamp("2026-06-01T14:00:00+02:00")
    assert moment
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0001-01-01T00:00:00+14:00", EARLIEST),
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("9999-12-31T23:59:59Z", LATEST),
        ("9999-12-31T23:59:59-14:00", LATEST),
    ],
)
def test_a_moment_at_the_end_of_the_calendar_leaves_room_to_calculate(text: str, limit: datetime) -> None:
    """I8: a calculation with it would raise an exception in the credential manager."""
    assert parse_timestamp(text) == limit


def test_a_moment_written_manually_counts_as_utc_and_nonsense_as_none() -> None:
    assert parse_timestamp("2026-06-01 12:00") == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert parse_timestamp("yesterday") is None
    assert parse_timestamp("") is None


def test_a_ciphertext_is_in_no_representation_of_a_record() -> None:
    """I6: a record that is logged by mistake contains no credential, not even encrypted."""
    assert "sealed" not in repr(read(row(encrypted_credentials=b"sealed"), RULES))


def test_a_ciphertext_that_is_no_binary_counts_as_absent() -> None:
    assert read(row(encrypted_credentials="c2VhbGVk"), RULES).encrypted_credentials is None


@pytest.mark.parametrize("value", [True, False, "leaked", "", Decimal(1), [], {}, b"x", {"who": "me"}], ids=repr)
def test_whatever_stands_in_revoked_revokes(value: Any) -> None:
    """A value written manually in a hurry still counts."""
    assert read(row(revoked=value), RULES).revoked == Revocation("", "", "")


def test_a_revocation_says_who_why_and_when() -> None:
    said = {"actor": "somebody", "reason": "leaked\nin a log", "at": "2026-06-01T12:00:00Z"}
    revoked = read(row(revoked=said), RULES).revoked
    assert revoked == Revocation("somebody", "leaked\\nin a log", "2026-06-01T12:00:00Z")
    assert read(row(revoked={**said, "reason": 5}), RULES).revoked == Revocation("somebody", "", said["at"])


def test_a_record_without_a_revocation_is_not_revoked() -> None:
    assert read(row(), RULES).revoked is None
    assert read(row(revoked=None), RULES).revoked is None


def test_the_stages_of_a_previous_key_are_read() -> None:
    days = {"previous_key_retires_at": "2026-06-01T12:00:00Z", "previous_key_deletes_at": "2026-06-02T12:00:00Z"}
    record = read(row(previous_key="AKIAEXAMPLE0", **days), RULES)
    assert (record.previous_key_retires_at, record.previous_key_deletes_at) == tuple(days.values())


def test_a_list_that_no_policy_has_room_for_is_refused_as_a_whole() -> None:
    record = read(row(allowed_from_addresses=[f"sender-{n}@example.com" for n in range(1001)]), RULES)
    assert record.problems == ("allowed_from_addresses has 1001 values; 1000 is the limit",)


@pytest.mark.parametrize("revision", [Decimal("1E+60"), Decimal(10**15 + 1), Decimal(-1), Decimal("1.5"), "7", True])
def test_an_invalid_revision_makes_the_record_invalid(revision: Any) -> None:
    """I17"""
    record = read(row(revision=revision), RULES)
    assert (record.user, record.revision) == (None, None)
    assert record.problems == ("revision must be a whole number from 0 to 1000000000000000",)
    assert read(row(revision=Decimal(10**15)), RULES).revision == 10**15


def test_many_long_problems_are_shortened() -> None:
    rules = Rules(frozenset(f"{'x' * 60}.{n}.{'x' * 60}.example.com" for n in range(9)), allow_wildcards=False)
    addresses = [f"sender{n}@elsewhere.example" for n in range(30)]
    problems = read(row(allowed_from_addresses=addresses), rules).problems
    assert len(problems) == 21
    assert max(map(len, problems)) == 300
    assert problems[-1] == "and 10 more problems"

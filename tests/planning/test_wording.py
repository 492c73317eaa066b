from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.record import Record, Revocation
from reconciler.core.user import Declaration, User, spec_hash
from reconciler.planning.diff import Adopt, Create, Delete, Update
from reconciler.planning.wording import describe
from support.world import MARK, a_user

DELETES_ALL = "deletes access key, policy and IAM user"


def at(user: User) -> Declaration:
    return Declaration(user, "users/test/billing.yaml", 2)


def row(user: User | None, **fields: Any) -> Record:
    known = {"status": "active", "managed_by": MARK, "spec_hash": spec_hash(user) if user else ""}
    return Record(name="billing-mailer", user=user, **{**known, **fields})


def words(old: User | None, new: User, *reasons: str) -> list[str]:
    return describe(Update(at(new), row(old), reasons))


def with_addresses(*names: str) -> User:
    return a_user("billing-mailer", *(f"{name}@example.com" for name in names))


def test_a_new_user_is_described_with_all_its_restrictions() -> None:
    user = a_user(allowed_source_ips=["203.0.113.0/24"], expires="2027-06-30", enabled=False)
    assert describe(Create(at(user))) == [
        "may send as billing@example.com",
        "from 203.0.113.0/24 only",
        "until 2027-06-30",
        "disabled: no access key yet",
    ]
    assert describe(Create(at(a_user()))) == ["may send as billing@example.com"]


def test_a_deletion_lists_what_it_deletes_and_why_it_is_retried() -> None:
    assert describe(Delete(row(a_user()))) == [DELETES_ALL]
    assert describe(Delete(row(a_user()), ("stuck",))) == [DELETES_ALL, "stuck"]


def test_addresses_that_come_and_go_are_listed() -> None:
    """I10"""
    assert words(with_addresses("a", "b"), with_addresses("b", "c", "d")) == [
        "gains c@example.com, d@example.com",
        "loses a@example.com",
    ]


@pytest.mark.parametrize(
    ("old", "new", "details"),
    [
        ({"allowed_source_ips": ["203.0.113.7"]}, {}, ["may now send from any network"]),
        ({}, {"allowed_source_ips": ["203.0.113.7"]}, ["from 203.0.113.7/32 only"]),
        (
            {"allowed_source_ips": ["203.0.113.7"]},
            {"allowed_source_ips": ["203.0.113.0/24"]},
            ["gains source network 203.0.113.0/24", "loses source network 203.0.113.7/32"],
        ),
        ({"enabled": False}, {}, ["enabled: may send again"]),
        ({}, {"enabled": False}, ["disabled: its access key becomes inactive"]),
        ({"expires": "2027-06-30"}, {}, ["no longer expires (was 2027-06-30)"]),
        ({}, {"expires": "2027-06-30"}, ["expires after 2027-06-30"]),
        ({"expires": "2027-06-30"}, {"expires": "2028-06-30"}, ["expiry extended from 2027-06-30 to 2028-06-30"]),
        ({"expires": "2028-06-30"}, {"expires": "2027-06-30"}, ["expiry shortened from 2028-06-30 to 2027-06-30"]),
        ({}, {"credential": 2}, ["gets a new password; the current one works for 7 more days"]),
        (
            {"enabled": False},
            {"credential": 2},
            ["enabled: may send again", "gets a new password; the current one stops working immediately"],
        ),
        (
            {},
            {"credential": 2, "enabled": False},
            ["disabled: its access key becomes inactive", "gets a new password when it is enabled"],
        ),
        ({"enabled": False}, {"credential": 2, "enabled": False}, ["gets a new password when it is enabled"]),
        (
            {},
            {"credential": 2, "rotation": {"every_days": 90, "overlap_days": 3}},
            [
                "gets a new password; the current one works for 3 more days",
                "rotates every 90 days with an overlap of 3 days",
            ],
        ),
        ({"rotation": {"every_days": 90}}, {}, ["no longer rotates on a schedule"]),
        ({}, {"owner": "billing@example.com"}, ["owner (none) → billing@example.com"]),
        ({"description": "Invoices"}, {"description": "Reminders"}, ["description changed"]),
    ],
)
def test_every_other_difference_has_its_sentence(old: dict[str, Any], new: dict[str, Any], details: list[str]) -> None:
    """I10"""
    assert words(a_user(**old), a_user(**new)) == details


def test_no_difference_has_no_words() -> None:
    assert words(a_user(), a_user()) == []


def test_reasons_follow_the_differences() -> None:
    assert words(with_addresses("a"), with_addresses("a", "b"), "failed: x") == ["gains b@example.com", "failed: x"]


def test_the_grant_that_replaces_an_invalid_record_is_described_in_full() -> None:
    """I10"""
    assert words(None, a_user()) == ["the record was invalid", "may send as billing@example.com"]


def test_an_adoption_says_from_whom() -> None:
    manual = Adopt(at(with_addresses("a", "b")), row(with_addresses("a"), managed_by=""))
    assert describe(manual) == ["adopts the record created manually", "gains b@example.com"]
    assert (
        describe(Adopt(at(a_user()), row(a_user(), managed_by="console")))[0] == "adopts the record managed by console"
    )


@pytest.mark.parametrize("status", ["", "draft", "pending", "failed", "deleting"])
def test_adopting_a_record_without_a_grant_describes_the_grant(status: str) -> None:
    """I10: a status that asks for nothing has no IAM user; adopted, the user may send."""
    new = a_user(expires="2027-06-30")
    details = describe(Adopt(at(new), row(new, managed_by="", status=status)))
    assert details == ["adopts the record created manually", "may send as billing@example.com", "until 2027-06-30"]


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_adopting_a_processed_record_describes_the_change(status: str) -> None:
    """I10"""
    old = a_user(enabled=status == "active")
    new = replace(with_addresses("billing", "crm"), enabled=old.enabled)
    details = describe(Adopt(at(new), row(old, managed_by="", status=status)))
    assert details == ["adopts the record created manually", "gains crm@example.com"]


def test_adopting_an_invalid_record_says_so_and_describes_the_grant_in_full() -> None:
    """I10"""
    details = describe(Adopt(at(a_user()), row(None, managed_by="console")))
    assert details == [
        "adopts the record managed by console",
        "the record was invalid",
        "may send as billing@example.com",
    ]


@pytest.mark.parametrize("enabled", [False, True])
def test_a_password_that_ends_at_once_is_not_promised_an_overlap(enabled: bool) -> None:
    """Raised while disabled the old key is dead already, and is deleted when the user is enabled again."""
    details = words(a_user(enabled=False), a_user(enabled=enabled, credential=2))
    assert not any("works for 7 more days" in clause for clause in details)


def rotated(old: User | None, new: User, **fields: Any) -> list[str]:
    """The change of a user whose overlap is still on."""
    fields = {"previous_key": "AKIAEXAMPLE0", "previous_key_retires_at": "2026-06-05T12:00:00Z", **fields}
    return describe(Update(at(new), row(old, **fields), ("failed: x",)))


def test_a_second_new_password_within_the_overlap_says_what_becomes_of_the_one_before() -> None:
    """IAM allows two access keys: clients that still use the oldest password can no longer send."""
    assert rotated(a_user(credential=2), a_user(credential=3)) == [
        "gets a new password; the current one works for 7 more days",
        "the previous password stops working immediately",
        "failed: x",
    ]
    assert rotated(a_user(credential=2, enabled=False), a_user(credential=3)) == [
        "enabled: may send again",
        "gets a new password; the current one stops working immediately",
        "the previous password stops working immediately",
        "failed: x",
    ]


def test_the_previous_password_is_not_mentioned_when_it_stays_valid() -> None:
    """Nothing is said where there is none, where the credential stays, and where a disabled user gets no key."""
    before = "the previous password stops working immediately"
    assert before not in rotated(a_user(credential=2), a_user(credential=3), previous_key="")
    assert before not in rotated(a_user(credential=2), a_user("billing-mailer", "crm@example.com", credential=2))
    assert before not in rotated(a_user(credential=2), a_user(credential=3, enabled=False))
    assert before not in rotated(None, a_user(credential=3))


def test_a_record_modified_manually_to_the_declared_values_is_described_in_full() -> None:
    """I10: no plan showed that edit, so the whole grant is described."""
    user = a_user("billing-mailer", "ceo@example.com", "billing@example.com")
    edited = Update(Declaration(user, "users/test/team.yaml", 2), row(user, spec_hash="of another wish"), ("edited",))
    assert describe(edited) == ["may send as billing@example.com, ceo@example.com", "edited"]


def test_nothing_promises_a_revoked_user_that_it_sends() -> None:
    revoked = Revocation("octocat", "leaked", "2026-05-01T00:00:00Z")
    new = a_user(credential=2)
    change = Update(at(new), row(a_user(enabled=False), status="disabled", revoked=revoked))
    assert describe(change) == ["enabled, but still revoked", "gets a new password when it is resumed"]

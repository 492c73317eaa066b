from __future__ import annotations

import pytest

from reconciler.core.ownership import carries, iam_path, iam_user_name, ownership_tags, smtp_user_name


def test_names_in_iam_are_reported_from_environment_and_name_alone() -> None:
    """I1"""
    assert iam_user_name("test", "billing-mailer") == "smtp-test-billing-mailer"
    assert iam_path("test") == "/smtp/test/"
    assert ownership_tags("test", "billing-mailer") != ownership_tags("prod", "billing-mailer")
    assert len(iam_user_name("e" * 12, "n" * 40)) <= 64


def test_an_iam_user_leads_back_to_its_smtp_user() -> None:
    assert smtp_user_name("test", iam_user_name("test", "billing-mailer")) == "billing-mailer"
    assert smtp_user_name("test", "smtp-test-smtp-test-x") == "smtp-test-x"


@pytest.mark.parametrize("iam_user", ["smtp-prod-crm", "crm", "SMTP-TEST-crm", "my-smtp-test-crm", "smtp-test", ""])
def test_any_other_iam_user_stands_for_none(iam_user: str) -> None:
    """I7"""
    assert smtp_user_name("test", iam_user) is None


def test_two_environments_never_claim_the_same_iam_user() -> None:
    """Environment names contain no '-'."""
    assert smtp_user_name("prod", iam_user_name("test", "prod-crm")) is None
    assert smtp_user_name("test", iam_user_name("test2", "crm")) is None


@pytest.mark.parametrize(
    ("found", "carried"),
    [
        ({"Team": "mail"}, True),
        ({"Team": "mail", "other": "x"}, True),
        ({"team": "mail"}, True),  # the case of a key that was written before may stay
        ({"Team": "Mail"}, False),
        ({"Teams": "mail"}, False),
        ({}, False),
    ],
)
def test_a_user_carries_the_wanted_tags_among_others(found: dict[str, str], carried: bool) -> None:
    assert carries(found, {"Team": "mail"}) is carried
    assert carries(found, {})

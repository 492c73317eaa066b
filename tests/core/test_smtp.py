from __future__ import annotations

import pytest

from reconciler.core.smtp import KNOWN_REGIONS, are_credentials, endpoint, smtp_password


@pytest.mark.parametrize(
    ("region", "secret", "password"),
    [
        ("eu-central-1", "some+secret+key", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
        ("eu-central-1", "another+secret+key", "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh"),
        ("us-west-1", "some+secret+key", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
        ("us-west-1", "another+secret+key", "BKVmjjMDFk/qqw8EROW99bjCS65PF8WKvK5bSr4Y6EqF"),
        ("us-east-1", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"),
    ],
)
def test_the_password_is_the_one_ses_expects(region: str, secret: str, password: str) -> None:
    assert smtp_password(secret, region) == password


def test_a_password_is_good_for_one_region_only() -> None:
    passwords = {smtp_password("some+secret+key", region) for region in KNOWN_REGIONS}
    assert len(passwords) == len(KNOWN_REGIONS)
    assert {len(password) for password in passwords} == {44}


def test_the_endpoint_of_a_region_is_its_host_and_advises_587_first() -> None:
    found = endpoint("eu-west-1")
    assert found.host == "email-smtp.eu-west-1.amazonaws.com"
    assert found.starttls_ports[0] == 587
    assert found.tls_ports[0] == 465


def test_a_region_that_is_too_new_for_the_list_has_an_endpoint_too() -> None:
    assert "mx-central-1" not in KNOWN_REGIONS
    assert endpoint("mx-central-1").host == "email-smtp.mx-central-1.amazonaws.com"


PASSWORD = smtp_password("secret", "eu-central-1")


@pytest.mark.parametrize(
    ("username", "passwords", "good"),
    [
        ("AKIAIOSFODNN7EXAMPLE", {"eu-central-1": PASSWORD, "us-gov-west-1": PASSWORD}, True),
        ("AKIAIOSFODNN7EXAMPLE", {}, True),
        ("AKIA", {}, False),
        ("AKIAIOSFODNN7EXAMPLE\n", {}, False),
        (None, {}, False),
        ("AKIAIOSFODNN7EXAMPLE", [PASSWORD], False),
        ("AKIAIOSFODNN7EXAMPLE", {"eu-central-1": f"{PASSWORD}\n"}, False),
        ("AKIAIOSFODNN7EXAMPLE", {"eu-central-1": PASSWORD[1:]}, False),
        ("AKIAIOSFODNN7EXAMPLE", {"eu central": PASSWORD}, False),
    ],
)
def test_only_what_the_manager_stores_are_credentials(username: object, passwords: object, good: bool) -> None:
    assert are_credentials(username, passwords) is good

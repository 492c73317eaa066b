from __future__ import annotations

import pytest

from reconciler.planning.reserved import Reservation, find_reservation

CEO = Reservation("ceo@example.com", frozenset({"exec-office", "board"}))
ALERTS = Reservation("alerts-*@example.com", frozenset())


@pytest.mark.parametrize(
    ("address", "name", "found"),
    [
        ("ceo@example.com", "crm", CEO),
        ("CEO@example.com", "crm", CEO),
        ("c*@example.com", "crm", CEO),
        ("*@example.com", "crm", CEO),
        ("ceo*@example.com", "exec-office", None),
        ("ceo@example.com", "exec-office", None),
        ("ceo@news.example.com", "crm", None),
        ("hr@example.com", "crm", None),
        ("*@example.com", "exec-office", ALERTS),
        ("alerts-disk@example.com", "crm", ALERTS),
        ("alerts-d*@example.com", "crm", ALERTS),
    ],
)
def test_an_address_is_reserved_if_a_part_of_it_is(address: str, name: str, found: Reservation | None) -> None:
    assert find_reservation(address, name, [CEO, ALERTS]) == found


def test_who_may_be_granted_it_is_named() -> None:
    assert CEO.holders == "board, exec-office"
    assert ALERTS.holders == "no user"

from __future__ import annotations

import pytest

from reconciler.core.record import Record
from reconciler.planning.selection import matching
from support.world import a_user

RECORDS = [
    Record(
        name="billing-mailer",
        status="active",
        user=a_user("billing-mailer", "Billing@example.com", "*@invoices.example.com", owner="billing@example.com"),
    ),
    Record(name="crm", status="failed", user=a_user("crm", "alerts-*@example.com", owner="crm@example.com")),
    Record(name="invalid", status="failed"),
]


@pytest.mark.parametrize(
    ("owner", "status", "address", "names"),
    [
        (None, None, None, ["billing-mailer", "crm", "invalid"]),
        ("CRM@example.com", None, None, ["crm"]),
        ("example.com", None, None, []),
        (None, "failed", None, ["crm", "invalid"]),
        (None, "fail", None, []),
        ("billing@example.com", "failed", None, []),
        (None, None, "Billing@EXAMPLE.com", ["billing-mailer"]),
        (None, None, "billing@example.com", []),
        (None, None, "anything@invoices.example.com", ["billing-mailer"]),
        (None, None, "*@invoices.example.com", ["billing-mailer"]),
        (None, None, "alerts-disk@example.com", ["crm"]),
        (None, "active", "alerts-disk@example.com", []),
        (None, None, "alerts@example.com", []),
        (None, None, "*@example.com", []),
        ("", None, None, ["invalid"]),
    ],
)
def test_records_meet_every_condition(
    owner: str | None, status: str | None, address: str | None, names: list[str]
) -> None:
    assert [record.name for record in matching(RECORDS, owner, status, address)] == names

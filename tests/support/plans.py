"""A plan with one change of each kind."""

from __future__ import annotations

from reconciler.output.plan import to_lines
from reconciler.output.styled import plain
from reconciler.planning.plan import Line, Plan

CREATE = Line(
    "create", "billing-mailer", ("may send as billing@example.com, *@invoices.example.com",), "users/test/billing.yaml",
    3, 398,
)  # fmt: skip
UPDATE = Line("update", "crm", ("gains *@news.example.com",), "users/test/crm.yaml", 9, 412)
DELETE = Line("delete", "old-crm", ("deletes access key, policy and IAM user",))
PLAN = Plan("test", 12, 12, (CREATE, UPDATE, DELETE), tuple(f"user-{n}" for n in range(10)), (), ())


def to_text(plan: Plan, width: int | None = None) -> str:
    return plain(to_lines(plan, width))

from __future__ import annotations

import json

import pytest

from reconciler.core.record import Record
from reconciler.output.plan_json import from_dict, to_json
from reconciler.planning.audit import Snapshot, audit
from reconciler.planning.diff import Diff
from reconciler.planning.plan import make_plan
from reconciler.planning.reserved import Reservation, find_reservation, find_reserved
from support.world import SENDING, START, a_user

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


def test_what_is_reserved_for_others_is_named_once() -> None:
    user = a_user("crm", "ceo@example.com", "c*@example.com", "alerts-x@example.com", "hr@example.com")
    assert find_reserved(user, [CEO, ALERTS]) == ("alerts-*@example.com", "ceo@example.com")
    record = Record(name="crm", user=user, status="active")
    changes = Diff(unmanaged=(record,))
    (shown,) = make_plan("test", changes, 0, 0, SENDING, [], reserved=[CEO]).unmanaged
    assert shown.reserved == ("ceo@example.com",)
    plan = make_plan("test", changes, 0, 0, SENDING, [], reserved=[CEO])
    assert from_dict(json.loads(to_json(plan))) == plan


def test_drift_names_an_unmanaged_record_that_may_send_as_a_reserved_address() -> None:
    snapshot = Snapshot({}, {"crm": Record(name="crm", user=a_user("crm", "ceo@example.com"), status="active")}, {})
    found = audit(snapshot, "test", SENDING, START, [CEO]).findings
    what = "an unmanaged record that no manifest declares: created manually; reserved for others: ceo@example.com"
    assert what in [finding.description for finding in found]


def test_who_may_be_granted_it_is_named() -> None:
    assert CEO.holders == "board, exec-office"
    assert ALERTS.holders == "no user"

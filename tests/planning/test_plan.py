from __future__ import annotations

import json
from typing import Any

from reconciler.core.policy import build, grant_hash, measure
from reconciler.core.record import Record, Revocation
from reconciler.core.user import Declaration, spec_hash
from reconciler.output.plan_json import from_dict, to_dict, to_json
from reconciler.planning.diff import diff
from reconciler.planning.plan import Line, Plan, Revoked, Unmanaged, make_plan
from support.world import MARK, SENDING, START, a_user


def a_plan() -> Plan:
    """One line of every kind."""
    new, kept, edited, taken, gone = (a_user(name) for name in ("new", "kept", "edited", "taken", "gone"))
    desired = {
        user.name: Declaration(user, f"users/test/{user.name}.yaml", line)
        for line, user in enumerate((new, kept, a_user("edited", "crm@example.com"), taken), 2)
    }
    seen: dict[str, Any] = {"status": "active", "observed_revision": 0, "observed_hash": grant_hash(kept, SENDING)}
    rows = [
        *(
            Record(name=user.name, user=user, managed_by=MARK, spec_hash=spec_hash(user), **seen)
            for user in (kept, edited, gone)
        ),
        Record(name="taken", user=taken, managed_by="", status="active"),
        Record(name="leaving", user=a_user("leaving"), managed_by=MARK, status="deleting", requested_at=str(START)),
        Record(
            name="theirs", user=None, managed_by="console", status="odd", revoked=Revocation("octocat", "leaked", "now")
        ),
    ]
    changes = diff(desired, rows, MARK, SENDING, START)
    return make_plan("test", changes, 5, len(desired), SENDING, [("too many deletes", "allow them")])


def test_a_plan_counts_and_names_everything_once() -> None:
    plan = a_plan()
    assert [(line.action, line.name) for line in plan.lines] == [
        ("update", "edited"),
        ("delete", "gone"),
        ("create", "new"),
        ("adopt", "taken"),
    ]
    assert {action: plan.count(action) for action in ("create", "adopt", "update", "delete", "none")} == {
        "create": 1,
        "adopt": 1,
        "update": 1,
        "delete": 1,
        "none": 0,
    }
    assert (plan.unchanged, plan.deleting) == (("kept",), ("leaving",))
    assert plan.unmanaged == (Unmanaged("theirs", "odd", "console"),)


def test_a_line_tells_where_it_is_declared_and_how_large_its_policy_is() -> None:
    update, delete, *_ = a_plan().lines
    assert update.source == "users/test/edited.yaml:4"
    assert update.policy_size == measure(build(a_user("edited", "crm@example.com"), SENDING))
    assert (delete.source, delete.policy_size) == ("", 0)


def test_a_plan_survives_json() -> None:
    plan = a_plan()
    assert from_dict(json.loads(to_json(plan))) == plan
    assert from_dict(to_dict(plan)) == plan


def test_an_empty_plan_survives_json() -> None:
    empty = Plan("test", 0, 0, (), (), (), ())
    assert from_dict(json.loads(to_json(empty))) == empty


def test_json_is_structure_with_null_where_there_is_nothing() -> None:
    data = to_dict(Plan("test", 1, 0, (Line("delete", "gone", ("loses everything",)),), (), (), ()))
    assert data["format"] == 1
    assert data["changes"] == [
        {"action": "delete", "name": "gone", "details": ["loses everything"], "example": None, "manifest": None,
         "line": None, "policy": None},
    ]  # fmt: skip


def test_a_plan_names_who_is_revoked_whatever_else_it_says_of_them() -> None:
    plan = a_plan()
    assert plan.revoked == (Revoked("theirs", "octocat", "leaked", "now"),)
    assert to_dict(plan)["revoked"] == [{"name": "theirs", "actor": "octocat", "reason": "leaked", "at": "now"}]

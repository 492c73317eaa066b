"""A plan in a file is accepted only if nothing that it was made from has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.record import Record, Revocation
from reconciler.core.user import Declaration
from reconciler.planning.plan_file import Basis, find_difference, make_basis, to_document
from support.rows import settled
from support.world import a_user

CHANGE = {"action": "update", "name": "crm", "details": ["gains *@news.example.com", "expired"]}
PLAN: dict[str, Any] = {
    "environment": "test", "changes": [CHANGE], "refusals": [], "origin": {"run": "1"}, "taken": [],
    "iam_checked": True,
}  # fmt: skip
SETTINGS = {"region": "eu-central-1", "limits": {"max_deletes": 2}}
DECLARED = {"crm": Declaration(a_user("crm"), "users/test/crm.yaml", 2)}
RECORDS = [settled(a_user("crm"), managed_by="reconciler:test"), settled(a_user("wiki"))]


def basis(**changes: Any) -> Basis:
    given: dict[str, Any] = {
        "environment": "test", "version": "1.0", "commit": "3f2a", "settings": SETTINGS, "desired": DECLARED,
        "records": RECORDS, "applied": 7, **changes,
    }  # fmt: skip
    return make_basis(**given)


def difference(made: Basis | None = None, plan: dict[str, Any] = PLAN, **changes: Any) -> str:
    """Between a file that was written for BASIS and PLAN, and what is there now."""
    document = to_document(basis(), PLAN)
    return find_difference(json.dumps(document), made or basis(**changes), plan)


def test_the_same_plan_is_accepted_whoever_asks_for_it() -> None:
    assert difference() == ""
    assert difference(plan={**PLAN, "origin": {"run": "2"}, "taken": [{"name": "crm"}], "iam_checked": False}) == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": "1.1"}, "planned by version 1.0; this is version 1.1"),
        ({"environment": "prod"}, "planned for environment test"),
        ({"commit": "9ab2"}, "planned at commit 3f2a; this is 9ab2"),
        ({"commit": ""}, "planned at commit 3f2a; this is unknown"),
        ({"settings": {**SETTINGS, "limits": {"max_deletes": 3}}}, "settings differ from those of the plan"),
        ({"desired": {}}, "manifests differ from those of the plan"),
        ({"desired": {"crm": replace(DECLARED["crm"], line=3)}}, "manifests differ from those of the plan"),
        ({"applied": 8}, "another run applied since the plan"),
        ({"records": RECORDS[:1]}, "records changed since the plan: wiki"),
        ({"records": [*RECORDS, settled(a_user("new"))]}, "records changed since the plan: new"),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], told: str) -> None:
    assert difference(**changes) == told


Edit = Callable[[Record], Record]


@pytest.mark.parametrize(
    "edit",
    [
        lambda record: replace(record, status="deleting"),
        lambda record: replace(record, managed_by=""),
        lambda record: replace(record, spec_hash="0"),
        lambda record: replace(record, user=a_user("crm", "hr@example.com")),
        lambda record: replace(record, user=None, problems=("no addresses",)),
        lambda record: replace(record, revoked=Revocation("octocat", "leaked", "now")),
    ],
)
def test_every_field_that_a_plan_depends_on_counts(edit: Edit) -> None:
    assert difference(records=[edit(RECORDS[0]), RECORDS[1]]) == "records changed since the plan: crm"


@pytest.mark.parametrize(
    "edit",
    [
        lambda record: replace(record, status="pending"),
        lambda record: replace(record, status="disabled", settled_at="later"),
        lambda record: replace(record, revision=9, correlation_id="a retry"),
        lambda record: replace(record, smtp_username="AKIAEXAMPLE", previous_key="another"),
    ],
)
def test_a_record_that_was_only_processed_meanwhile_refuses_nothing(edit: Edit) -> None:
    """A plan may wait for its reviewers for days."""
    assert difference(records=[edit(RECORDS[0]), RECORDS[1]]) == ""


def test_an_unmanaged_record_may_be_processed_meanwhile_but_grants_the_same() -> None:
    one = {"name": "old", "status": "pending", "allowed_from_addresses": ["old@example.com"]}
    text = json.dumps(to_document(basis(), {**PLAN, "unmanaged": [one]}))
    assert find_difference(text, basis(), {**PLAN, "unmanaged": [{**one, "status": "active"}]}) == ""
    other = {**one, "allowed_from_addresses": ["*@example.com"]}
    assert find_difference(text, basis(), {**PLAN, "unmanaged": [other]}) == "the plan is different now"
    assert find_difference(text, basis(), {**PLAN, "unmanaged": ["odd"]}) == "the plan is different now"


def test_many_records_are_counted() -> None:
    told = difference(records=[*RECORDS, *(settled(a_user(f"user-{n}")) for n in range(7))])
    assert told == "records changed since the plan: user-0, user-1, user-2, user-3, user-4 and 2 more"


def test_time_makes_another_plan_and_its_reason_is_named() -> None:
    """With everything else unchanged."""
    later = {**CHANGE, "name": "wiki", "details": ["expired: its access key becomes inactive"]}
    told = "the plan is different now: wiki: expired: its access key becomes inactive"
    assert difference(plan={**PLAN, "changes": [CHANGE, later]}) == told
    assert difference(plan={**PLAN, "changes": []}) == "the plan is different now: 1 change fewer"
    refused = {**PLAN, "refusals": [{"reason": "too many deletes", "hint": "allow them"}]}
    assert difference(plan=refused) == "the plan is refused now: too many deletes"
    assert difference(plan={**PLAN, "deleting": ["gone"]}) == "the plan is different now"


def resealed(**changes: Any) -> str:
    """A file that somebody wrote with a correct checksum."""
    document = {**to_document(basis(), PLAN), **changes}
    del document["checksum"]
    inner = {name: value for name, value in document.items() if name not in ("format", "plan")}
    made = to_document(Basis(**inner), document["plan"] if isinstance(document["plan"], dict) else {})
    return json.dumps(made)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not a plan file"),
        ("{", "it is not a plan file"),
        ("[" * 100_000, "it is not a plan file"),
        ("[1]", "it is not a plan file"),
        (json.dumps(PLAN), "it is not a plan file"),
        (json.dumps({"format": 2, "checksum": ""}), "its format is 2; this version reads 1"),
        (json.dumps({**to_document(basis(), PLAN), "commit": "9ab2"}), "it was modified after it was written"),
        (resealed(records=["crm"]), "records changed since the plan: crm, wiki"),
        (resealed(plan="odd"), "the plan is different now: crm: gains *@news.example.com; expired"),
        (resealed(plan={**PLAN, "changes": 1}), "the plan is different now: crm: gains *@news.example.com; expired"),
        (resealed(version=["1.0"]), "planned by version ['1.0']; this is version 1.0"),
    ],
)
def test_any_other_text_is_refused_in_one_line(text: str, told: str) -> None:
    assert find_difference(text, basis(), PLAN) == told


def test_a_plan_that_is_not_an_object_is_another_plan() -> None:
    from reconciler.planning import plan_file

    document = {"format": 1, **json.loads(json.dumps(to_document(basis(), PLAN))), "plan": [1]}
    del document["checksum"]
    document["checksum"] = plan_file._digest(document)
    assert find_difference(json.dumps(document), basis(), PLAN).startswith("the plan is different now: crm")


def test_a_refusal_that_was_there_before_is_not_the_difference() -> None:
    refused = {**PLAN, "refusals": [{"reason": "too many deletes", "hint": "allow them"}]}
    document = json.dumps(to_document(basis(), refused))
    assert find_difference(document, basis(), {**refused, "deleting": ["gone"]}) == "the plan is different now"

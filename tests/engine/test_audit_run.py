"""`reconcile drift`: every planted difference is found, a clean system has none, and nothing is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.engine import audit
from reconciler.output.drift import INCOMPLETE
from support.attachments import quarantine
from support.planted import PLANTS, Place, Plant
from support.runs import Checkout, Outcome, an_entry
from support.world import ENV, TABLE, World

WRONG_ACCOUNT = "credentials are for account 123456789012; environment test is configured for account 999988887777"
WRONG_REGION = "the AWS region is eu-central-1; environment test is configured for region eu-west-1"
READS = {
    "GetCallerIdentity", "Query", "GetAccountAuthorizationDetails", "GetUser", "ListAccessKeys", "ListUserPolicies",
    "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser", "GetLoginProfile", "ListMFADevices",
    "ListSSHPublicKeys", "ListSigningCertificates", "ListServiceSpecificCredentials",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _real_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the command with the clock of the test."""
    world.now = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(audit, "SECOND_READ", 0)


@pytest.fixture
def place(world: World) -> Place:
    return Place(ENV, TABLE, world.iam, world.dynamodb, lambda iam_user: quarantine(world, iam_user))


def entries(plants: tuple[Plant, ...], *, after: bool) -> list[dict[str, Any]]:
    shown = [plant for plant in plants if (plant.after if after else plant.before)]
    return [an_entry("well"), *(an_entry(plant.name, enabled=plant.enabled) for plant in shown)]


def plant(world: World, checkout: Checkout, place: Place, *plants: Plant) -> None:
    """A clean system in which every user was enabled once, so that each has a key; then the differences are planted."""
    checkout.declare(*(entry | {"enabled": True} for entry in entries(plants, after=False)))
    checkout.reconcile(world)
    checkout.declare(*entries(plants, after=False))
    checkout.reconcile(world)
    clean = checkout.run("drift")
    assert (clean.code, clean.out.splitlines()[-1][:9]) == (0, "No drift:"), clean.out
    checkout.declare(*entries(plants, after=True))
    for one in plants:
        one.plant(place, one.name)


def findings(outcome: Outcome) -> list[tuple[str, str]]:
    return [(entry["name"], entry["kind"]) for entry in json.loads(outcome.out)["findings"]]


def test_a_clean_system_has_no_difference(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki", enabled=False), an_entry("batch", expires="2030-01-01"))
    checkout.reconcile(world)
    outcome = checkout.run("drift")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == (
        "smtp users · test · 3 declared, 3 records, 3 IAM users\n" + INCOMPLETE + "\nNo drift: 3 users checked.\n"
    )
    assert sorted(outcome.calls) == [
        "GetAccountAuthorizationDetails",
        "GetCallerIdentity",
        *["ListAccessKeys"] * 3,
        "Query",
    ]


def test_an_empty_system_has_none_either(world: World, checkout: Checkout) -> None:
    checkout.declare()
    outcome = checkout.run("drift")
    assert (outcome.code, outcome.calls) == (0, ["GetCallerIdentity", "GetAccountAuthorizationDetails", "Query"])


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: planted.name)
def test_each_planted_difference_is_found(world: World, checkout: Checkout, place: Place, planted: Plant) -> None:
    plant(world, checkout, place, planted)
    outcome = checkout.run("drift", "--thorough")
    assert outcome.code == 2, outcome.out
    assert outcome.err == ""
    told = [line for line in outcome.out.splitlines() if line.startswith("  ! ")]
    assert len(told) == 1, outcome.out
    assert told[0].split()[1:3] == [planted.name, planted.kind]
    assert planted.words in told[0]
    assert ("team.yaml:" in told[0]) == planted.after
    assert set(outcome.calls) <= READS


def test_all_planted_differences_are_found_together_and_none_is_touched(
    world: World, checkout: Checkout, place: Place
) -> None:
    plant(world, checkout, place, *PLANTS)

    def everything() -> Any:
        details = world.iam.get_account_authorization_details(Filter=["User", "Group"])
        keys = [world.access_keys(one.name) for one in PLANTS if one.before and one.kind != "iam_user_missing"]
        return details["UserDetailList"], keys, world.dynamodb.scan(TableName=TABLE)["Items"]

    before = everything()
    outcome = checkout.run("drift", "--thorough", "--format", "json")
    assert outcome.code == 2
    assert findings(outcome) == [(one.name, one.kind) for one in PLANTS]
    assert set(outcome.calls) <= READS
    assert everything() == before


def test_the_differences_in_other_forms(world: World, checkout: Checkout, place: Place) -> None:
    planted = next(one for one in PLANTS if one.name == "edited")
    plant(world, checkout, place, planted)
    shown = json.loads(checkout.run("drift", "--format", "json").out)
    source = (checkout.root / "users/test/team.yaml").as_posix()
    assert shown == {
        "format": 1,
        "environment": "test",
        "declared": 2,
        "records": 2,
        "iam_users": 2,
        "checked": 2,
        "complete": False,
        "findings": [
            {
                "name": "edited",
                "kind": "policy_changed",
                "description": "its policy was changed",
                "manifest": source,
                "line": 7,
            }
        ],
        "notes": [],
    }
    markdown = checkout.run("drift", "--format", "markdown")
    assert markdown.code == 2
    assert "**Drift: 1 finding for 1 of 2 users.**" in markdown.out
    assert "| `edited` | `policy_changed` | `its policy was changed` |" in markdown.out


def test_what_drift_finds_the_sweep_puts_right_and_calls_the_same(
    world: World, checkout: Checkout, place: Place
) -> None:
    """What only an operator can repair stays."""
    mended = [
        one
        for one in PLANTS
        if one.kind in ("attachment_added", "boundary_changed", "policy_changed", "iam_user_missing", "key_changed")
    ]
    plant(world, checkout, place, *mended)
    world.now = datetime.now(UTC) + timedelta(minutes=10)
    shown = json.loads(checkout.run("drift", "--thorough", "--format", "json").out)["findings"]
    told = {one.name: world.converger.converge(one.name, audit=True).differences for one in mended}
    assert {entry["name"]: (entry["description"],) for entry in shown} == told
    left = checkout.run("drift", "--format", "json")
    assert findings(left) == [("grouped", "attachment_added")], "no function may change groups"


def test_a_user_that_is_being_made_is_no_difference(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.run()
    outcome = checkout.run("drift")
    assert outcome.code == 0
    assert "· crm   in progress: pending since " in outcome.out


def test_a_key_that_is_about_to_be_stored_is_no_difference(
    world: World, checkout: Checkout, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first check happens between the creation of the key and its record; at the second, the record contains it."""
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    made = world.iam.create_access_key(**place.user("crm"))["AccessKey"]["AccessKeyId"]
    waited: list[float] = []

    def store(seconds: float) -> None:
        waited.append(seconds)
        later = {"S": (datetime.now(UTC) + timedelta(days=7)).isoformat()}
        place.set_row("crm", previous_key={"S": made}, previous_key_retires_at=later)

    monkeypatch.setattr(audit.time, "sleep", store)
    outcome = checkout.run("drift")
    assert (outcome.code, waited) == (0, [0])
    assert outcome.calls.count("Query") == 2


def test_a_user_that_goes_while_it_is_read_is_no_difference(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    checkout.declare(an_entry("wiki"))
    observe, looked = audit.Auditor._observe, []

    def tear_down(auditor: audit.Auditor, names: Any, listing: Any) -> Any:
        if not looked:
            world.ask_delete("crm")
            world.converge("crm")
        looked.append(set(names))
        return observe(auditor, names, listing)

    monkeypatch.setattr(audit.Auditor, "_observe", tear_down)
    outcome = checkout.run("drift")
    assert outcome.code == 0, outcome.out
    assert looked == [{"crm", "wiki"}, {"crm"}]


def test_a_record_of_any_name_is_compared_without_asking_iam_for_it(world: World, checkout: Checkout) -> None:
    checkout.declare()
    world.put_row("Bad Name", status="failed", managed_by="console")
    outcome = checkout.run("drift")
    assert outcome.code == 2
    assert "Bad Name   unmanaged" in outcome.out
    assert "GetUser" not in outcome.calls


def test_an_iam_user_under_our_path_that_stands_for_no_one_is_unmanaged(world: World, checkout: Checkout) -> None:
    checkout.declare()
    world.iam.create_user(UserName="admin", Path="/smtp/test/")
    world.iam.create_user(UserName="smtp-test-", Path="/smtp/test/")
    world.iam.create_user(UserName="smtp-other-crm", Path="/smtp/other/")
    outcome = checkout.run("drift", "--format", "json")
    assert outcome.code == 2
    assert findings(outcome) == [("admin", "unmanaged"), ("smtp-test-", "unmanaged")]


def test_an_iam_user_of_a_declared_name_is_unmanaged_wherever_it_lives(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    world.iam.create_user(UserName="smtp-test-crm", Path="/people/")
    assert findings(checkout.run("drift", "--format", "json")) == [("crm", "unmanaged"), ("crm", "record_missing")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account_id": "999988887777"}, WRONG_ACCOUNT),
        ({"region": "eu-west-1"}, WRONG_REGION),
    ],
)
def test_nothing_is_read_in_the_wrong_account_or_region(
    world: World, checkout: Checkout, change: dict[str, str], words: str
) -> None:
    checkout.declare(an_entry("crm"))
    checkout.configure(**change)
    outcome = checkout.run("drift")
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.out == ""
    assert outcome.calls == ["GetCallerIdentity"]


def test_invalid_manifests_end_it_before_any_call(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm", "crm@example.net"))
    outcome = checkout.run("drift")
    assert (outcome.code, outcome.out, outcome.calls) == (1, "", [])
    assert "the domain example.net is not allowed here" in outcome.err

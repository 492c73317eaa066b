"""Diffs that change permissions, by name: each in text, Markdown and JSON, with its example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from reconciler.core.user import Declaration
from reconciler.manifests.schema import SCHEMA_DIR
from reconciler.output.permission import to_lines
from reconciler.output.permission_json import to_json
from reconciler.output.permission_markdown import to_markdown
from reconciler.output.styled import plain
from reconciler.planning.permission_diff import PermissionDiff, Side, compare_sides
from support.world import a_user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCHEMA = json.loads((SCHEMA_DIR / "permission-diff.schema.json").read_text(encoding="utf-8"))
Fields = Mapping[str, Any]
Users = Mapping[str, Fields]


@dataclass(frozen=True)
class Case:
    """`details`: of the user or setting that differs, in the order of the output. `total`: gains, loses, keeps."""

    label: str
    total: tuple[int, int, int]
    name: str = ""
    details: tuple[str, ...] = ()
    example: str = ""
    old: Users = field(default_factory=dict)
    new: Users = field(default_factory=dict)
    old_settings: Fields | None = field(default_factory=dict)
    new_settings: Fields | None = field(default_factory=dict)
    loosened: bool = False
    file: str = "users/test/team.yaml"


def user(*addresses: str, **fields: Any) -> Fields:
    return {"addresses": addresses, **fields}


CRM = user("crm@example.com", owner="crm@example.com")
CRM_AND_HR = user("crm@example.com", "hr@example.com", owner="crm@example.com")
ANYWHERE = "may send as crm@example.com from anywhere"
EXPIRED = "2026-05-31"
RESERVED = {"reserved_addresses": [{"address": "ceo@example.com", "users": ["exec-office"]}]}


def one(label: str, old: Fields, new: Fields, total: tuple[int, int, int], *details: str, example: str = "") -> Case:
    """The user crm changes; billing stays."""
    billing = user("billing@example.com")
    return Case(
        label, total, "crm", details, example, {"crm": old, "billing": billing}, {"crm": new, "billing": billing}
    )


def setting(label: str, old: Fields, new: Fields, name: str, text: str, *, loosened: bool) -> Case:
    users = {"crm": CRM}
    return Case(label, (0, 0, 1), name, (text,), "", users, users, old, new, loosened)


CASES = [
    one("a wildcard already covered the new address", user("*@example.com"), user("*@example.com", "hr@example.com"),
        (0, 0, 2), "the same permission, written differently: gains hr@example.com"),
    one("an address is added", CRM, CRM_AND_HR, (1, 0, 1),
        "gains: may send as hr@example.com", example="may send as hr@example.com from anywhere"),
    one("an address of another user is added", CRM, {**CRM, "addresses": ("crm@example.com", "billing@example.com")},
        (1, 0, 1), "gains: may send as billing@example.com", "also billing may send as billing@example.com",
        example="may send as billing@example.com from anywhere"),
    one("a wildcard replaces an address", CRM, user("*@example.com", owner="crm@example.com"), (1, 0, 1),
        "gains: may send as *@example.com (before: only as crm@example.com)",
        "also billing may send as billing@example.com", example="may send as hr@example.com from anywhere"),
    one("a nested pattern is removed", user("a*@example.com", "ab*@example.com"), user("a*@example.com"), (0, 0, 2),
        "the same permission, written differently: loses ab*@example.com"),
    one("a pattern becomes narrower", user("a*@example.com"), user("ab*@example.com"), (0, 1, 1),
        "loses: may no longer send as a*@example.com (still as ab*@example.com)"),
    one("prefixes overlap", user("alerts-*@example.com"), user("alert*@example.com"), (1, 0, 1),
        "gains: may send as alert*@example.com (before: only as alerts-*@example.com)",
        example="may send as alerthr@example.com from anywhere"),
    one("the expiry is removed", {**CRM, "expires": "2027-06-30"}, CRM, (1, 0, 1),
        "gains: no longer expires (before: until 2027-06-30)", example=f"{ANYWHERE} after 2027-06-30"),
    one("the expiry is extended", {**CRM, "expires": "2027-06-30"}, {**CRM, "expires": "2028-06-30"}, (1, 0, 1),
        "gains: may send until 2028-06-30 (before: until 2027-06-30)",
        example=f"{ANYWHERE} after 2027-06-30 until 2028-06-30"),
    one("an expiry is set", CRM, {**CRM, "expires": "2027-06-30"}, (0, 1, 1), "loses: expires after 2027-06-30"),
    one("a network is widened by a union", {**CRM, "allowed_source_ips": ["203.0.113.0/25"]},
        {**CRM, "allowed_source_ips": ["203.0.113.0/25", "203.0.113.128/26"]}, (1, 0, 1),
        "gains: may send from 203.0.113.128/26", example="may send as crm@example.com from 203.0.113.129"),
    one("two halves are one network", {**CRM, "allowed_source_ips": ["203.0.113.0/25", "203.0.113.128/25"]},
        {**CRM, "allowed_source_ips": ["203.0.113.0/24"]}, (0, 0, 2),
        "the same permission, written differently: gains source network 203.0.113.0/24; "
        "loses source network 203.0.113.0/25, 203.0.113.128/25"),
    one("the networks are removed", {**CRM, "allowed_source_ips": ["192.0.2.0/24"]}, CRM, (1, 0, 1),
        "gains: may send from anywhere", example="may send as crm@example.com from 198.51.100.1"),
    one("an IPv6 network is added", {**CRM, "allowed_source_ips": ["203.0.113.7"]},
        {**CRM, "allowed_source_ips": ["203.0.113.7", "2001:db8::/48"]}, (1, 0, 1),
        "gains: may send from 2001:db8::/48", example="may send as crm@example.com from 2001:db8::1"),
    one("the owner changes", CRM, {**CRM, "owner": "sales@example.com"}, (0, 0, 2),
        "owner crm@example.com → sales@example.com"),
    one("the description changes", CRM, {**CRM, "description": "CRM"}, (0, 0, 2), "description changed"),
    one("the credential is raised", CRM, {**CRM, "credential": 2}, (0, 0, 2),
        "gets a new password; the current one works for 7 more days"),
    one("a rotation is set", CRM, {**CRM, "rotation": {"every_days": 90}}, (0, 0, 2),
        "rotates every 90 days with an overlap of 7 days"),
    one("the user is enabled", {**CRM, "enabled": False}, CRM, (1, 0, 1), "gains: enabled: may send as crm@example.com",
        example=ANYWHERE),
    one("the user is disabled", CRM, {**CRM, "enabled": False}, (0, 1, 1),
        "loses: disabled: may no longer send as crm@example.com"),
    one("a disabled user gets an address", {**CRM, "enabled": False},
        {**CRM_AND_HR, "enabled": False}, (0, 0, 2),
        "without effect, it is disabled: gains hr@example.com"),
    one("an expired user gets an address", {**CRM, "expires": EXPIRED},
        {**CRM_AND_HR, "expires": EXPIRED}, (0, 0, 2),
        "without effect, it has expired: gains hr@example.com"),
    one("an expired user is enabled", {**CRM, "expires": EXPIRED, "enabled": False}, {**CRM, "expires": EXPIRED},
        (0, 0, 2),
        "without effect, it has expired: enabled"),
    one("an expired user may send again", {**CRM, "expires": EXPIRED}, CRM, (1, 0, 1),
        "gains: no longer expired: may send as crm@example.com", example=ANYWHERE),
    one("the entry moves to another file", CRM, {**CRM, "file": "users/test/crm.yaml"}, (0, 0, 2)),
    Case("a new user", (1, 0, 0), "crm", ("gains: may send as crm@example.com",), ANYWHERE, {}, {"crm": CRM}),
    Case("a new user that is disabled", (0, 0, 1), "crm", ("new: it is disabled",), "", {},
         {"crm": {**CRM, "enabled": False}}),
    Case("a deleted user", (0, 1, 0), "crm", ("loses: deleted: may no longer send as crm@example.com",), "",
         {"crm": CRM}),
    Case("a deleted user that had expired", (0, 0, 1), "crm", ("deleted: it has expired",), "",
         {"crm": {**CRM, "expires": EXPIRED}}),
    Case("a rename", (0, 0, 1), "sales", ("renamed from crm: gets a new password",), "", {"crm": CRM}, {"sales": CRM}),
    Case("a rename with more", (1, 0, 0), "sales",
         ("gains: may send as hr@example.com", "renamed from crm: gets a new password"),
         "may send as hr@example.com from anywhere", {"crm": CRM},
         {"sales": CRM_AND_HR}),
    Case("a rename that cannot be told from another", (2, 1, 0), "old",
         ("loses: deleted: may no longer send as crm@example.com",), ANYWHERE, {"old": CRM},
         {"new-a": CRM, "new-b": CRM}),
    setting("a domain is added", {"allowed_domains": ["example.com"]},
            {"allowed_domains": ["example.com", "example.net"]}, "allowed_domains", "+ example.net", loosened=True),
    setting("wildcards become allowed", {}, {"allow_wildcards": True}, "allow_wildcards", "false -> true",
            loosened=True),
    setting("a region is added", {"region": "eu-central-1"},
            {"region": "eu-central-1", "smtp_regions": ["eu-central-1", "eu-west-1"]}, "smtp_regions", "+ eu-west-1",
            loosened=True),
    setting("a limit is raised", {"limits": {"max_deletes": 3}}, {"limits": {"max_deletes": 30}}, "limits.max_deletes",
            "3 -> 30", loosened=True),
    setting("a limit is lowered", {}, {"limits": {"max_creates": 5}}, "limits.max_creates", "50 -> 5", loosened=False),
    setting("a reservation is removed", RESERVED, {}, "reserved_addresses.ceo@example.com",
            "no longer reserved (before: for exec-office)", loosened=True),
    setting("a reservation is shared", RESERVED,
            {"reserved_addresses": [{"address": "ceo@example.com", "users": ["exec-office", "crm"]}]},
            "reserved_addresses.ceo@example.com", "+ crm", loosened=True),
    setting("an address is reserved", {}, {"reserved_addresses": [{"address": "ceo@example.com", "users": []}]},
            "reserved_addresses.ceo@example.com", "reserved for no user", loosened=False),
    setting("somebody else may read passwords", {}, {"credential_readers": ["arn:aws:iam::111122223333:role/all"]},
            "credential_readers", "+ arn:aws:iam::111122223333:role/all", loosened=True),
    setting("apply asks no more", {"confirm": True}, {}, "confirm", "true -> false", loosened=True),
]  # fmt: skip


def side(users: Users, settings: Fields | None) -> Side:
    declared = {}
    for name, given in users.items():
        fields = {key: value for key, value in given.items() if key not in ("addresses", "file")}
        file = given.get("file", "users/test/team.yaml")
        declared[name] = Declaration(a_user(name, *given["addresses"], **fields), file, 3)
    return Side({} if settings is None else {"test": settings}, {"test": declared})


def diff_of(case: Case) -> PermissionDiff:
    sides = side(case.old, case.old_settings), side(case.new, case.new_settings)
    return PermissionDiff("main", "ab" * 20, "the working tree", "", compare_sides(*sides, ["test"], NOW))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_text(case: Case) -> None:
    lines = plain(to_lines(diff_of(case), None)).splitlines()
    assert lines[0] == "permissions · main (abababababab) → the working tree"
    text = [" ".join(line.split()) for line in lines]
    for detail in case.details:
        assert any(detail in line for line in text), text
    gains, loses, keeps = case.total
    if not case.details:
        assert text[1:] == [f"No change of permissions: {keeps} users as before."]
        return
    first = text[2]
    mark = "!" if case.loosened or gains else "-" if loses else "~"
    assert first.startswith(f"{mark} {case.name} ") or gains == 2
    assert (f"now {case.example}" in text[3]) == bool(case.example)
    assert (gains, loses, keeps) == tuple(int(part.split()[0]) for part in text[-1].removeprefix("Users: ").split(", "))
    assert text[-1].endswith("1 setting loosened." if case.loosened else "the same.")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_markdown(case: Case) -> None:
    text = to_markdown(diff_of(case))
    gains, loses, _ = case.total
    for detail in case.details:
        assert f"`{detail}" in text
    assert ("⚠" in text) == bool(gains)
    assert (f"`now {case.example}`" in text) == bool(case.example)
    assert ("(loosened)" in text) == case.loosened
    headings = [line for line in text.splitlines() if line.startswith("####")]
    assert ("#### Losses" in headings) == (loses > 0)
    assert ("#### Settings" in headings) == (case.name not in ("", "crm", "sales", "old"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_json(case: Case) -> None:
    data = json.loads(to_json(diff_of(case)))
    jsonschema.validate(data, SCHEMA)
    total = data["total"]
    assert (total["gains"], total["loses"], total["keeps"], total["loosened_settings"]) == (
        *case.total,
        int(case.loosened),
    )
    (environment,) = data["environments"]
    if not case.details:
        assert environment["users"] == environment["settings"] == []
        return
    if environment["settings"]:
        assert environment["settings"] == [{"name": case.name, "text": case.details[0], "widens": case.loosened}]
        return
    users = environment["users"]
    found = next(entry for entry in users if entry["name"] == case.name)
    assert found["widens"] == (case.total[0] == 1)
    shown = [
        *(f"gains: {text}" for text in found["gains"]),
        *(f"also {other['name']} may send as {other['address']}" for other in found["others"]),
        *(f"loses: {text}" for text in found["loses"]),
        *found["notes"],
    ]
    assert shown == [*case.details]
    assert found["declared_at"] == "users/test/team.yaml:3"
    example = users[0]["example"]
    assert (example["text"] if example else "") == (f"now {case.example}" if case.example else "")
    assert example is None or example["from_address"] in case.example

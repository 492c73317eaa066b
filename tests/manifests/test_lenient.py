"""Manifests that are invalid count for what is valid in them: never for more than was written."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.user import Rotation
from reconciler.manifests.files import DISK
from reconciler.manifests.lenient import load_leniently, load_settings

SETTINGS: dict[str, Any] = {
    "allowed_domains": ["example.com"],
    "reserved_addresses": [{"address": "ceo@example.com", "users": ["exec-office"]}, 3],
}
VALID: dict[str, Any] = {"name": "crm", "allowed_from_addresses": ["crm@example.com"]}


def load(root: Path, *entries: object, settings: dict[str, Any] = SETTINGS) -> dict[str, Any]:
    folder = root / "users" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.yaml").write_text(yaml.safe_dump(json.loads(json.dumps({"users": entries}))))
    found = load_leniently(root / "users", "test", {"test": settings}, DISK)
    return {name: declaration.user for name, declaration in found.items()}


def test_what_is_valid_is_kept(tmp_path: Path) -> None:
    entry = {
        **VALID,
        "allowed_from_addresses": ["crm@example.com", "a@example.org", "*@example.com", "ceo@example.com", 3],
        "allowed_source_ips": ["203.0.113.0/24", "10.0.0.0/8", 7],
        "expires": "2027-06-30",
        "credential": "x",
        "owner": 3,
        "rotation": {"every_days": 90},
        "unknown": 1,
    }
    user = load(tmp_path, entry)["crm"]
    assert user.allowed_from_addresses == ("crm@example.com",)
    assert user.allowed_source_ips == ("203.0.113.0/24",)
    assert (user.expires, user.credential, user.owner) == (date(2027, 6, 30), 1, "")
    assert user.rotation == Rotation(90, 7)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "CRM"},
        {"name": 3},
        {"allowed_from_addresses": "crm@example.com"},
        {"allowed_from_addresses": ["a@example.org"]},
        {"allowed_source_ips": ["10.0.0.0/8"]},
        {"allowed_source_ips": None},
        {"allowed_source_ips": ["0.0.0.0/1", "128.0.0.0/1"]},
        {"expires": "2027-02-31"},
        {"expires": None},
        {"expires": ""},
        {"enabled": "yes"},
    ],
)
def test_a_permission_that_cannot_be_known_counts_as_none(tmp_path: Path, fields: dict[str, Any]) -> None:
    assert load(tmp_path, {**VALID, **fields}) == {}


def test_a_policy_that_iam_would_not_take_counts_as_none(tmp_path: Path) -> None:
    fields = {**VALID, "allowed_from_addresses": [f"sender-{number:02}@example.com" for number in range(70)]}
    settings = {**SETTINGS, "region": "eu-central-1", "account_id": "111122223333"}
    assert [*load(tmp_path, fields, settings=settings)] == ["crm"]
    settings["smtp_regions"] = ["eu-central-1", "eu-west-1", "us-east-1", "ap-south-1"]
    assert load(tmp_path, fields, settings=settings) == {}


def test_of_a_name_that_is_declared_twice_neither_counts(tmp_path: Path) -> None:
    assert [*load(tmp_path, VALID, {**VALID, "name": "other"}, VALID, 3)] == ["other"]


def test_wildcards_count_only_where_they_were_allowed(tmp_path: Path) -> None:
    wildcard = {**VALID, "allowed_from_addresses": ["*@example.com"]}
    assert load(tmp_path, wildcard) == {}
    assert [*load(tmp_path, wildcard, settings={**SETTINGS, "allow_wildcards": True, "reserved_addresses": 3})] == [
        "crm"
    ]


def test_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "users" / "test").mkdir(parents=True)
    (tmp_path / "users" / "test" / "b.yaml").write_text("users: [\n")
    (tmp_path / "users" / "test" / "c.yaml").write_text("- users\n")
    assert [*load(tmp_path, VALID)] == ["crm"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("environments: {test: {region: x}, prod: 3}", {"test": {"region": "x"}}),
        ("environments: 3", {}),
        ("- 3", {}),
        ("environments: [", {}),
    ],
)
def test_settings_are_read_as_far_as_they_are_mappings(tmp_path: Path, text: str, found: dict[str, Any]) -> None:
    (tmp_path / "reconcile.yaml").write_text(text)
    assert load_settings(tmp_path / "reconcile.yaml", DISK) == found

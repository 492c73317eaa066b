"""Settings that loosen an environment. No setting of the schema is forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.manifests.schema import SCHEMA_DIR
from reconciler.planning.permission_settings import INNER_DEFAULTS, RULES, SettingChange, compare_environment

SCHEMA: dict[str, Any] = json.loads((SCHEMA_DIR / "reconcile.schema.json").read_text(encoding="utf-8"))
SETTINGS = SCHEMA["$defs"]["environment"]["properties"]
ARN = "arn:aws:iam::111122223333:role/a"


def test_every_setting_of_the_schema_has_a_rule_and_its_default() -> None:
    assert set(RULES) == set(SETTINGS)
    for name, schema in SETTINGS.items():
        if "default" in schema:
            assert RULES[name][1] == schema["default"], name
        for inner, part in schema.get("properties", {}).items():
            assert INNER_DEFAULTS.get(f"{name}.{inner}") == part.get("default"), inner


@pytest.mark.parametrize(
    ("name", "old", "new", "text", "loosens"),
    [
        ("account_id", "111122223333", "444455556666", "111122223333 -> 444455556666", True),
        ("region", "eu-central-1", "eu-west-1", "eu-central-1 -> eu-west-1", False),
        ("configuration_set", "smtp-a", "smtp-b", "smtp-a -> smtp-b", True),
        ("allowed_domains", ["b.io", "a.io"], ["a.io"], "- b.io", False),
        ("allowed_domains", ["b.io", "a.io"], ["a.io", "b.io"], "now in the order a.io, b.io", False),
        ("allow_wildcards", True, False, "true -> false", False),
        ("local", None, True, "false -> true", True),
        ("local", 1, True, "1 -> true", True),
        ("wide_reads", False, None, "false -> true", True),
        ("confirm", False, True, "false -> true", False),
        ("github_subject_prefix", None, "repo:a/b", "not set -> repo:a/b", True),
        ("github_subject_prefix", "repo:a/b", None, "repo:a/b -> not set", False),
        ("credential_readers", [ARN], None, f"- {ARN}", False),
        ("external_credential_readers", None, [ARN], f"+ {ARN}", True),
        ("role_permissions_boundary", ARN, None, f"{ARN} -> not set", True),
        ("role_permissions_boundary", None, ARN, f"not set -> {ARN}", False),
        ("dmarc_policy", "reject", "none", "reject -> none", True),
        ("dmarc_subdomain_policy", "none", "reject", "none -> reject", False),
        ("spf_all", "-all", None, "-all -> ~all", True),
        ("mta_sts_mode", "enforce", "off", "enforce -> off", True),
        ("alarm_emails", ["a@b.io", "c@b.io"], ["a@b.io"], "- c@b.io", True),
        ("alarm_emails", ["a@b.io"], ["a@b.io", "c@b.io"], "+ c@b.io", False),
        ("deletion_protection", None, False, "true -> false", True),
        ("log_retention_days", 365, 30, "365 -> 30", True),
        ("log_retention_days", 30, "x", "30 -> x", True),
        ("tags", {"a": "1"}, {"a": "2"}, None, False),
        ("of_another_version", None, 3, "not set -> 3", True),
        ("allowed_domains", "wrong", ["a.io"], "wrong -> ['a.io']", True),
    ],
)  # fmt: skip
def test_a_change_loosens_or_not(name: str, old: Any, new: Any, text: str | None, loosens: bool) -> None:
    before, after = ({} if value is None else {name: value} for value in (old, new))
    changes = {change.name: change for change in compare_environment(before, after)}
    if text is None:
        (change,) = changes.values()
        assert change == SettingChange("tags.a", "1 -> 2", widens=False)
        return
    assert changes[name] == SettingChange(name, text, loosens)


@pytest.mark.parametrize(
    ("name", "default", "value", "loosens"),
    [
        ("limits.max_creates", 50, 51, True),
        ("limits.max_creates", 50, 49, False),
        ("limits.max_deletes", None, 5, True),
        ("alarm_thresholds.bounce_rate", 0.05, 0.1, True),
        ("reserved_concurrency.sweep", None, 1, False),
        ("topic_kms_keys.eu-central-1", None, ARN, False),
        ("identities.example.com", "managed", "existing", False),
    ],
)
def test_a_value_of_a_mapping_is_a_setting_of_its_own(name: str, default: Any, value: Any, loosens: bool) -> None:
    setting, _, inner = name.partition(".")
    shown = "not set" if default is None else default
    assert compare_environment({}, {setting: {inner: value}}) == (SettingChange(name, f"{shown} -> {value}", loosens),)


def test_hosts_and_keys_of_a_domain_or_region_that_come_and_go() -> None:
    (change,) = compare_environment({}, {"receiving_hosts": {"a.io": ["mx.b.io"]}})
    assert change == SettingChange("receiving_hosts.a.io", "+ mx.b.io", widens=True)
    (change,) = compare_environment({"topic_kms_keys": {"eu-west-1": ARN}}, {})
    assert change == SettingChange("topic_kms_keys.eu-west-1", f"{ARN} -> not set", widens=True)


def test_a_default_that_depends_on_another_setting_is_no_change() -> None:
    old = {"region": "eu-central-1", "dmarc_policy": "none"}
    new = {**old, "smtp_regions": ["eu-central-1"], "dmarc_subdomain_policy": "none", "deletion_protection": True}
    assert compare_environment(old, new) == ()
    assert compare_environment({"local": True}, {"local": True, "deletion_protection": False}) == ()


def test_the_same_reservation_written_differently_is_no_change() -> None:
    one, other = ([{"address": address, "users": ["a"]}] for address in ("ceo@example.com", "ceo@EXAMPLE.com"))
    assert compare_environment({"reserved_addresses": one}, {"reserved_addresses": other}) == ()


def test_what_loosens_comes_first() -> None:
    old, new = {"confirm": True, "allowed_domains": ["a.io"]}, {"allowed_domains": [], "wide_reads": True}
    assert [change.name for change in compare_environment(old, new)] == ["confirm", "allowed_domains"]


@pytest.mark.parametrize("wrong", [3, [3], [{"users": "x"}]])
def test_reservations_that_are_invalid_are_compared_as_far_as_they_can_be(wrong: Any) -> None:
    changes = compare_environment({"reserved_addresses": wrong}, {"reserved_addresses": []})
    assert all(change.widens for change in changes)

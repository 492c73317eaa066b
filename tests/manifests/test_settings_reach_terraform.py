"""Every setting of `reconcile.yaml` is known where it has an effect, with one default."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from reconciler.manifests.environments import Deployment
from reconciler.manifests.schema import SCHEMA_DIR
from reconciler.planning.dns_settings import DnsSettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = json.loads((SCHEMA_DIR / "reconcile.schema.json").read_text(encoding="utf-8"))["$defs"][
    "environment"
]["properties"]
DNS = {each.name for each in fields(DnsSettings)}


def terraform_settings() -> dict[str, str]:
    """The attributes of the object `settings` of the module `environment`, with their types."""
    text = (ROOT / "terraform/modules/environment/variables.tf").read_text(encoding="utf-8")
    block = text[text.index("type = object({") : text.index("\n  })\n")]
    return dict(re.findall(r"^ {4,6}(\w+) += (.+)$", block, re.MULTILINE))


def test_terraform_or_the_command_reads_every_setting() -> None:
    by_the_command = DNS | {"confirm", "reserved_addresses"}
    by_the_provider = {"tags"}  # default_tags in terraform/environments/ENV/main.tf
    known = set(terraform_settings()) - set(SETTINGS["alarm_thresholds"]["properties"])
    assert known | by_the_command | by_the_provider == set(SETTINGS)
    assert {each.name for each in fields(Deployment)} - {"existing_identities"} <= set(SETTINGS)


def test_the_defaults_are_the_same_everywhere() -> None:
    types = terraform_settings()
    everything = {**SETTINGS, **SETTINGS["alarm_thresholds"]["properties"]}
    for name, setting in everything.items():
        written = re.search(r", (\"?[\w./-]+\"?)\)$", types.get(name, ""))
        if written and "default" in setting:
            assert json.loads(written[1]) == setting["default"], name
    for each in fields(DnsSettings):
        if "default" in SETTINGS[each.name]:
            assert each.default == SETTINGS[each.name]["default"]


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/manifests.md").read_text(encoding="utf-8")
    assert [name for name in SETTINGS if f"| `{name}" not in page] == []

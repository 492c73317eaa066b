"""The functions' environment variables: read as they were written, and the same in Terraform."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manager.settings import DeadLetterSettings, ManagerSettings, Settings, SweepSettings

FUNCTIONS = Path(__file__).parents[2] / "terraform/modules/pipeline/functions.tf"
SETTINGS = Settings(
    environment="test",
    account_id="123456789012",
    table="smtp-users",
    key="arn:aws:kms:eu-central-1:123456789012:key/1",
    boundary_arn="arn:aws:iam::123456789012:policy/boundary",
    configuration_set="smtp-test",
    smtp_regions=("eu-central-1", "eu-west-1"),
    allowed_domains=frozenset({"news.example.com", "example.com"}),
    allow_wildcards=True,
    iam_user_tags={"cost-center": "4711"},
)
MANAGER = ManagerSettings(queue_url="https://dead")
DEAD_LETTER = DeadLetterSettings(
    queue_url="https://dead",
    parking_url="https://parked",
    tries=8,
    table_arn="arn:aws:dynamodb:eu-central-1:123456789012:table/smtp-users",
    batch_size=10,
)
SWEEP = SweepSettings(
    manager_function="smtp-manager", max_orphans=5, max_orphan_percent=20, users_per_run=500, wide_reads=False
)


@pytest.mark.parametrize("allow", [True, False])
def test_settings_are_read_as_they_were_written(allow: bool) -> None:
    settings = replace(SETTINGS, allow_wildcards=allow)
    assert Settings.from_environ(settings.to_environ()) == settings
    assert ManagerSettings.from_environ(MANAGER.to_environ()) == MANAGER
    assert DeadLetterSettings.from_environ(DEAD_LETTER.to_environ()) == DEAD_LETTER
    assert SweepSettings.from_environ(SWEEP.to_environ()) == SWEEP


def test_settings_are_written_as_terraform_writes_them() -> None:
    written = SETTINGS.to_environ()
    assert written["SMTP_REGIONS"] == "eu-central-1,eu-west-1"
    assert written["ALLOWED_DOMAINS"] == "example.com,news.example.com"
    assert written["ALLOW_WILDCARDS"] == "true"
    assert written["IAM_USER_TAGS"] == '{"cost-center": "4711"}'
    assert SWEEP.to_environ() == {
        "MANAGER_FUNCTION": "smtp-manager",
        "MAX_ORPHANS": "5",
        "MAX_ORPHAN_PERCENT": "20",
        "SWEEP_USERS_PER_RUN": "500",
        "WIDE_READS": "false",
    }


def test_a_missing_variable_is_named() -> None:
    environ = DEAD_LETTER.to_environ()
    del environ["DEAD_LETTER_TRIES"]
    with pytest.raises(KeyError, match="DEAD_LETTER_TRIES"):
        DeadLetterSettings.from_environ(environ)


def block(text: str, name: str) -> str:
    """What stands between the braces of `name = {`."""
    begin = re.search(rf"\b{name} += \{{", text)
    assert begin, name
    depth, end = 1, begin.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[begin.end() : end - 1]


def variables(text: str) -> set[str]:
    return set(re.findall(r"^ *([A-Z_]+) +=", text, re.MULTILINE))


def test_terraform_sets_the_variables_that_the_functions_read() -> None:
    text = FUNCTIONS.read_text(encoding="utf-8")
    own = block(text, "own_settings")
    assert variables(block(text, "settings")) == SETTINGS.to_environ().keys()
    assert variables(block(own, "manager")) == MANAGER.to_environ().keys()
    assert variables(block(own, "dead_letter")) == DEAD_LETTER.to_environ().keys()
    assert variables(block(own, "sweep")) == SWEEP.to_environ().keys()

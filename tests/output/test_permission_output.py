"""Permission diffs of any size and with any text: nothing acts on a terminal or on GitHub, and no widening is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.output.markdown import TABLE_BYTES
from reconciler.output.permission import describe_range, to_lines
from reconciler.output.permission_json import to_json
from reconciler.output.permission_markdown import to_markdown
from reconciler.output.styled import Style, plain
from reconciler.planning.evaluation import SendAttempt
from reconciler.planning.permission_change import PermissionChange
from reconciler.planning.permission_diff import EnvironmentDiff, Kind, Other, PermissionDiff, UserChange
from reconciler.planning.permission_settings import SettingChange
from support.attacks import ATTACKS
from support.neutral import assert_log_is_neutral, assert_markdown_is_neutral

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
COMMENT_LIMIT = 65_536


def widening(name: str, gain: str = "may send as hr@example.com") -> UserChange:
    attempt = SendAttempt("hr@example.com", NOW)
    change = PermissionChange((gain,), (), "may send as hr@example.com from anywhere", attempt)
    return UserChange(name, Kind.NEW, change, (), "users/test/team.yaml:3")


def loss(name: str) -> UserChange:
    change = PermissionChange((), ("deleted: may no longer send as hr@example.com",))
    return UserChange(name, Kind.DELETED, change, (), "users/test/team.yaml:3")


def diff(*users: UserChange, settings: tuple[SettingChange, ...] = ()) -> PermissionDiff:
    environment = EnvironmentDiff("test", Kind.CHANGED, settings, users, 0)
    return PermissionDiff("main", "ab" * 20, "HEAD", "cd" * 20, (environment,))


def test_commits_are_named_once() -> None:
    made = diff()
    assert describe_range(made) == "main (abababababab) → HEAD (cdcdcdcdcdcd)"
    assert describe_range(replace(made, base="abababab", head="the working tree", head_commit="")) == (
        "abababab → the working tree"
    )


@pytest.mark.parametrize("number", [1, 100, 400, 2_000, 5_000])
def test_every_widening_is_in_the_markdown_whatever_its_number(number: int) -> None:
    names = [f"user-{index}" for index in range(number)]
    text = to_markdown(diff(*map(widening, names), *(loss(f"gone-{index}") for index in range(1_000))))
    assert len(text.encode()) < COMMENT_LIMIT or number == 5_000  # a job summary holds 1 MB
    assert f"#### ⚠ {number} widening" in text
    shown = {span.removeprefix("test/") for span in text.split("`")[1::2]}
    assert {*names} <= shown
    assert ("now may send as hr@example.com from anywhere" in text) == (number < 2_000)
    assert "more users" in text


def test_a_long_widening_is_not_cut() -> None:
    gain = "may send as " + ", ".join(f"department-{index}@example.com" for index in range(60))
    assert f"`gains: {gain}`" in to_markdown(diff(widening("crm", gain)))


def test_a_setting_that_is_loosened_is_neither_cut_nor_left_out() -> None:
    loosened = SettingChange("allowed_domains", ", ".join(f"+ d{n}.example.com" for n in range(200)), widens=True)
    others = tuple(SettingChange(f"tags.{n}", "x" * 1_000, widens=False) for n in range(100))
    text = to_markdown(diff(settings=(loosened, *others)))
    assert "+ d199.example.com (loosened)`" in text
    assert "more settings |" in text
    assert len(text.encode()) < TABLE_BYTES


def test_others_that_are_not_named_are_mentioned() -> None:
    user = replace(widening("crm"), others=(Other("billing", "hr@example.com"),), more_others=True)
    assert "`also billing may send as hr@example.com`<br>`also others`" in to_markdown(diff(user))


def test_new_and_deleted_environments_are_named() -> None:
    made = diff()
    new, deleted = (replace(made.environments[0], kind=kind) for kind in (Kind.NEW, Kind.DELETED))
    text = plain(to_lines(replace(made, environments=(new, deleted)), None))
    assert "test · new environment\ntest · no longer in reconcile.yaml" in text
    assert "**`test · new environment`**" in to_markdown(replace(made, environments=(new,)))


def test_a_widening_is_red() -> None:
    rows = to_lines(diff(widening("crm"), loss("old")), None)
    assert [row[0].style for row in rows[1:]] == [Style.HEADING, None, None, None, None]
    assert [{segment.style for segment in row[1:]} for row in rows[2:-1]] == [{Style.BAD}, {Style.BAD}, {Style.CHANGED}]


@pytest.mark.parametrize("text", [text for text in ATTACKS if text != "\ud800"])
def test_no_text_acts_on_the_output(text: str) -> None:
    change = PermissionChange((text,), (text,), text, SendAttempt(text, NOW, text))
    user = UserChange(text, Kind.RENAMED, change, (text,), text, text, (Other(text, text),))
    settings = (SettingChange(text, text, widens=True), SettingChange(text, text, widens=False))
    environment = EnvironmentDiff(text, Kind.NEW, settings, (user, loss(text)), 0)
    made = PermissionDiff(text, "ab" * 20, text, "", (environment,), ((text, text),))
    for width in (None, 60):
        assert_log_is_neutral(plain(to_lines(made, width)))
    assert_markdown_is_neutral(to_markdown(made))
    assert_log_is_neutral(to_json(made))
    assert json.loads(to_json(made))["environments"][0]["users"][0]["name"] == text

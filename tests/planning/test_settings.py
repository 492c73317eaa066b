from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.settings import compare_settings

SETTINGS: dict[str, Any] = {
    "allowed_domains": ["example.com", "news.example.com"],
    "allow_wildcards": True,
    "limits": {"max_deletes": 2, "max_delete_percent": 50},
    "region": "eu-central-1",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"allowed_domains": ["a.example.com", "example.com"]}, "allowed_domains: + a.example.com, - news.example.com"),
        (
            {"allowed_domains": ["news.example.com", "example.com"]},
            "allowed_domains: now in the order news.example.com, example.com",
        ),
        ({"allow_wildcards": False}, "allow_wildcards: true -> false"),
        ({"limits": {"max_deletes": 20, "max_delete_percent": 50}}, "limits.max_deletes: 2 -> 20"),
        ({"region": "eu-west-1"}, "region: eu-central-1 -> eu-west-1"),
        ({"region": ["eu-west-1"]}, "region: eu-central-1 -> ['eu-west-1']"),
    ],
)
def test_each_setting_that_differs_is_one_text(change: dict[str, Any], words: str) -> None:
    assert compare_settings(SETTINGS, {**SETTINGS, **change}) == (words,)


def test_what_was_not_stored_is_not_compared() -> None:
    assert compare_settings({}, SETTINGS) == ()
    assert compare_settings(SETTINGS, SETTINGS) == ()
    newer = {**SETTINGS, "limits": {**SETTINGS["limits"], "max_creates": 10}}
    assert compare_settings(SETTINGS, newer) == compare_settings(newer, SETTINGS) == ()

"""Scenarios that once violated an invariant, in their shortest form; each runs with many salts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import key_decision
from simulation.actions import Action
from simulation.story import Scenario, simulate
from simulation.world import Settings

SALTS = 150


def play(kind: str, name: str = "", calls: int | None = None, **args: Any) -> Action:
    return Action(kind, name, args, calls=calls)


def fault(kind: str, on: str) -> Action:
    return Action("fault", args={"kind": kind, "on": on, "skip": 0, "times": 1})


MADE = (play("declare", "ant"), play("reconcile", allow=True), play("deliver", times=3))
ROTATED = (*MADE, play("rotate", "ant"), play("reconcile", allow=True), play("deliver", times=3))
DISABLED = (*MADE, play("disable", "ant", enabled=False), play("reconcile", allow=True), play("deliver", times=3))
ENABLED = (
    *(*DISABLED, play("pass", minutes=2), play("enable", "ant", enabled=True, expires=None)),
    *(play("reconcile", allow=True), play("deliver", times=3)),
)
OUTDATED = "a rotation right after enabling finds the key listed as inactive, and deletes it without an overlap"
LATE = "timed out, done later"

FOUND: dict[str, tuple[Settings, tuple[Action, ...]]] = {
    "two functions create the first key, and one deletes the key that the other stores": (
        Settings(stickiness=0.0),
        (
            play("declare", "ant"),
            play("reconcile", allow=True),
            play("pass", minutes=20),
            play("sweep", calls=3),
            play("deliver", times=3),
        ),
    ),
    "the result is written after its key was deleted again": (
        Settings(stickiness=0.0),
        (play("declare", "ant"), play("reconcile", allow=True), fault(LATE, "UpdateItem"), play("deliver", times=3)),
    ),
    "a user created a moment ago for an old record fails as if permissions were missing": (
        Settings(lag=55),
        (
            play("declare", "ant"),
            play("reconcile", allow=True),
            play("pass", minutes=2),
            play("deliver", times=6),
        ),
    ),
    "a revocation that was denied leaves the key active": (
        Settings(),
        (
            *MADE,
            play("revoke", "ant"),
            play("pass", minutes=2),
            fault("access denied", "UpdateAccessKey"),
            play("deliver", times=3),
        ),
    ),
    "the previous key is deleted manually, and the record still lists it": (
        Settings(),
        (*ROTATED, play("drift", "ant", what="a key is deleted")),
    ),
    OUTDATED: (
        Settings(lag=55),
        (*ENABLED, play("rotate", "ant"), play("reconcile", allow=True), play("deliver", times=3)),
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_once_is_not_found_again(what: str) -> None:
    settings, actions = FOUND[what]
    for salt in range(SALTS):
        last = replace(actions[-1], salt=salt)
        result = simulate(Scenario(0, settings, (*actions[:-1], last)))
        assert result.broken == (), f"salt {salt}"


def test_a_list_that_is_believed_although_it_is_outdated_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """I18: as it was before the record said how the last result left a key."""
    monkeypatch.setattr(key_decision, "_was_active", lambda *_: None)
    settings, actions = FOUND[OUTDATED]
    results = (
        simulate(Scenario(0, settings, (*actions[:-1], replace(actions[-1], salt=salt)))) for salt in range(SALTS)
    )
    assert any(result.invariant == "I18" for result in results)

"""The item APPLIED#state: conditional, and readable whatever it contains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.aws.applied_state import ATTRIBUTES, DynamoAppliedStates, _read
from reconciler.core.applied_state import NOTHING_APPLIED, AppliedState, RevokedUser
from reconciler.errors import Conflict
from support.generated import JUNK
from support.world import TABLE, World

KEY = {"PK": "SMTP_USER", "SK": "APPLIED#state"}
STATE = AppliedState(
    commit="ab" * 20,
    actor="arn:aws:iam::123456789012:user/ann",
    correlation_id="abab-1",
    applied_at="2026-06-01T12:00:00Z",
    counts={"create": 2},
    settings={"allowed_domains": ["example.com"], "allow_wildcards": True, "limits": {"max_deletes": 2}},
    revoked={"crm": RevokedUser("ann", "leaked", "2026-06-01T12:00:00Z", "a@example.com", ("crm@example.com",))},
)


@pytest.fixture
def states(world: World) -> DynamoAppliedStates:
    return DynamoAppliedStates(world.dynamodb, TABLE)


def test_it_is_read_as_it_was_saved(world: World, states: DynamoAppliedStates) -> None:
    assert states.load() == NOTHING_APPLIED
    world.table.put_item(Item={**KEY, "SK": "APPLIED#state-of-others", "commit": "x"})
    assert states.load() == NOTHING_APPLIED
    saved = states.save(STATE)
    assert states.load() == saved == replace(STATE, version=1)
    assert states.save(replace(saved, commit="")).version == 2
    assert (states.load().commit, states.load().valid) == ("", True)
    assert list(world.store.records()) == []


def test_of_two_runs_that_read_the_same_state_one_has_to_plan_again(states: DynamoAppliedStates) -> None:
    states.save(STATE)
    read = states.load()
    states.save(replace(read, correlation_id="abab-2"))
    with pytest.raises(Conflict):
        states.save(replace(read, correlation_id="abab-3"))
    assert states.load().correlation_id == "abab-2"


def test_our_own_write_whose_answer_was_lost_is_no_conflict(states: DynamoAppliedStates) -> None:
    states.save(STATE)
    assert states.save(STATE).version == 1


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "--upload-pack=x"}, {"commit": "AB" * 20}, {"commit": 7}, {"commit": None}, {"version": "1"},
        {"version": -1}, {"settings": "none"}, {"revoked_users": ["crm"]}, {"version": True},
    ],
)  # fmt: skip
def test_what_is_invalid_is_marked_and_can_be_replaced(
    world: World, states: DynamoAppliedStates, change: dict[str, Any]
) -> None:
    states.save(STATE)
    world.table.put_item(Item={**world.table.get_item(Key=KEY)["Item"], **change})
    found = states.load()
    assert not found.valid
    assert states.save(replace(found, commit=STATE.commit)).valid
    assert states.load().valid


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(ATTRIBUTES), JUNK))
def test_reading_never_raises_and_every_revoked_name_stays_revoked(item: dict[str, Any]) -> None:
    found = _read(item)
    assert found.exists
    if isinstance(item.get("revoked_users"), dict):
        assert found.revoked.keys() == item["revoked_users"].keys()
    texts = (found.commit, found.actor, found.ci_actor, found.run, found.correlation_id, found.applied_at)
    assert all(text.isprintable() for text in texts)

"""Many users in the models: pages, and users that need nothing."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.user import make_user
from reconciler.ports import ChangeRequest
from simulation import dynamodb, iam, notation
from simulation.fleet import Fleet
from simulation.world import MANAGER

REQUEST = ChangeRequest(MANAGER, "0" * 40, "somebody", "c0ffee-1", "2026-06-01T12:00:00Z")


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    for model in (dynamodb, iam):
        monkeypatch.setattr(model, "PAGE", model.PAGE)  # the fleet replaces it
    made = Fleet()
    users = [make_user({"name": f"user-{n}", "allowed_from_addresses": (f"u{n}@example.com",)}) for n in range(5)]
    made.fill([(user, "users/test/team.yaml") for user in users], REQUEST)
    return made


def test_users_are_active_and_need_nothing(fleet: Fleet) -> None:
    assert [record.status for record in fleet.writer.records()] == ["active"] * 5
    assert fleet.converger.converge("user-3", audit=True).result == "unchanged"
    assert fleet.table.log == []


def test_a_query_returns_every_record_once_in_order(fleet: Fleet) -> None:
    fleet.table.page = 2
    assert [record.name for record in fleet.writer.records()] == [f"user-{n}" for n in range(5)]
    assert fleet.wire.counts["dynamodb:Query"] == 3


def test_the_quota_of_users_holds(fleet: Fleet) -> None:
    fleet.iam._quota = 5
    with pytest.raises(Exception, match="UsersPerAccount"):
        fleet.iam.create_user(UserName="another")
    assert len(list(fleet.iam.users())) == 5


def test_a_key_condition_may_be_a_range() -> None:
    request: dict[str, Any] = {"ExpressionAttributeValues": {":a": {"S": "b"}, ":b": {"S": "d"}, ":p": {"S": "x"}}}
    found = [
        letter
        for letter in "abcde"
        if notation.holds("PK = :p AND SK BETWEEN :a AND :b", {"PK": {"S": "x"}, "SK": {"S": letter}}, request)
    ]
    assert found == ["b", "c", "d"]

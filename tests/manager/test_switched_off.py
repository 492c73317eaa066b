"""A key that must be inactive is deactivated, despite outdated listings, concurrent runs and denied calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.core.decision import Identity, Key
from reconciler.core.ownership import iam_user_name
from reconciler.errors import Retryable
from support.attachments import quarantine
from support.world import ENV, World, a_user

NAME = "billing-mailer"
IAM_USER = iam_user_name(ENV, NAME)


class Stale:
    """IAM with an outdated listing of a user's keys: it returns `listed` instead."""

    def __init__(self, world: World, listed: tuple[Key, ...]) -> None:
        self._real = world.identities
        self._listed = listed

    def observe(self, name: str) -> Identity | None:
        found = self._real.observe(name)
        return replace(found, keys=self._listed) if found else None

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real, attribute)


def converge(world: World, listed: tuple[Key, ...]) -> Any:
    stale: Any = Stale(world, listed)
    return replace(world.converger, identities=stale).converge(NAME)


@pytest.fixture
def sending(world: World) -> str:
    """The key of an active user."""
    world.ask(a_user())
    world.converge()
    return world.record().smtp_username


def test_a_key_that_is_not_listed_yet_is_deactivated_all_the_same(world: World, sending: str) -> None:
    world.revoke()
    with pytest.raises(Retryable, match="not listed"):
        converge(world, ())
    assert world.access_keys() == {sending: "Inactive"}
    world.pass_time(minutes=2)
    assert world.converge().result == "disabled"


def test_a_key_that_is_listed_as_inactive_is_deactivated_once_more(world: World, sending: str) -> None:
    world.pass_time(hours=1)
    world.revoke()
    assert converge(world, (Key(sending, active=False),)).result == "disabled"
    assert world.access_keys() == {sending: "Inactive"}


def test_a_revocation_does_not_wait_for_repairs(world: World, sending: str) -> None:
    """Tags and boundary may be denied: the key is already inactive."""
    world.pass_time(hours=1)
    world.iam.untag_user(UserName=IAM_USER, TagKeys=["smtp-user"])
    world.revoke()
    world.pass_time(hours=1)

    def refuse(model: Any, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, model.name)

    world.iam.meta.events.register_first("before-call.iam.PutUserPermissionsBoundary", refuse)
    assert world.converge().result == "failed"
    assert world.access_keys() == {sending: "Inactive"}


def test_an_audit_gets_a_revocation_through_that_had_failed(world: World, sending: str) -> None:
    world.pass_time(hours=1)
    world.revoke()
    error = Retryable("iam:UpdateAccessKey", "Throttling", "too often", correlation_id=world.record().correlation_id)
    world.converger.give_up(NAME, error, 8)
    assert (world.record().status, world.access_keys()) == ("failed", {sending: "Active"})
    assert world.audit().result == "disabled"
    assert world.access_keys() == {sending: "Inactive"}


def test_an_unknown_key_of_a_revoked_user_is_deactivated_at_once(world: World, sending: str) -> None:
    """New keys may be about to be stored: they are not deleted, but deactivated."""
    world.pass_time(hours=1)
    added = world.iam.create_access_key(UserName=IAM_USER)["AccessKey"]["AccessKeyId"]
    world.revoke()
    young = Key(added, active=True, created_at=world.now)
    converge(world, (Key(sending, active=True), young))
    assert world.access_keys() == {sending: "Inactive", added: "Inactive"}


class TestQuarantine:
    """AWS detected an exposed key of the user."""

    @pytest.fixture(autouse=True)
    def leaked(self, world: World, sending: str) -> None:
        assert sending
        world.pass_time(hours=1)
        world.ask(a_user(enabled=False))
        world.converge()
        quarantine(world, IAM_USER)

    def test_its_key_is_not_made_active_again(self, world: World, sending: str) -> None:
        world.ask(a_user())
        report = world.converge()
        assert report.failure
        assert report.failure.code == "Quarantined"
        assert world.access_keys() == {sending: "Inactive"}

    def test_a_raised_credential_makes_a_new_one(self, world: World, sending: str) -> None:
        world.ask(a_user(credential=2))
        assert world.converge().result == "active"
        (key,) = world.access_keys().items()
        assert key[0] != sending
        assert key[1] == "Active"

    def test_a_warning_needs_one_call_and_no_record(self, world: World) -> None:
        with world.calls() as calls:
            report = world.converger.warn(NAME)
        assert calls == ["ListAttachedUserPolicies"]
        assert "AWSCompromisedKeyQuarantine" in report.warnings[0]
        assert world.converger.warn("nobody").warnings == ()

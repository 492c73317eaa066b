"""After the last attempt: the pending record states the reason, and no other record changes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.core.record import Failure, timestamp
from reconciler.errors import AwsError, Conflict, Retryable
from support.world import World, a_user

NAME = "billing-mailer"


def failing(world: World, name: str = NAME) -> AwsError:
    """The exception of a converge while IAM throttles."""

    def throttle(model: Any, **_: Any) -> None:
        error: Any = {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}
        raise ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": 400}}, model.name)

    world.iam.meta.events.register_first("before-call.iam.GetUser", throttle)
    with pytest.raises(Retryable) as caught:
        world.converge(name)
    world.iam.meta.events.unregister("before-call.iam.GetUser", throttle)
    return caught.value


@pytest.mark.parametrize("deleting", [False, True])
def test_a_record_that_waited_fails_with_what_was_met_last(world: World, deleting: bool) -> None:
    world.ask(a_user())
    if deleting:
        world.converge()
        world.ask_delete()
    error = failing(world)
    asked = world.record()
    report = world.converger.give_up(NAME, error, 8)
    assert report
    during = "deleting" if deleting else "pending"
    failure = Failure("Throttling", "iam:GetUser: Rate exceeded", timestamp(world.now), 8, during)
    assert (report.result, report.failure, report.correlation_id) == ("failed", failure, asked.correlation_id)
    record = world.record()
    assert (record.status, record.failure) == ("failed", failure)


def test_a_record_that_is_asked_for_anew_is_not_failed_for_what_was_asked_before(world: World) -> None:
    world.ask(a_user())
    error = failing(world)
    world.ask(a_user(description="again"))
    before = world.row()
    assert world.converger.give_up(NAME, error, 8) is None
    assert world.row() == before


@pytest.mark.parametrize("status", ["active", "disabled", "failed", "paused"])
def test_a_record_that_does_not_wait_is_left_as_it_is(world: World, status: str) -> None:
    world.put_row(NAME, status=status, allowed_from_addresses=["a@example.com"])
    before = world.row()
    assert world.converger.give_up(NAME, RuntimeError("x"), 8) is None
    assert world.row() == before


def test_where_there_is_no_record_there_is_nothing_to_say(world: World) -> None:
    assert world.converger.give_up(NAME, RuntimeError("x"), 8) is None
    assert world.row() is None


def test_a_defect_of_ours_is_reported_by_its_kind_alone(world: World) -> None:
    """I6: its text may hold anything."""
    world.ask(a_user())
    report = world.converger.give_up(NAME, RuntimeError("hunter2"), 8)
    assert report
    assert report.failure
    assert (report.failure.code, report.failure.message) == ("InternalError", "RuntimeError")
    assert "hunter2" not in str(world.row())


def test_an_error_of_no_one_in_particular_fails_a_record_that_names_no_one(world: World) -> None:
    """A record created manually has no correlation id."""
    world.put_row(NAME, status="pending", allowed_from_addresses=["a@example.com"])
    assert world.converger.give_up(NAME, failing(world), 3)
    assert world.record().status == "failed"


def test_a_record_that_could_not_even_be_read_is_not_failed_for_it(world: World) -> None:
    """The current record was never attempted."""
    world.ask(a_user())
    assert world.converger.give_up(NAME, Retryable("dynamodb:GetItem", "Throttling", "x"), 8) is None
    assert world.record().status == "pending"


def test_a_record_that_changes_in_the_middle_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """I11."""
    world.ask(a_user())
    error = failing(world)
    real = world.records.fail

    def late(*arguments: Any) -> None:
        world.ask(a_user(description="again"))
        real(*arguments)

    monkeypatch.setattr(world.records, "fail", late)
    with pytest.raises(Conflict):
        world.converger.give_up(NAME, error, 8)
    assert world.record().status == "pending"


def test_a_failed_record_is_left_to_a_person_until_it_is_reprocessed(world: World) -> None:
    world.ask(a_user())
    world.converger.give_up(NAME, failing(world), 8)
    assert world.converge().result == "unchanged"
    assert world.users() == []
    world.retry()
    assert world.converge().result == "active"
    assert world.record().failure is None


def test_a_teardown_that_was_given_up_goes_on_as_a_teardown(world: World) -> None:
    world.ask(a_user())
    world.converge()
    world.ask_delete()
    world.converger.give_up(NAME, failing(world), 8)
    world.retry()
    assert world.converge().result == "removed"
    assert world.users() == []


def test_the_number_of_the_try_is_noted_where_aws_refuses(world: World) -> None:
    def refuse(model: Any, **_: Any) -> None:
        error: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(error, model.name)

    world.iam.meta.events.register_first("before-call.iam.CreateUser", refuse)
    world.ask(a_user())
    world.pass_time(minutes=5)
    report = world.converger.converge(NAME, attempt=4)
    assert report.failure
    assert (report.result, report.failure.attempts) == ("failed", 4)

"""Every write of a record is conditional on what it was decided upon (I11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.record import Failure, Progress, Record, Status, timestamp
from reconciler.core.user import spec_hash
from reconciler.errors import Conflict
from reconciler.ports import IssuedKey, SettledState
from support.world import MARK, START, World, a_request, a_user, make_world

NAME = "billing-mailer"
MANIFEST = "users/test/team.yaml"


@pytest.fixture
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


WRITES: dict[str, Callable[[World, Record], object]] = {
    "update": lambda world, record: world.store.update(record, a_user(), MANIFEST, a_request("mine")),
    "delete": lambda world, record: world.store.delete(record, a_request("mine")),
    "retry": lambda world, record: world.store.retry(record, a_request("mine")),
    "revoke": lambda world, record: world.store.revoke(record, "leaked", a_request("mine")),
    "resume": lambda world, record: world.store.resume(record, a_request("mine")),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_planned_write_is_refused_where_the_record_was_created_again_at_the_same_revision(
    world: World, write: Callable[[World, Record], object]
) -> None:
    """The revision alone does not tell the two apart."""
    world.ask(a_user())
    planned = world.record()
    world.remove_row()
    world.store.create(a_user(), MANIFEST, a_request("another-run"))
    again = world.row()
    assert again
    assert again["revision"] == planned.revision
    with pytest.raises(Conflict):
        write(world, planned)
    assert world.row() == again


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_planned_write_is_refused_where_the_revision_has_moved_on(
    world: World, write: Callable[[World, Record], object]
) -> None:
    world.ask(a_user())
    planned = world.record()
    world.store.retry(planned, a_request(planned.correlation_id))
    moved = world.row()
    with pytest.raises(Conflict):
        write(world, planned)
    assert world.row() == moved


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_planned_write_survives_what_the_credential_manager_wrote_meanwhile(
    world: World, write: Callable[[World, Record], object]
) -> None:
    world.ask(a_user())
    planned = world.record()
    world.converge()
    assert write(world, planned) == 2
    assert world.record().correlation_id == "mine"


@pytest.mark.parametrize("field", ["revision", "correlation_id", "status", "smtp_username", "revoked"])
def test_the_credential_manager_writes_only_into_the_record_that_it_read(world: World, field: str) -> None:
    world.ask(a_user())
    read = world.record()
    row = world.row()
    assert row
    world.put_row(NAME, **{**row, field: 7 if field == "revision" else "other"})
    changed = world.row()
    with pytest.raises(Conflict):
        world.records.fail(read, Failure("AccessDenied", "no", ""))
    with pytest.raises(Conflict):
        world.records.remove(read)
    assert world.row() == changed


def test_a_write_whose_answer_was_lost_is_no_conflict_with_itself(world: World) -> None:
    request = a_request("mine")
    assert world.store.create(a_user(), MANIFEST, request) == 1
    assert world.store.create(a_user(), MANIFEST, request) == 1
    record = world.record()
    assert world.store.retry(record, request) == 2
    assert world.store.retry(record, request) == 2
    failure = Failure("AccessDenied", "no", "2026-06-01T12:00:00Z")
    read = world.record()
    world.records.fail(read, failure)
    world.records.fail(read, failure)
    assert world.record().failure == failure


def test_records_are_listed_in_order_after_a_name_and_without_ciphertexts_unless_asked(world: World) -> None:
    for name in ("wiki", "crm", "app"):
        world.ask(a_user(name))
    world.converge("crm")
    assert [record.name for record in world.store.records()] == ["app", "crm", "wiki"]
    assert [record.name for record in world.store.records("app")] == ["crm", "wiki"]
    assert [bool(record.encrypted_credentials) for record in world.store.records()] == [False] * 3
    assert [bool(record.encrypted_credentials) for record in world.store.records(sealed=True)] == [False, True, False]
    assert world.store.record_names() == {"app", "crm", "wiki"}
    assert sorted(world.store.fetch(["crm", "nobody", "x" * 2000])) == ["crm"]


@pytest.mark.parametrize("others", [0, 100], ids=["BatchGetItem", "Query"])
def test_the_progress_of_users_is_read_and_nothing_else_of_them(world: World, others: int) -> None:
    failure = Failure("AccessDenied", "no", "2026-06-01T12:00:00Z")
    for name in ("app", "crm", "gone", "other", "wiki"):
        world.ask(a_user(name))
    world.converge("crm")
    world.records.fail(world.record("wiki"), failure)
    world.remove_row("gone")
    names = ["app", "crm", "gone", "wiki", "x" * 2000, *(f"missing-{n}" for n in range(others))]
    with world.calls() as calls:
        found = world.store.progress(names)
    assert found == {
        "app": Progress("app", "pending", 1, None, None),
        "crm": Progress("crm", "active", 1, 1, None),
        "wiki": Progress("wiki", "failed", 1, None, failure),
    }
    assert calls == ["Query" if others else "BatchGetItem"]


def kept(row: dict[str, Any] | None, *without: str) -> dict[str, Any]:
    assert row
    return {name: value for name, value in row.items() if name not in ("PK", "SK", *without)}


REQUESTED = {"actor": "somebody", "correlation_id": "mine", "requested_at": timestamp(START)}
DECLARED = {**REQUESTED, "managed_by": MARK, "commit": "c0ffee"}
LIMITED = a_user(expires="2027-06-30", owner="billing@example.com")


def test_every_attribute_that_the_reconciler_writes(world: World) -> None:
    spec = {"allowed_from_addresses": ["billing@example.com"], "enabled": True, "credential": 1}
    limited = {**spec, "expires": "2027-06-30", "owner": "billing@example.com"}
    world.store.create(LIMITED, MANIFEST, a_request("mine"))
    common = {"entity_type": "smtp_credential", "created_at": timestamp(START), **DECLARED}
    created = {**common, **limited, "spec_hash": spec_hash(LIMITED), "manifest": MANIFEST}
    assert kept(world.row()) == {**created, "status": "pending", "revision": 1}
    world.store.update(world.record(), a_user(), "users/test/other.yaml", a_request("mine"))
    updated = {**common, **spec, "spec_hash": spec_hash(a_user()), "manifest": "users/test/other.yaml"}
    assert kept(world.row()) == {**updated, "status": "pending", "revision": 2}
    world.store.revoke(world.record(), "leaked", a_request("mine"))
    revoked = {"actor": "somebody", "reason": "leaked", "at": timestamp(START)}
    assert kept(world.row()) == {**updated, "status": "pending", "revision": 3, "revoked": revoked}
    world.store.resume(world.record(), a_request("mine"))
    assert kept(world.row()) == {**updated, "status": "pending", "revision": 4}
    world.store.delete(world.record(), a_request("mine"))
    assert kept(world.row()) == {**updated, "status": "deleting", "revision": 5}
    world.store.retry(world.record(), a_request("mine"))
    assert kept(world.row()) == {**updated, "status": "deleting", "revision": 6}


def test_a_retry_requests_what_the_record_requests_already(world: World) -> None:
    world.ask(a_user())
    world.store.retry(world.record(), a_request("mine"))
    assert world.record().status == Status.PENDING


@pytest.mark.parametrize("request_change", ["update", "delete", "retry", "revoke", "resume"])
def test_a_new_request_removes_the_failure_of_the_last_one(world: World, request_change: str) -> None:
    world.ask(a_user())
    world.records.fail(world.record(), Failure("AccessDenied", "no", ""))
    assert "policy_hash" not in kept(world.row()), "the failed attempt may have written another one"
    WRITES[request_change](world, world.record())
    assert "failure" not in kept(world.row())


def test_a_declaration_makes_an_adopted_record_one_of_ours(world: World) -> None:
    world.put_row(NAME, status="pending", allowed_from_addresses=["billing@example.com"])
    world.store.update(world.record(), a_user(), MANIFEST, a_request("mine"))
    assert world.row()["entity_type"] == "smtp_credential"  # type: ignore[index]
    assert (world.record().managed_by, world.record().revision) == (MARK, 1)


def test_every_attribute_that_the_credential_manager_writes(world: World) -> None:
    world.ask(a_user())
    before = kept(world.row())
    world.records.fail(world.record(), Failure("AccessDenied", "no", "then", 3, during="deleting"))
    failure = {"code": "AccessDenied", "message": "no", "at": "then", "attempts": 3, "during": "deleting"}
    assert kept(world.row()) == {**before, "status": "failed", "failure": failure}
    key = IssuedKey("AKIA1", "then", 2, b"sealed", replaces="AKIA0", retires_at="later")
    world.records.settle(world.record(), SettledState(Status.ACTIVE, "hash", "policy", "now", "smtp-x", "arn:x", key))
    settled = {
        "status": "active", "observed_revision": 1, "observed_hash": "hash", "policy_hash": "policy",
        "settled_at": "now", "settled_status": "active",
        "iam_user_name": "smtp-x", "iam_user_arn": "arn:x", "smtp_username": "AKIA1", "key_created_at": "then",
        "key_credential": 2, "encrypted_credentials": b"sealed",
    }  # fmt: skip
    overlap = {"previous_key": "AKIA0", "previous_key_retires_at": "later"}
    assert kept(world.row()) == {**before, **settled, **overlap}
    done = SettledState(Status.ACTIVE, "hash", "policy", "now", "smtp-x", "arn:x", previous_deletes_at="tomorrow")
    world.records.settle(world.record(), done)
    assert kept(world.row()) == {**before, **settled, **overlap, "previous_key_deletes_at": "tomorrow"}
    again = IssuedKey("AKIA2", "then", 2, b"sealed", replaces="AKIA1", retires_at="later")
    world.records.settle(world.record(), replace(done, issued=again, previous_deletes_at=""))
    rotated = {"smtp_username": "AKIA2", "previous_key": "AKIA1"}
    assert kept(world.row()) == {**before, **settled, **overlap, **rotated}, "the stage of the last overlap is removed"
    world.records.fail(world.record(), Failure("AccessDenied", "no", ""))
    world.records.settle(world.record(), replace(done, previous_deletes_at="", forget_previous=True))
    assert kept(world.row()) == {**before, **settled, "smtp_username": "AKIA2"}
    alone = replace(again, id="AKIA3", replaces="")
    world.records.settle(world.record(), replace(done, issued=alone, previous_deletes_at=""))
    assert kept(world.row()) == {**before, **settled, "smtp_username": "AKIA3"}


def test_a_record_without_a_revision_is_observed_at_zero(world: World) -> None:
    world.put_row(NAME, status="pending", allowed_from_addresses=["billing@example.com"])
    world.records.settle(world.record(), SettledState(Status.ACTIVE, "hash", "policy", "now", "smtp-x", "arn:x"))
    assert world.record().observed_revision == 0

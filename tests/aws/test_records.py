"""Every write of a record is conditional on what it was decided upon (I11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.core.record import Failure, Record
from reconciler.errors import Conflict
from support.world import World, a_request, a_user, make_world

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


@pytest.mark.parametrize("field", ["revision", "correlation_id", "status", "smtp_username"])
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

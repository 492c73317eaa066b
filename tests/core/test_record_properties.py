"""A record with any content can be read, and what was written is what is read."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.differences import find_differences
from reconciler.core.lifecycle import decide
from reconciler.core.record import Record, key_of, name_of
from reconciler.core.record_parser import read
from reconciler.core.record_state import RecordState
from reconciler.core.user import User, make_user, spec_fields, spec_hash
from support.generated import ITEMS, JUNK, users
from support.world import RULES, SENDING, START


@given(ITEMS)
def test_reading_never_raises_and_yields_a_user_or_the_reasons_why_not(item: dict[str, Any]) -> None:
    """I8"""
    record = read(item, RULES)
    assert (record.user is None) is bool(record.problems)
    assert all(isinstance(problem, str) and problem for problem in record.problems)
    state = RecordState.of(record, SENDING, START)
    assert all(isinstance(said, bool) for said in (state.observed, state.due, state.overdue, state.settled))
    assert (record.revoked is None) is (item.get("revoked") is None)
    assert isinstance(repr(record), str)


MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
KEYS = st.lists(
    st.builds(Key, st.sampled_from(["AKIA1", "AKIA2"]), st.booleans(), MOMENTS), max_size=2, unique_by=lambda k: k.id
)
IDENTITIES = st.none() | st.builds(
    Identity,
    owned=st.booleans(),
    keys=KEYS.map(tuple),
    needs_repair=st.booleans(),
    policy=st.none() | st.just({}),
    audited=st.booleans(),
    attachments=st.lists(st.builds(Attachment, st.sampled_from(AttachmentKind), st.text(max_size=5)), max_size=2).map(
        tuple
    ),
)


@given(ITEMS, IDENTITIES)
def test_deciding_about_any_record_never_raises(item: dict[str, Any], identity: Identity | None) -> None:
    """I8: an invalid record never blocks the stream or the sweep."""
    record = read({**item, **key_of("app")}, RULES)
    state = RecordState.of(record, SENDING, START)
    decision = decide(state, identity)
    assert all(reason.text for reason in decision.reasons)
    assert all(found.description for found in find_differences(decision))


@given(st.dictionaries(st.sampled_from(["PK", "SK"]), JUNK))
def test_any_keys_have_a_name_or_none(keys: dict[str, Any]) -> None:
    assert name_of(keys) is None or isinstance(name_of(keys), str)


@given(users())
def test_a_declaration_survives_as_plain_data(user: User) -> None:
    again = make_user({**spec_fields(user), "name": user.name})
    assert again == user
    assert spec_hash(again) == spec_hash(user)


def stored(item: dict[str, Any]) -> Record:
    """Conversion to DynamoDB's types and back."""
    packed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    return read({name: TypeDeserializer().deserialize(value) for name, value in packed.items()}, RULES)


@given(users())
def test_what_was_written_into_a_record_is_what_is_read(user: User) -> None:
    record = stored({**key_of(user.name), **spec_fields(user), "status": "pending", "revision": 7})
    assert record.user == user
    assert record.problems == ()
    assert record.revision == 7


@given(users())
def test_string_sets_created_manually_mean_the_same_as_lists(user: User) -> None:
    fields = spec_fields(user)
    for name in ("allowed_from_addresses", "allowed_source_ips"):
        if name in fields:
            fields[name] = set(fields[name])
    assert stored({**key_of(user.name), **fields}).user == user


@given(users(), users())
def test_equal_hashes_mean_equal_declarations(one: User, other: User) -> None:
    assert (spec_hash(one) == spec_hash(other)) is (spec_fields(one) == spec_fields(other))

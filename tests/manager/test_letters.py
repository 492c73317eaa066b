"""What a message says, and when the next one is visible: pure."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import BUSY, AwsError, Retryable
from reconciler.manager.letters import LetterReader, UserLetter
from reconciler.ports import Batch
from support.world import START

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/smtp-users-test"
ARN = f"{TABLE}/stream/2026-06-01T12:00:00.000"
SHARD = "shardId-00000001541626099285-f35f62ef"
READER = LetterReader(TABLE, 10)
FAILURE = Retryable("iam:CreateUser", "ServiceFailure", "x")
NAMES = st.text(min_size=1, max_size=30)
DELAYS = [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (7, 900), (1000, 900)]


@pytest.mark.parametrize(("tries", "longest"), DELAYS)
def test_the_delays_of_attempts_double_up_to_a_quarter_of_an_hour(tries: int, longest: int) -> None:
    following, delay = UserLetter("crm", tries - 1).after(FAILURE, START)
    assert following == UserLetter("crm", tries, START)
    assert longest / 2 <= delay <= longest


@pytest.mark.parametrize(("waited", "longest"), [(0, 60), (60, 60), (90, 90), (120, 120), (121, 120), (80_000, 120)])
@pytest.mark.parametrize("code", sorted(BUSY))
def test_throttling_is_no_try_and_the_delay_grows_with_the_wait(code: str, waited: int, longest: int) -> None:
    letter = UserLetter("crm", 2, START)
    now = START + timedelta(seconds=waited)
    for error in (Retryable("iam:CreateUser", code, "x"), None):
        following, delay = letter.after(error, now)
        assert following == letter
        assert longest / 2 <= delay <= longest


def test_users_that_fail_together_are_not_retried_together() -> None:
    delays = [UserLetter(f"user-{n}", 5).after(FAILURE, START)[1] for n in range(2000)]
    per_minute = [sum(1 for delay in delays if delay // 60 == minute) for minute in range(7, 15)]
    assert min(per_minute[1:7]) > 150
    assert max(per_minute) < 350
    assert delays == [UserLetter(f"user-{n}", 5).after(FAILURE, START)[1] for n in range(2000)]


@given(NAMES, st.integers(0, 1000), st.none() | st.integers(0, 10**9))
def test_a_message_is_read_as_it_was_written(name: str, tries: int, seconds: int | None) -> None:
    since = None if seconds is None else START - timedelta(seconds=seconds)
    letter = UserLetter(name, tries, since)
    assert READER.read(letter.body) == letter
    assert letter.body.isascii()


@given(NAMES, st.lists(st.sampled_from([FAILURE, Retryable("x", "Throttling", "x"), None]), max_size=20))
def test_a_chain_of_messages_keeps_its_start_and_counts_what_counts(name: str, errors: list[AwsError | None]) -> None:
    letter, now = UserLetter(name), START
    for error in errors:
        letter, delay = letter.after(error, now)
        assert 15 <= delay <= 900
        now += timedelta(seconds=delay)
    assert letter == UserLetter(name, errors.count(FAILURE), START if errors else None)


KEYS = st.sampled_from(
    ["user", "tries", "since", "DDBStreamBatchInfo", "streamArn", "shardId", "startSequenceNumber",
     "endSequenceNumber", "batchSize"]
)  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([ARN, SHARD])
JSON = st.recursive(
    VALUES | st.from_regex(r"[0-9]{1,41}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=10,
)


@given(st.one_of(st.text(), JSON.map(json.dumps), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_body_is_a_user_a_batch_of_ours_or_not_understood(body: str) -> None:
    """I8."""
    match READER.read(body):
        case UserLetter() as letter:
            assert letter.user == json.loads(body)["user"]
            assert 0 <= letter.tries <= 1000
            assert 15 <= letter.after(FAILURE, START)[1] <= 900
        case Batch() as batch:
            assert batch.stream_arn.startswith(f"{TABLE}/stream/")


@pytest.mark.parametrize(
    "fields",
    [{"tries": -1}, {"tries": 1001}, {"tries": True}, {"tries": "1"}, {"tries": 1.5}, {"since": -1}, {"since": "now"},
     {"since": 10**12}, {"since": True}, {"since": 1e300}, {"user": "x" * 1020}, {"user": "\ud800"}],
    ids=str,
)  # fmt: skip
def test_a_forged_count_or_name_is_not_understood(fields: dict[str, object]) -> None:
    assert READER.read(json.dumps({"user": "crm", **fields})) is None


@given(st.from_regex(r"[0-9]{1,40}", fullmatch=True), st.from_regex(r"[0-9]{1,40}", fullmatch=True))
def test_numbers_of_a_batch_are_taken_as_they_are(first: str, last: str) -> None:
    batch = Batch(ARN, SHARD, first, last)
    info = {"streamArn": ARN, "shardId": SHARD, "startSequenceNumber": first, "endSequenceNumber": last}
    assert READER.read(json.dumps({"DDBStreamBatchInfo": {**info, "batchSize": 1}})) == batch
    assert READER.read(json.dumps({"DDBStreamBatchInfo": info})) is None
    assert replace(READER, batch_size=0).read(json.dumps({"DDBStreamBatchInfo": {**info, "batchSize": 1}})) is None

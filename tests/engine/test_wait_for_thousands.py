"""A large merge: as many users as IAM holds, at the rate that IAM allows. The clock is simulated."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.aws.attributes import pack
from reconciler.aws.records import DynamoRecordWriter
from reconciler.core.record import key_of
from reconciler.engine import progress
from reconciler.engine.wait import UserResult, wait_for_users
from support.world import RULES

USERS = 5000
RATE = 2.4  # users per second
TIMEOUT = 300.0
PAGE = 500  # records of 2 KB in a page of 1 MB
NAMES = [f"user-{n:04}" for n in range(USERS)]


@dataclass
class Account:
    """Users that settle one after the other, in the order of their names, until `stalls_after`.

    It is also the DynamoDB client of the record store. `looks`: the calls of each look at the records.
    """

    names: list[str] = field(default_factory=lambda: NAMES)
    stalls_after: float = float("inf")
    now: float = 0.0
    looks: list[Counter[str]] = field(default_factory=lambda: [Counter()])

    def __post_init__(self) -> None:
        self.sks = [key_of(name)["SK"] for name in self.names]
        self.pending, self.active = (
            [pack({**key_of(name), "status": status, **revisions}) for name in self.names]
            for status, revisions in (
                ("pending", {"revision": 1}),
                ("active", {"revision": 1, "observed_revision": 1}),
            )
        )

    def _item(self, n: int) -> dict[str, Any]:
        return (self.active if n < RATE * min(self.now, self.stalls_after) else self.pending)[n]

    def query(self, **request: Any) -> dict[str, Any]:
        self.looks[-1]["Query"] += 1
        values = request["ExpressionAttributeValues"]
        first, end = bisect_left(self.sks, values[":first"]["S"]), bisect_right(self.sks, values[":last"]["S"])
        if "ExclusiveStartKey" in request:
            first = bisect_right(self.sks, request["ExclusiveStartKey"]["SK"]["S"])
        page = [self._item(n) for n in range(first, min(first + PAGE, end))]
        more = {"LastEvaluatedKey": {name: page[-1][name] for name in ("PK", "SK")}} if first + PAGE < end else {}
        return {"Items": page, **more}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self.looks[-1]["BatchGetItem"] += 1
        ((table, wanted),) = request["RequestItems"].items()
        found = [self._item(bisect_left(self.sks, key["SK"]["S"])) for key in wanted["Keys"]]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def sleep(self, seconds: float) -> None:
        self.looks.append(Counter())
        self.now += seconds

    @property
    def store(self) -> DynamoRecordWriter:
        return DynamoRecordWriter(self, "smtp-users", RULES)  # type: ignore[arg-type]

    def wait(self) -> list[UserResult]:
        revisions = dict.fromkeys(self.names, 1)
        batches = wait_for_users(self.store, revisions, [], TIMEOUT, lambda: self.now, self.sleep)
        return progress.show_lines(batches, len(self.names), lambda: self.now)


def test_5000_users_that_settle_one_after_the_other_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account()
    results = account.wait()
    assert sorted(result.name for result in results) == NAMES
    assert all(result.succeeded for result in results)
    assert account.now == pytest.approx(USERS / RATE, abs=10)
    assert len(account.looks) < account.now / 10 + 20
    made = sum(account.looks, Counter())
    assert made["Query"] < len(account.looks) * USERS / PAGE, "settled users at both ends of the names are not read"
    assert account.looks[0] == {"Query": USERS / PAGE}
    assert account.looks[-1] == {"BatchGetItem": 1}
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == USERS
    lines = err.splitlines()
    assert account.now / 41 < len(lines) <= account.now / 30
    assert "  74 of 5,000 users settled, about 35 minutes left" in lines
    assert "  4,976 of 5,000 users settled, less than a minute left" in lines


def test_a_wait_without_progress_ends_after_the_timeout() -> None:
    account = Account(NAMES[:1000], stalls_after=350)
    results = account.wait()
    assert Counter(result.status for result in results) == {"active": 350 * RATE, "timeout": 1000 - 350 * RATE}
    assert 350 + TIMEOUT <= account.now <= 350 + TIMEOUT + 10
    assert results[-1] == UserResult(NAMES[999], "timeout", "no user reached a final status for 300 s")


def test_the_timeout_begins_with_the_wait_when_no_user_settles() -> None:
    account = Account(NAMES[:101], stalls_after=0)
    assert {result.status for result in account.wait()} == {"timeout"}
    assert account.now == TIMEOUT


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (100, 1), (101, 1), (500, 1), (1000, 2), (2500, 5), (5000, 10)])
def test_a_look_reads_a_page_for_each_megabyte_of_records(count: int, calls: int) -> None:
    account = Account(NAMES[:count])
    assert len(account.store.progress(NAMES[:count])) == count
    assert account.looks == [{"BatchGetItem" if count <= 100 else "Query": calls}]


def test_a_few_users_are_looked_at_more_often_the_faster_they_settle() -> None:
    account = Account(NAMES[:24])
    account.wait()
    assert account.now < 24 / RATE + 3
    assert len(account.looks) < 15


def test_on_a_terminal_a_bar_comes_before_the_lines_of_the_users(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(NAMES[:2], now=60.0)
    monkeypatch.setattr(progress, "shows_progress", lambda: True)
    assert progress.show_progress(account.store, dict.fromkeys(account.names, 1), [], 0, "test")
    out, err = capsys.readouterr()
    assert out.splitlines() == ["  user-0000: active", "  user-0001: active", "2 succeeded"]
    assert err == "waiting for users\n"

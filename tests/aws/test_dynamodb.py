"""How the table is read and written: consistent, page by page, and each error under the name of its operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.aws import dynamodb
from reconciler.aws.attributes import pack
from reconciler.aws.dynamodb import Table
from reconciler.errors import AwsError, Conflict


class FakeClient:
    """Answers each operation with the next of `answers`, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.asked.append(parameters)
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def table(client: FakeClient) -> Table:
    return Table(client, "smtp-users")  # type: ignore[arg-type]


def key(sk: str) -> dict[str, Any]:
    return pack({"PK": "SMTP_USER", "SK": sk})


def test_a_query_reads_page_after_page_consistently() -> None:
    pages = [
        {"Items": [pack({"SK": "USER#a"})], "LastEvaluatedKey": key("USER#a")},
        {"Items": [pack({"SK": "USER#b"})]},
    ]
    client = FakeClient(*pages)
    assert [item["SK"] for item in table(client).query("USER#", ["SK"])] == ["USER#a", "USER#b"]
    first, second = client.asked
    assert first == {
        "TableName": "smtp-users",
        "KeyConditionExpression": "PK = :pk AND begins_with(SK, :prefix)",
        "ExpressionAttributeValues": pack({":pk": "SMTP_USER", ":prefix": "USER#"}),
        "ProjectionExpression": "#0",
        "ExpressionAttributeNames": {"#0": "SK"},
        "ConsistentRead": True,
    }
    assert second == {**first, "ExclusiveStartKey": key("USER#a")}


def test_a_query_may_begin_after_a_key() -> None:
    client = FakeClient({"Items": []})
    assert list(table(client).query("USER#", ["SK"], "USER#a")) == []
    assert client.asked[0]["ExclusiveStartKey"] == key("USER#a")


def test_a_query_of_a_range_includes_both_ends() -> None:
    client = FakeClient({"Items": [pack({"SK": "USER#a"}), pack({"SK": "USER#c"})]})
    assert [item["SK"] for item in table(client).query_between("USER#a", "USER#c", ["SK"])] == ["USER#a", "USER#c"]
    (asked,) = client.asked
    assert asked["KeyConditionExpression"] == "PK = :pk AND SK BETWEEN :first AND :last"
    assert asked["ExpressionAttributeValues"] == pack({":pk": "SMTP_USER", ":first": "USER#a", ":last": "USER#c"})
    assert (asked["ProjectionExpression"], asked["ExpressionAttributeNames"]) == ("#0", {"#0": "SK"})
    assert asked["ConsistentRead"]


def test_a_batch_may_read_some_attributes_only() -> None:
    client = FakeClient({"Responses": {}, "UnprocessedKeys": {}})
    assert list(table(client).get_many(["USER#a"], ["SK", "status"])) == []
    assert client.asked[0]["RequestItems"]["smtp-users"] == {
        "Keys": [key("USER#a")],
        "ConsistentRead": True,
        "ProjectionExpression": "#0, #1",
        "ExpressionAttributeNames": {"#0": "SK", "#1": "status"},
    }


def test_keys_that_a_batch_left_unread_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr(dynamodb.time, "sleep", paused.append)
    left = {"smtp-users": {"Keys": [key("USER#b")]}}
    client = FakeClient(
        {"Responses": {"smtp-users": [pack({"SK": "USER#a"})]}, "UnprocessedKeys": left},
        {"Responses": {"smtp-users": [pack({"SK": "USER#b"})]}, "UnprocessedKeys": {}},
    )
    found = table(client).get_many(["USER#a", "USER#b"])
    assert [item["SK"] for item in found] == ["USER#a", "USER#b"]
    assert [asked["RequestItems"]["smtp-users"] for asked in client.asked] == [
        {"Keys": [key("USER#a"), key("USER#b")], "ConsistentRead": True},
        {"Keys": [key("USER#b")], "ConsistentRead": True},
    ]
    assert paused == [0.2]


def test_keys_that_were_left_unread_do_not_replace_those_of_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb.time, "sleep", lambda _: None)
    left = {"smtp-users": {"Keys": [key("USER#0")]}}
    client = FakeClient({"Responses": {}, "UnprocessedKeys": left}, {"Responses": {}, "UnprocessedKeys": {}})
    assert list(table(client).get_many(f"USER#{n}" for n in range(101))) == []
    assert client.asked[1]["RequestItems"]["smtp-users"]["Keys"] == [key("USER#100"), key("USER#0")]


def test_a_batch_takes_a_hundred_keys() -> None:
    client = FakeClient(*[{"Responses": {}, "UnprocessedKeys": {}}] * 2)
    assert list(table(client).get_many(f"USER#{n}" for n in range(101))) == []
    assert [len(asked["RequestItems"]["smtp-users"]["Keys"]) for asked in client.asked] == [100, 1]


def test_an_item_is_read_consistently() -> None:
    client = FakeClient({"Item": pack({"SK": "USER#a"})}, {})
    assert table(client).get("USER#a") == {"SK": "USER#a"}
    assert table(client).get("USER#a") is None
    assert client.asked[0] == {"TableName": "smtp-users", "Key": key("USER#a"), "ConsistentRead": True}


CALLS: dict[str, Callable[[Table], object]] = {
    "GetItem": lambda table: table.get("USER#a"),
    "BatchGetItem": lambda table: list(table.get_many(["USER#a"])),
    "Query": lambda table: list(table.query("USER#", ["SK"])),
    "UpdateItem": lambda table: table.update("USER#a", {"status": "x"}, [], {"revision": 1}),
    "DeleteItem": lambda table: table.delete("USER#a", {"revision": 1}),
}


@pytest.mark.parametrize(("operation", "call"), CALLS.items(), ids=CALLS)
def test_an_error_is_named_by_its_operation(operation: str, call: Callable[[Table], object]) -> None:
    throttled: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    with pytest.raises(AwsError) as caught:
        call(table(FakeClient(ClientError(throttled, operation))))
    assert caught.value.operation == f"dynamodb:{operation}"
    assert not isinstance(caught.value, Conflict)


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_a_condition_that_is_not_met_is_a_conflict_of_the_user(operation: str) -> None:
    failed: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}
    with pytest.raises(Conflict, match="the record of a changed concurrently"):
        CALLS[operation](table(FakeClient(ClientError(failed, operation))))

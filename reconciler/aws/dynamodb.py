"""The DynamoDB table as this system uses it: items by their sort key; every write is conditional."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reconciler.aws.attributes import Values, pack, unpack
from reconciler.aws.client import aws_errors
from reconciler.core.record import PK
from reconciler.errors import AwsError, Conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UNPROCESSED_PAUSE = 0.2  # seconds, if DynamoDB did not read every key of a batch
BATCH = 100  # keys that one BatchGetItem takes
CONDITION_FAILED = "ConditionalCheckFailedException"

Lock = Values  # attributes as they were read; None: absent


class Table:
    """Items under PK `SMTP_USER`. A write raises Conflict if its condition is not met."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, sk: str) -> Values | None:
        with aws_errors("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._name, Key=_key(sk), ConsistentRead=True)
        return unpack(answer["Item"]) if "Item" in answer else None

    def get_many(self, sks: Iterable[str], attributes: Iterable[str] = ()) -> Iterator[Values]:
        """The items that exist, in no particular order. `attributes`: those to read; without any, all."""
        wanted = [_key(sk) for sk in sks]
        read = _projection(attributes)
        while wanted:
            batch, wanted = wanted[:BATCH], wanted[BATCH:]
            with aws_errors("dynamodb:BatchGetItem"):
                keys: Any = {"Keys": batch, "ConsistentRead": True, **read}
                answer = self._client.batch_get_item(RequestItems={self._name: keys})
            if left := answer["UnprocessedKeys"].get(self._name):
                wanted += left["Keys"]
                time.sleep(UNPROCESSED_PAUSE)
            yield from map(unpack, answer["Responses"].get(self._name, []))

    def query(self, prefix: str, attributes: Iterable[str], after: str = "") -> Iterator[Values]:
        """Items whose sort key begins with `prefix`, in its order, after `after`. Pages are read lazily."""
        return self._query("begins_with(SK, :prefix)", {":prefix": prefix}, attributes, after)

    def query_between(self, first: str, last: str, attributes: Iterable[str]) -> Iterator[Values]:
        """Items from sort key `first` to `last`, both included."""
        return self._query("SK BETWEEN :first AND :last", {":first": first, ":last": last}, attributes)

    def _query(self, condition: str, values: Values, attributes: Iterable[str], after: str = "") -> Iterator[Values]:
        read = _projection(attributes)
        start: dict[str, Any] = {"ExclusiveStartKey": _key(after)} if after else {}
        while True:
            with aws_errors("dynamodb:Query"):
                page = self._client.query(
                    TableName=self._name,
                    KeyConditionExpression=f"PK = :pk AND {condition}",
                    ExpressionAttributeValues=pack({":pk": PK, **values}),
                    ConsistentRead=True,
                    **read,
                    **start,
                )
            yield from map(unpack, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def put_new(self, sk: str, values: Values) -> None:
        """An update, because a role that may put an item may also replace one, and with it every attribute."""
        self.update(sk, values, [], {"PK": None}, create=True)

    def update(self, sk: str, values: Values, removed: Iterable[str], lock: Lock, *, create: bool = False) -> None:
        """`create`: an item that does not exist yet is created."""
        condition, names, expected = unchanged(lock)
        sets = []
        for n, (attribute, value) in enumerate(values.items()):
            names[f"#s{n}"], expected[f":s{n}"] = attribute, value
            sets.append(f"#s{n} = :s{n}")
        removes = []
        for n, attribute in enumerate(removed):
            names[f"#r{n}"] = attribute
            removes.append(f"#r{n}")
        with _conflicts(sk), aws_errors("dynamodb:UpdateItem"):
            self._client.update_item(
                TableName=self._name,
                Key=_key(sk),
                UpdateExpression="SET " + ", ".join(sets) + (" REMOVE " + ", ".join(removes) if removes else ""),
                ConditionExpression=condition if create else f"attribute_exists(PK) AND {condition}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=pack(expected),
            )

    def delete(self, sk: str, lock: Lock) -> None:
        """Absent is success."""
        condition, names, values = unchanged(lock)
        with _conflicts(sk), aws_errors("dynamodb:DeleteItem"):
            self._client.delete_item(
                TableName=self._name,
                Key=_key(sk),
                ConditionExpression=f"attribute_not_exists(PK) OR ({condition})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=pack(values),
            )


def keep_items(client: DynamoDBClient) -> None:
    """Let queries return items as they were answered, with binary values in base64; `unpack` reads both forms.

    botocore would look for each of ten types in each attribute, which is a fifth of the CPU time of a plan. It changes
    answers with this event itself: https://github.com/boto/botocore/blob/develop/botocore/handlers.py
    """
    client.meta.events.register("before-parse.dynamodb.Query", _keep_items, unique_id="keep-items")


def _keep_items(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    try:
        answer = json.loads(response_dict["body"])
        customized_response_dict["Items"] = answer.pop("Items")
    except (KeyError, ValueError):
        return  # an error, or an answer that is not complete: botocore reports or repeats it
    response_dict["body"] = json.dumps(answer).encode()


@contextmanager
def _conflicts(sk: str) -> Iterator[None]:
    """A condition that was not met becomes Conflict."""
    try:
        yield
    except AwsError as error:
        if error.code == CONDITION_FAILED:
            raise Conflict.of(sk.partition("#")[2]) from None
        raise


def _key(sk: str) -> dict[str, Any]:
    return pack({"PK": PK, "SK": sk})


def _projection(attributes: Iterable[str]) -> dict[str, Any]:
    names = {f"#{n}": attribute for n, attribute in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if names else {}


def unchanged(lock: Lock) -> tuple[str, dict[str, str], dict[str, Any]]:
    """A condition that is met while these attributes are as they were read (None: absent, or null)."""
    terms, names, values = [], {}, {}
    for n, (attribute, value) in enumerate(lock.items()):
        names[f"#c{n}"], values[f":c{n}"] = attribute, value
        same = f"#c{n} = :c{n}"
        terms.append(f"(attribute_not_exists(#c{n}) OR {same})" if value is None else same)
    return " AND ".join(terms), names, values

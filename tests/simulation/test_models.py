"""The models behave like AWS: IAM and DynamoDB like moto with the project's own rules, the others as AWS documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from reconciler.aws.attributes import pack
from simulation.clock import Clock
from simulation.dynamodb import DynamoDb
from simulation.iam import Iam
from simulation.kms import Kms
from simulation.sqs import Sqs
from simulation.streams import Streams, shard_id
from simulation.world import ENV, TABLE_ARN
from support.world import TABLE, World

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}]}
LARGE = {**POLICY, "Statement": [{**POLICY["Statement"][0], "Resource": ["x" * 2048]}]}  # type: ignore[dict-item]
ANT = {"UserName": "ant"}
IAM_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_user", ANT),
    ("delete_user", ANT),
    ("create_user", {**ANT, "Path": "/smtp/test/", "Tags": [{"Key": "managed-by", "Value": "us"}]}),
    ("create_user", {"UserName": "ANT"}),
    ("create_user", {"UserName": "a b"}),
    ("get_user", ANT),
    ("tag_user", {**ANT, "Tags": [{"Key": "team", "Value": "mail"}]}),
    ("put_user_policy", {**ANT, "PolicyName": "send", "PolicyDocument": json.dumps(POLICY)}),
    ("put_user_policy", {**ANT, "PolicyName": "more", "PolicyDocument": json.dumps(LARGE)}),
    ("list_user_policies", ANT),
    ("get_user_policy", {**ANT, "PolicyName": "send"}),
    ("get_user_policy", {**ANT, "PolicyName": "other"}),
    ("create_access_key", ANT),
    ("create_access_key", ANT),
    ("create_access_key", ANT),
    ("list_access_keys", ANT),
    ("update_access_key", {**ANT, "AccessKeyId": 0, "Status": "Inactive"}),
    ("list_access_keys", ANT),
    ("delete_user", ANT),
    ("delete_access_key", {**ANT, "AccessKeyId": 0}),
    ("delete_access_key", {**ANT, "AccessKeyId": 0}),
    ("delete_access_key", {**ANT, "AccessKeyId": 1}),
    ("list_access_keys", ANT),
    ("delete_user", ANT),
    ("delete_user_policy", {**ANT, "PolicyName": "send"}),
    ("delete_user_policy", {**ANT, "PolicyName": "send"}),
    ("list_attached_user_policies", ANT),
    ("list_groups_for_user", ANT),
    ("list_mfa_devices", ANT),
    ("list_signing_certificates", ANT),
    ("list_ssh_public_keys", ANT),
    ("delete_login_profile", ANT),
    ("list_users", {"PathPrefix": "/smtp/test/"}),
    ("list_users", {"PathPrefix": "/other/"}),
    ("delete_user", ANT),
    ("list_access_keys", ANT),
    ("list_user_policies", ANT),
    ("create_access_key", ANT),
]


def answers(call: Callable[[str, dict[str, Any]], Any]) -> list[Any]:
    """The result of each call: an error code, or the parts of the response that the adapters read."""
    keys: list[str] = []
    results = []
    for method, parameters in IAM_CALLS:
        sent = {k: keys[v] if k == "AccessKeyId" else v for k, v in parameters.items()}
        try:
            answer = call(method, sent)
        except ClientError as error:
            results.append((method, error.response["Error"]["Code"]))
            continue
        if method == "create_access_key":
            keys.append(answer["AccessKey"]["AccessKeyId"])
        results.append((method, _essence(answer, keys)))
    return results


def _essence(answer: dict[str, Any], keys: list[str]) -> Any:
    user = answer.get("User", {})
    return {
        "user": user.get("UserName"),
        "path": user.get("Path"),
        "tags": sorted((tag["Key"], tag["Value"]) for tag in user.get("Tags", [])),
        "keys": [(keys.index(k["AccessKeyId"]), k["Status"]) for k in answer.get("AccessKeyMetadata", [])],
        "users": [one["UserName"] for one in answer.get("Users", [])],
        "policies": answer.get("PolicyNames"),
        "document": answer.get("PolicyDocument"),
        "attached": (answer.get("AttachedPolicies"), answer.get("Groups")),
    }


def test_iam_answers_as_moto_with_the_rules_of_aws(world: World) -> None:
    model = Iam(Clock(), quota=5000)
    expected = answers(lambda method, parameters: getattr(world.iam, method)(**parameters))
    assert answers(lambda method, parameters: getattr(model, method)(**parameters)) == expected


KEY = {"PK": "SMTP_USER", "SK": "USER#ant"}
TABLE_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("update_item", {"UpdateExpression": "SET #a = :a", "ConditionExpression": "attribute_exists(PK) AND #b = :a"}),
    ("put_item", {"ConditionExpression": "attribute_not_exists(PK)"}),
    ("put_item", {"ConditionExpression": "attribute_not_exists(PK)"}),
    ("update_item", {"UpdateExpression": "SET #a = :a, #b = :b", "ConditionExpression": "attribute_not_exists(#a)"}),
    ("update_item", {"UpdateExpression": "SET #a = :b REMOVE #b", "ConditionExpression": "#a = :a AND #b = :b"}),
    ("update_item", {"UpdateExpression": "SET #b = :b", "ConditionExpression": "attribute_exists(PK) AND #a = :a"}),
    ("update_item", {"UpdateExpression": "REMOVE #a, #b", "ConditionExpression": "#a = :a OR #a = :b"}),
    ("delete_item", {"ConditionExpression": "attribute_not_exists(PK) OR (#a = :a AND #b = :b)"}),
    ("delete_item", {"ConditionExpression": "attribute_not_exists(PK) OR (attribute_not_exists(#a) AND PK <> :b)"}),
    ("delete_item", {"ConditionExpression": "attribute_not_exists(PK) OR (#a = :a AND #b = :b)"}),
    ("update_item", {"UpdateExpression": "SET #a = :a", "ConditionExpression": "attribute_not_exists(#b)"}),
]


def table_answers(client: Any, table: str) -> Iterator[Any]:
    for method, expressions in TABLE_CALLS:
        text = " ".join(expressions.values())
        names = {name: value for name, value in {"#a": "status", "#b": "revision"}.items() if name in text}
        values = {name: value for name, value in {":a": "pending", ":b": 2}.items() if name in text}
        parameters: dict[str, Any] = {"TableName": table, **expressions}
        parameters |= {"ExpressionAttributeNames": names} if names else {}
        parameters |= {"ExpressionAttributeValues": pack(values)} if values else {}
        parameters |= {"Item": pack({**KEY, "n": 1})} if method == "put_item" else {"Key": pack(KEY)}
        try:
            getattr(client, method)(**parameters)
            done = ""
        except ClientError as error:
            done = error.response["Error"]["Code"]
        item = client.get_item(TableName=table, Key=pack(KEY), ConsistentRead=True).get("Item")
        yield method, done, item and sorted(item.items())


def test_the_table_answers_as_moto_does(world: World) -> None:
    model = DynamoDb(Clock(), TABLE_ARN, shards=1)
    expected = list(table_answers(boto3.client("dynamodb"), TABLE))
    assert list(table_answers(model, ENV.table)) == expected


def test_a_write_that_changes_nothing_creates_no_stream_record() -> None:
    table = DynamoDb(Clock(), TABLE_ARN, shards=1)
    item = pack({**KEY, "n": 1, "tags": {"a", "b"}})
    table.put(item)
    table.put({**item, "n": {"N": "1.0"}, "tags": {"SS": ["b", "a"]}})
    table.remove(("SMTP_USER", "USER#ant"))
    assert [(record.event, bool(record.new), bool(record.old)) for record in table.log] == [
        ("INSERT", True, False),
        ("REMOVE", False, True),
    ]


def test_the_stream_forgets_after_a_day() -> None:
    clock = Clock()
    table = DynamoDb(clock, TABLE_ARN, shards=1)
    streams = Streams(clock, table)
    table.put(pack({**KEY, "n": 1}))
    place = {"StreamArn": table.stream_arn, "ShardId": shard_id(0)}
    at = {**place, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "1"}
    iterator = streams.get_shard_iterator(**at)["ShardIterator"]
    assert [r["eventName"] for r in streams.get_records(ShardIterator=iterator)["Records"]] == ["INSERT"]
    clock.advance(timedelta(hours=25).total_seconds())
    with pytest.raises(ClientError, match="TrimmedDataAccessException"):
        streams.get_shard_iterator(**at)
    with pytest.raises(ClientError, match="TrimmedDataAccessException"):
        streams.get_records(ShardIterator=iterator)


def test_a_user_made_a_moment_ago_may_not_show_yet() -> None:
    clock = Clock()
    iam = Iam(clock, quota=5000)
    iam.create_user(UserName="ant")
    clock.advance(10)
    iam.lag = 11
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_user(UserName="ant")
    iam.lag = 9
    assert iam.get_user(UserName="ant")


def test_the_account_has_a_quota_of_users() -> None:
    iam = Iam(Clock(), quota=1)
    iam.create_user(UserName="ant")
    with pytest.raises(ClientError, match="LimitExceeded"):
        iam.create_user(UserName="bee")


def test_a_ciphertext_opens_in_its_own_context_only() -> None:
    kms = Kms("key")
    blob = kms.encrypt(KeyId="key", Plaintext=b"secret", EncryptionContext={"user": "ant"})["CiphertextBlob"]
    assert b"secret" not in blob
    assert kms.decrypt(KeyId="key", CiphertextBlob=blob, EncryptionContext={"user": "ant"})["Plaintext"] == b"secret"
    for key, context in (("key", {"user": "bee"}), ("other", {"user": "ant"})):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionContext=context)
    with pytest.raises(ClientError, match="ValidationException"):
        kms.encrypt(KeyId="key", Plaintext=b"x" * 4097, EncryptionContext={})


def test_a_message_is_hidden_while_someone_has_it_and_parked_after_too_many_receives() -> None:
    clock = Clock()
    sqs = Sqs(clock, 30.0, {"dead": ("parked", 2)}, ["dead", "parked"])
    sqs.send_message(QueueUrl="dead", MessageBody="hello")
    for count in ("1", "2"):
        (message,) = sqs.receive_message(QueueUrl="dead")["Messages"]
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        assert sqs.receive_message(QueueUrl="dead")["Messages"] == []
        clock.advance(31)
    assert sqs.receive_message(QueueUrl="dead")["Messages"] == []
    assert [letter.body for letter in sqs.queues["parked"]] == ["hello"]


def test_at_least_once_may_be_twice() -> None:
    sqs = Sqs(Clock(), 30.0, {}, ["dead"])
    sqs.send_message(QueueUrl="dead", MessageBody="hello")
    first = sqs.receive_message(QueueUrl="dead")["Messages"][0]
    sqs.duplicate = True
    second = sqs.receive_message(QueueUrl="dead")["Messages"][0]
    assert first["MessageId"] == second["MessageId"]
    sqs.delete_message(QueueUrl="dead", ReceiptHandle=first["ReceiptHandle"])
    assert sqs.queues["dead"]
    sqs.delete_message(QueueUrl="dead", ReceiptHandle=second["ReceiptHandle"])
    assert not sqs.queues["dead"]

"""The rules of AWS that the emulators omit are enforced in these tests."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from support.world import TABLE, World

WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + "x" * 1100]}],
}


def test_names_that_differ_by_case_are_one(world: World) -> None:
    world.iam.create_user(UserName="App")
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        world.iam.create_user(UserName="app")


def test_a_user_has_two_keys_at_most(world: World) -> None:
    world.iam.create_user(UserName="app")
    for _ in range(2):
        world.iam.create_access_key(UserName="app")
    with pytest.raises(ClientError, match="AccessKeysPerUser"):
        world.iam.create_access_key(UserName="app")


def test_inline_policies_share_one_quota_in_which_white_space_does_not_count(world: World) -> None:
    world.iam.create_user(UserName="app")
    world.iam.put_user_policy(UserName="app", PolicyName="one", PolicyDocument=json.dumps(WIDE, indent=8))
    world.iam.put_user_policy(UserName="app", PolicyName="one", PolicyDocument=json.dumps(WIDE))
    with pytest.raises(ClientError, match="Maximum policy size"):
        world.iam.put_user_policy(UserName="app", PolicyName="two", PolicyDocument=json.dumps(WIDE))


@pytest.mark.parametrize(
    ("name", "tag"),
    [("with space", "fine"), ("ä", "fine"), ("x" * 65, "fine"), ("fine", "no*star"), ("fine", "x" * 257)],
)
def test_names_and_tags_have_their_letters(world: World, name: str, tag: str) -> None:
    with pytest.raises(ClientError, match=r"ValidationError|InvalidInput|Parameter"):
        world.iam.create_user(UserName=name, Tags=[{"Key": "k", "Value": tag}])


def test_a_policy_is_latin_and_a_plaintext_is_short(world: World) -> None:
    world.iam.create_user(UserName="app")
    with pytest.raises(ClientError, match="invalid characters"):
        world.iam.put_user_policy(
            UserName="app", PolicyName="p", PolicyDocument=json.dumps({"Version": "日本"}, ensure_ascii=False)
        )
    key = world.kms.list_keys()["Keys"][0]["KeyId"]
    with pytest.raises(ClientError, match="4096"):
        world.kms.encrypt(KeyId=key, Plaintext=b"x" * 4097)


def test_a_sort_key_has_1024_bytes_at_most(world: World) -> None:
    world.put_row("x" * 1019)
    for name in ("x" * 1020, "ä" * 510):
        with pytest.raises(ClientError, match="rangekey"):
            world.dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "SMTP_USER"}, "SK": {"S": f"USER#{name}"}})
        with pytest.raises(ClientError, match="rangekey"):
            world.dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": "SMTP_USER"}, "SK": {"S": f"USER#{name}"}})

"""A small AWS in this process (moto) and a credential manager that uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from moto import mock_aws

from reconciler.aws.client import UNRETRIED, retry_throttled
from reconciler.aws.iam import IamIdentities
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords, DynamoRecordWriter
from reconciler.core.address import Rules
from reconciler.core.ownership import iam_user_name
from reconciler.core.policy import POLICY_NAME, Sending, boundary, to_json
from reconciler.core.record import Record, key_of, manager_tag
from reconciler.core.user import User, make_user
from reconciler.manager.converge import Converger
from reconciler.ports import ChangeRequest
from support.moto_gaps import MotoGaps
from support.ses import FakeSes
from support.snapshot import Snapshot

ACCOUNT = "123456789012"
REGION = "eu-central-1"
ENV = "test"
TABLE = "smtp-users-test"
IAM_USER_TAGS = {"Cost-Center": "4711"}
RULES = Rules(frozenset({"example.com", "news.example.com"}), allow_wildcards=True)
SENDING = Sending(ACCOUNT, (REGION,), "smtp-test")
MARK = manager_tag(ENV)
START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_user(name: str = "billing-mailer", *addresses: str, **fields: Any) -> User:
    return make_user({"name": name, "allowed_from_addresses": addresses or ("billing@example.com",), **fields})


def a_request(correlation_id: str = "c0ffee-1", at: datetime = START) -> ChangeRequest:
    return ChangeRequest(MARK, "c0ffee", "somebody", correlation_id, at.strftime("%Y-%m-%dT%H:%M:%SZ"))


@dataclass
class World:
    """`store`: the reconciler's access to the records. `records`: the manager's. `now`: a clock that tests advance."""

    dynamodb: Any
    iam: Any
    kms: Any
    store: DynamoRecordWriter
    records: DynamoManagerRecords
    identities: IamIdentities
    vault: KmsVault
    gaps: MotoGaps
    ses: FakeSes
    table: Any
    now: datetime = START
    requests: int = field(default=0)

    @property
    def converger(self) -> Converger:
        return Converger(ENV, SENDING, self.records, self.identities, self.vault, lambda: self.now)

    def converge(self, name: str = "billing-mailer") -> Any:
        return self.converger.converge(name)

    def audit(self, name: str = "billing-mailer") -> Any:
        """Converge a user with an audit, as the sweep does."""
        return self.converger.converge(name, audit=True)

    def clients(self) -> list[Any]:
        """The clients that the credential manager uses."""
        return [self.dynamodb, self.iam, self.identities._unretried, self.kms]

    @contextmanager
    def calls(self) -> Iterator[list[str]]:
        """The operations that the credential manager calls meanwhile."""
        asked: list[str] = []

        def note(model: Any, **_: Any) -> None:
            asked.append(model.name)

        for client in self.clients():
            client.meta.events.register_first("before-call", note)
        yield asked
        for client in self.clients():
            client.meta.events.unregister("before-call", note)

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def ask(self, user: User) -> None:
        """Declare a user, as an apply would write it."""
        record = self.store.get(user.name)
        request = self._request()
        if record is None:
            self.store.create(user, "users/test/team.yaml", request)
        else:
            self.store.update(record, user, "users/test/team.yaml", request)

    def ask_delete(self, name: str = "billing-mailer") -> None:
        self.store.delete(self.record(name), self._request())

    def revoke(self, name: str = "billing-mailer") -> None:
        self.store.revoke(self.record(name), "leaked", self._request())

    def resume(self, name: str = "billing-mailer") -> None:
        self.store.resume(self.record(name), self._request())

    def retry(self, name: str = "billing-mailer") -> None:
        self.store.retry(self.record(name), self._request())

    def record(self, name: str = "billing-mailer") -> Record:
        record = self.store.get(name)
        assert record
        return record

    def _request(self) -> ChangeRequest:
        """Every request comes from its own commit and pull request."""
        self.requests += 1
        return replace(
            a_request(f"c0ffee-{self.requests}", self.now),
            commit=f"c0ffee{self.requests:034d}",
            pull_request=f"https://github.com/example/mail/pull/{self.requests}",
            approver="alice bob",
            run=f"https://github.com/example/mail/actions/runs/{self.requests}",
        )

    def tags(self, name: str = "billing-mailer") -> dict[str, str]:
        user = self.iam.get_user(UserName=f"smtp-{ENV}-{name}")["User"]
        return {tag["Key"]: tag["Value"] for tag in user["Tags"]}

    def put_row(self, name: str, **attributes: Any) -> None:
        """A record created manually, with DynamoDB's own types chosen by boto3."""
        self.table.put_item(Item={**key_of(name), **attributes})

    def remove_row(self, name: str = "billing-mailer") -> None:
        self.table.delete_item(Key=key_of(name))

    def row(self, name: str = "billing-mailer") -> dict[str, Any] | None:
        return self.table.get_item(Key=key_of(name)).get("Item")

    def users(self) -> list[str]:
        return sorted(user["UserName"] for user in self.iam.list_users()["Users"])

    def has_user(self, iam_user: str) -> bool:
        try:
            return bool(self.iam.get_user(UserName=iam_user))
        except self.iam.exceptions.NoSuchEntityException:
            return False

    def access_keys(self, name: str = "billing-mailer") -> dict[str, str]:
        """Access key id → status."""
        listed = self.iam.list_access_keys(UserName=iam_user_name(ENV, name))["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def policy(self, name: str = "billing-mailer") -> dict[str, Any]:
        user = iam_user_name(ENV, name)
        assert self.iam.list_user_policies(UserName=user)["PolicyNames"] == [POLICY_NAME]
        document = self.iam.get_user_policy(UserName=user, PolicyName=POLICY_NAME)["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else document


def make_table(dynamodb: Any, view: str = "NEW_AND_OLD_IMAGES") -> str:
    """Returns the ARN of its stream. Without a view, there is none."""
    made = dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False},
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
    )
    return str(made["TableDescription"].get("LatestStreamArn", ""))


@contextmanager
def make_world() -> Iterator[World]:
    """An account with a table, a boundary and a key. It is prepared once per process, and copied for each test."""
    ses = FakeSes()
    with mock_aws(), gaps.filled(), ses.answering():
        prepared = _prepare()
        prepared.account.restore()
        dynamodb, iam, unretried, kms = prepared.clients
        try:
            yield World(
                dynamodb,
                iam,
                kms,
                DynamoRecordWriter(dynamodb, TABLE, RULES),
                DynamoManagerRecords(dynamodb, TABLE, RULES),
                IamIdentities(iam, unretried, ENV, prepared.boundary, IAM_USER_TAGS),
                KmsVault(kms, prepared.key, ENV),
                gaps,
                ses,
                prepared.table,
            )
        finally:
            prepared.handlers.remove()


gaps = MotoGaps()


@dataclass
class Prepared:
    clients: list[Any]
    table: Any
    boundary: str
    key: str
    account: Snapshot
    handlers: AddedHandlers


@cache
def _prepare() -> Prepared:
    dynamodb, iam, kms = (boto3.client(service) for service in ("dynamodb", "iam", "kms"))
    gaps.mappings = [{"EventSourceArn": make_table(dynamodb), "State": "Enabled"}]
    unretried = boto3.client("iam", config=UNRETRIED)
    retry_throttled(unretried, "CreateAccessKey")
    arn = iam.create_policy(
        PolicyName="smtp-boundary-test", PolicyDocument=to_json(boundary(SENDING, ["example.com"]))
    )["Policy"]["Arn"]
    key = kms.create_key()["KeyMetadata"]["Arn"]
    table = boto3.resource("dynamodb").Table(TABLE)
    clients = [dynamodb, iam, unretried, kms]
    return Prepared(clients, table, arn, key, Snapshot(gaps), AddedHandlers([*clients, table.meta.client]))


class AddedHandlers:
    """What tests register at clients that outlive them."""

    def __init__(self, clients: list[Any]) -> None:
        self._added: list[tuple[Any, str, Any]] = []
        for client in clients:
            self._note(client.meta.events._emitter)

    def _note(self, emitter: Any) -> None:
        register = emitter._register_section

        def note(event: str, handler: Any, *arguments: Any, **options: Any) -> None:
            register(event, handler, *arguments, **options)
            self._added.append((emitter, event, handler))

        emitter._register_section = note

    def remove(self) -> None:
        for emitter, event, handler in self._added:
            emitter.unregister(event, handler)
        self._added.clear()

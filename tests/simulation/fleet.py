"""Many users in the models of AWS, for measurements: no faults, real page sizes, and calls from any thread."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from reconciler.aws.iam import IamIdentities
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords, DynamoRecordWriter
from reconciler.core.arn import iam_arn
from reconciler.core.user import User
from reconciler.manager.converge import Converger
from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import load_pipeline
from reconciler.ports import ChangeRequest
from simulation import dynamodb as dynamodb_model
from simulation import iam as iam_model
from simulation import notation
from simulation.clock import Clock
from simulation.dynamodb import DynamoDb, Item
from simulation.iam import Iam
from simulation.iam_user import IamUser
from simulation.kms import Kms
from simulation.trigger import Ses, Trigger
from simulation.wire import Client
from simulation.world import ENV, KEY


def use_real_pages() -> None:
    """The models return a few entries per page otherwise."""
    iam_model.PAGE, dynamodb_model.PAGE = 1000, 100  # of ListUsers and BatchGetItem


class LargeTable(DynamoDb):
    """A Query finds its page without evaluating the condition for every item of the table."""

    page = 1000  # items: 1 MB

    def query(self, *, TableName: str, KeyConditionExpression: str, Limit: int = 10**9, **expressions: Any) -> Any:
        self._check_table(TableName, "Query")
        start = expressions.pop("ExclusiveStartKey", None)
        keys = sorted(self.items)
        after = bisect_right(keys, (start["PK"]["S"], start["SK"]["S"])) if start else 0
        page: list[Item] = []
        for key in keys[after:]:
            item = self.items[key]
            if notation.holds(KeyConditionExpression, item, expressions):
                if len(page) == min(Limit, self.page):
                    last = {name: page[-1][name] for name in ("PK", "SK")}
                    return {"Items": self._shown(page, expressions), "LastEvaluatedKey": last}
                page.append(item)
        return {"Items": self._shown(page, expressions)}

    def _shown(self, page: list[Item], expressions: dict[str, Any]) -> list[Item]:
        condition = expressions.get("FilterExpression")
        passing = (item for item in page if not condition or notation.holds(condition, item, expressions))
        return [notation.project(item, **expressions) for item in passing]


class LargeIam(Iam):
    """Users are not counted for each creation, as long as there cannot be too many."""

    _counts = True

    def create_user(self, **parameters: Any) -> Any:
        self._counts = len(self._versions) >= self._quota
        try:
            return super().create_user(**parameters)
        finally:
            self._counts = True

    def users(self) -> Iterator[IamUser]:
        return super().users() if self._counts else iter(())

    def list_users(self, *, PathPrefix: str = "/", Marker: str = "", MaxItems: int = 100) -> Any:
        """100 users per page unless the caller asks for more, as AWS."""
        return super().list_users(PathPrefix=PathPrefix, Marker=Marker, MaxItems=MaxItems)


class DirectWire:
    """Takes the place of `wire.Wire`: every call succeeds. `before`: called first, outside of the lock."""

    def __init__(self, before: Callable[[str, str], None] = lambda _service, _operation: None) -> None:
        self.before = before
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def call(self, service: str, operation: str, effect: Any, parameters: dict[str, Any], **_: Any) -> Any:
        self.before(service, operation)
        with self._lock:
            self.counts[f"{service}:{operation}"] += 1
            return effect(**parameters)


class Fleet:
    """One account of `environment`, and the adapters of both halves."""

    def __init__(self, environment: Environment = ENV) -> None:
        use_real_pages()
        self.environment = environment
        self.clock = Clock()
        account, region = environment.account_id, environment.region
        self.boundary = iam_arn(region, account, f"policy/{load_pipeline(environment.name).names['boundary']}")
        self.table = LargeTable(self.clock, f"arn:aws:dynamodb:{region}:{account}:table/{environment.table}", 1)
        self.iam = LargeIam(self.clock, 1_000_000)
        self.wire = DirectWire()
        models = {
            "dynamodb": self.table, "iam": self.iam, "kms": Kms(KEY), "lambda": Trigger(self.table), "sesv2": Ses(),
        }  # fmt: skip
        self.models: dict[str, Any] = models
        rules = environment.rules
        dynamodb = self.client("dynamodb")
        self.writer = DynamoRecordWriter(dynamodb, environment.table, rules)
        self.converger = Converger(
            environment.name,
            environment.sending,
            DynamoManagerRecords(dynamodb, environment.table, rules),
            IamIdentities(self.client("iam"), self.client("iam"), environment.name, self.boundary, {}),
            KmsVault(self.client("kms"), KEY, environment.name),
            self.clock.local,
        )

    def client(self, service: str) -> Any:
        return Client(self.wire, service, self.models[service])  # type: ignore[arg-type]

    def fill(self, users: list[tuple[User, str]], request: ChangeRequest) -> None:
        """Create active users: each with its manifest. What each half writes is written by the real code."""
        for user, manifest in users:
            self.writer.create(user, manifest, request)
            self.converger.converge(user.name)
        self.clock.advance(3600)  # then reads are consistent, and no user is young
        self.table.log.clear()
        self.wire.counts.clear()

"""One simulated account: models of AWS, the real Lambda code that uses them, and the declared users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import yaml

from reconciler.aws.attributes import unpack
from reconciler.aws.fallback_state import DynamoFallbacks
from reconciler.aws.iam import IamIdentities
from reconciler.aws.iam_reader import IamReader
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords, DynamoRecordWriter
from reconciler.aws.ses import read_account
from reconciler.aws.sqs import SqsQueue
from reconciler.aws.streams import DynamoStream
from reconciler.aws.sweep_state import DynamoSweepStates
from reconciler.aws.trigger import StreamTrigger
from reconciler.core.ownership import iam_user_name
from reconciler.core.record import PK, SK_PREFIX, Record, manager_tag
from reconciler.core.user import User
from reconciler.manager.batches import Batches
from reconciler.manager.converge import Converger
from reconciler.manager.dead_letters import DeadLetters
from reconciler.manager.health import Health
from reconciler.manager.letters import LetterReader
from reconciler.manager.sweep import Budget, Sweep
from reconciler.manager.user_checks import UserChecks
from reconciler.manager.user_events import UserEvents
from reconciler.manifests.environments import Environment
from reconciler.pipeline import definition as pipeline
from reconciler.planning.limits import Limits
from simulation.at_once import AtOnce
from simulation.clock import Clock
from simulation.dynamodb import DynamoDb
from simulation.faults import Faults
from simulation.filters import Rules
from simulation.functions import CONTEXT, function
from simulation.iam import Iam
from simulation.iam_user import IamUser
from simulation.kms import Kms
from simulation.letters import Letters
from simulation.mapping import Mapping
from simulation.scheduler import Actor, Scheduler
from simulation.sqs import Sqs
from simulation.streams import Streams
from simulation.trigger import FUNCTION, Ses, Trigger
from simulation.wire import Client, Wire

ENV = Environment(
    name="test",
    config=Path("reconcile.yaml"),
    account_id="123456789012",
    region="eu-central-1",
    smtp_regions=("eu-central-1", "eu-west-1"),
    table="smtp-users-test",
    configuration_set="smtp-test",
    allowed_domains=frozenset({"example.com", "news.example.com"}),
    allow_wildcards=True,
    limits=Limits(max_deletes=2, max_delete_percent=100),
    local=False,
)
MANAGER = manager_tag(ENV.name)
BOUNDARY = f"arn:aws:iam::{ENV.account_id}:policy/smtp-boundary-test"
KEY = f"arn:aws:kms:{ENV.region}:{ENV.account_id}:key/5150"
TABLE_ARN = f"arn:aws:dynamodb:{ENV.region}:{ENV.account_id}:table/{ENV.table}"
DEAD, PARKED = "https://sqs.example.com/dead-letters", "https://sqs.example.com/parked"


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between scenarios besides the actions."""

    lag: int = 0  # by how many seconds a response of IAM may be out of date
    lanes: int = 1  # shards of the table's stream
    retries: int = 12  # of the mapping; production uses the highest number
    stickiness: float = 0.5  # the probability that the same actor continues
    telemetry: bool = True  # False: every call of the logger and the metrics fails
    quota: int = 5000  # IAM users of the account
    users_per_run: int = 5000  # of the sweep
    wide_reads: bool = True  # the roles may read all IAM users of the account at once
    allowed_wide_reads: bool = True  # False: the role lacks the permission although the setting says otherwise
    full_check: int = 1  # rounds of the sweep; production uses a higher number


@cache
def deployed() -> Any:
    """`pipeline.yaml`, as Terraform reads it."""
    return yaml.safe_load(pipeline.SOURCE.read_text(encoding="utf-8"))


@dataclass
class Chance:
    """The random decisions of one action. Without a generator, nothing is random."""

    random: Random | None = None

    def lag(self, longest: int) -> float:
        if self.random is None or not longest or self.random.random() < 0.6:
            return 0.0
        return self.random.random() * longest


class World:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.scheduler = Scheduler(self.clock)
        self.faults = Faults()
        self.chance = Chance()
        self.steps = 0
        self.actions: Counter[str] = Counter()
        self.swept: dict[str, Any] = {}  # the report of the last sweep
        self.broken: list[str] = []  # violated invariants with descriptions; the first ends the run
        self.declared: dict[str, User] = {}
        self.commits = 0  # of the manifests
        self.history: list[dict[str, User]] = [{}]  # what was declared at each commit
        self.disturbed: set[str] = set()  # users that were deactivated, removed or changed manually
        self.edited_manually: set[str] = set()  # users whose records were written manually
        self.tampered: set[str] = set()  # users whose IAM users were changed manually
        self.unmanaged: set[str] = set()  # names that ever had an IAM user without the ownership tag
        self.requests = 0
        self._make_aws()
        self._make_functions()

    def _make_aws(self) -> None:
        self.table = DynamoDb(self.clock, TABLE_ARN, self.settings.lanes)
        self.trigger = Trigger(self.table)
        self.iam = Iam(self.clock, self.settings.quota, wide_reads=self.settings.allowed_wide_reads)
        self.kms = Kms(KEY)
        dead = deployed()["dead_letters"]
        visibility = 6.0 * deployed()["functions"]["dead_letter"]["timeout_seconds"]
        self.sqs = Sqs(self.clock, visibility, {DEAD: (PARKED, dead["max_receives"])}, [DEAD, PARKED])
        self.wire = Wire(self.clock, self.scheduler, self.faults, self._draw_lag)

    def _draw_lag(self) -> None:
        self.iam.lag = self.chance.lag(self.settings.lag)

    def _make_functions(self) -> None:
        dynamodb = Client(self.wire, "dynamodb", self.table)
        self.store = DynamoRecordWriter(dynamodb, ENV.table, ENV.rules)  # type: ignore[arg-type]
        self.managed = DynamoManagerRecords(dynamodb, ENV.table, ENV.rules)  # type: ignore[arg-type]
        self.states = DynamoSweepStates(dynamodb, ENV.table)  # type: ignore[arg-type]
        iam, unretried = (Client(self.wire, "iam", self.iam, repeat=repeat) for repeat in (True, False))
        self.identities = IamIdentities(iam, unretried, ENV.name, BOUNDARY, {})  # type: ignore[arg-type]
        self.vault = KmsVault(Client(self.wire, "kms", self.kms), KEY, ENV.name)  # type: ignore[arg-type]
        now = self.clock.local
        self.converger = Converger(ENV.name, ENV.sending, self.managed, self.identities, self.vault, now)
        sqs = Client(self.wire, "sqs", self.sqs)
        queue, parking = (SqsQueue(sqs, url) for url in (DEAD, PARKED))  # type: ignore[arg-type]
        stream = DynamoStream(Client(self.wire, "streams", Streams(self.clock, self.table)))  # type: ignore[arg-type]
        size = deployed()["mapping"]["batch_size"]
        fallbacks = DynamoFallbacks(dynamodb, ENV.table)  # type: ignore[arg-type]
        self.user_events = UserEvents(self.converger, queue, now)
        self.dead_letters = DeadLetters(
            self.converger,
            LetterReader(TABLE_ARN, size),
            Batches(stream, self.managed, fallbacks, ENV.sending, size, now),
            queue,
            parking,
            deployed()["dead_letters"]["tries"],
            now,
        )
        reader = IamReader(self.identities, self.settings.wide_reads, AtOnce)
        self.sweep = Sweep(
            UserChecks(self.converger, reader, now, self.settings.full_check),
            self.managed, self.identities, self.states, self._health(dynamodb),
            Budget(ENV.limits.max_deletes, ENV.limits.max_delete_percent, self.settings.users_per_run),
            now,
        )  # fmt: skip
        self.mapping = Mapping(
            self.clock, self.scheduler, self.table, self._mapping_rules(),
            self._function("manager", "stream", user_events=self.user_events), self.give_up, self.trigger,
        )  # fmt: skip
        self.letters = Letters(
            self.clock, self.scheduler, self.sqs, DEAD, deployed()["dead_letters"]["batch_size"],
            deployed()["dead_letters"]["maximum_concurrency"], _timeout("dead_letter"),
            self._function("dead_letter", "dead_letter", dead_letters=self.dead_letters),
        )  # fmt: skip

    def _health(self, dynamodb: Any) -> Health:
        functions: Any = Client(self.wire, "lambda", self.trigger)
        ses: Any = Client(self.wire, "ses", Ses())
        trigger = StreamTrigger(dynamodb, functions, ENV.table, FUNCTION)
        return Health(trigger, {region: partial(read_account, ses, region) for region in ENV.smtp_regions})

    def _mapping_rules(self) -> Rules:
        declared = deployed()["mapping"]
        return Rules(
            batch_size=declared["batch_size"],
            retries=min(self.settings.retries, declared["maximum_retry_attempts"]),
            record_age=timedelta(seconds=declared["maximum_record_age_seconds"]),
            bisect=declared["bisect_batch_on_function_error"],
            filters=declared["filters"],
            timeout=_timeout("manager"),
        )

    def give_up(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=DEAD, MessageBody=body)

    def _function(self, name: str, short: str, **provides: Any) -> Callable[[int, Any], Any]:
        """The real handler, in its own execution environment."""
        module = deployed()["functions"][name]["handler"].rpartition(".")[0]
        assert module.endswith(short)

        def invoke(environment: int, event: Any) -> Any:
            loaded = function(module, environment, telemetry=self.settings.telemetry, **provides)
            loaded.telemetry.defect = self._note_defect
            return loaded.handler(event, self._context(name))

        return invoke

    def _context(self, function_name: str) -> Any:
        """What Lambda tells an invocation that begins now."""
        deadline = self.clock.now + _timeout(function_name)
        return SimpleNamespace(
            **vars(CONTEXT),
            get_remaining_time_in_millis=lambda: (deadline - self.clock.now).total_seconds() * 1000,
        )

    def _note_defect(self, name: str, error: Exception) -> None:
        self.broken.append(f"defect: {name}: {type(error).__name__}: {error}")

    def declare(self, name: str, user: User | None) -> None:
        """A new commit of the manifests. None: no longer declared."""
        self.declared.pop(name, None)
        if user:
            self.declared[name] = user
        self.commits += 1
        self.history.append(dict(self.declared))

    def start_sweep(self) -> Actor:
        deadline = self.clock.now + _timeout("sweep")
        context = self._context("sweep")
        number = sum(actor.name.startswith("sweep") for actor in self.scheduler.actors)

        def run() -> Any:
            loaded = function(
                deployed()["functions"]["sweep"]["handler"].rpartition(".")[0], number,
                telemetry=self.settings.telemetry, sweep=self.sweep,
            )  # fmt: skip
            loaded.telemetry.defect = self._note_defect
            return loaded.handler({}, context)

        changes = self.trigger.changes
        actor = Actor(
            "sweep", run, lambda actor: self.broken.extend(self.trigger.judge(actor, changes)), deadline=deadline
        )
        self.scheduler.start(actor)
        return actor

    def play(self, budget: int | None, random: Random | None) -> None:
        """Let the actors run for this number of calls, or until all have finished."""
        self.chance = Chance(random)
        while self.scheduler.actors and not self.broken and (budget is None or budget > 0):
            self.scheduler.turn(random, self.settings.stickiness)
            self.steps += 1
            budget = None if budget is None else budget - 1
            self.broken += self.scheduler.defects
            if self.wire.late and random is not None and random.random() < 0.1:
                self.wire.land(1)

    def sleep(self, seconds: float) -> None:
        """Called by an actor that waits for others."""
        self.clock.advance(seconds)
        self.scheduler.pause()

    # Direct access for manual changes and checks.

    def item(self, name: str) -> dict[str, Any] | None:
        return self.table.items.get((PK, f"{SK_PREFIX}{name}"))

    def record(self, name: str) -> Record | None:
        item = self.item(name)
        return self.store._record(unpack(item)) if item else None

    def records(self) -> list[Record]:
        items = [(key, item) for key, item in sorted(self.table.items.items()) if key[0] == PK]
        return [self.store._record(unpack(item)) for key, item in items if key[1].startswith(SK_PREFIX)]

    def iam_user(self, name: str) -> IamUser | None:
        return self.iam.find(iam_user_name(ENV.name, name))


def _timeout(function_name: str) -> timedelta:
    return timedelta(seconds=deployed()["functions"][function_name]["timeout_seconds"])

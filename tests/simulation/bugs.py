"""Bugs planted in the real code on purpose: the simulator must find each of them.

The first five are classic bugs of such systems. The others violate the invariants that these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from reconciler.aws import iam as identity
from reconciler.aws.iam import IamIdentities
from reconciler.aws.iam_reader import IamReader
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoManagerRecords
from reconciler.core import key_decision
from reconciler.core.applied_state import NOTHING_APPLIED, AppliedState
from reconciler.core.decision import Decision, Identity, NoOp
from reconciler.core.record import Record, Status, name_of
from reconciler.core.record_parser import read
from reconciler.core.record_state import RecordState
from reconciler.core.trigger import Trigger
from reconciler.core.user import Declaration
from reconciler.engine import history as engine_history
from reconciler.errors import InvalidInput, Retryable
from reconciler.manager import converge, survey
from reconciler.manager.converge import Converger, ConvergeResult
from reconciler.manager.handlers import telemetry
from reconciler.manager.invocation import Invocation
from reconciler.manager.user_events import EventResult, UserEvents
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.planning import history, wording
from reconciler.ports import Credentials, ManagerRecords, SettledState
from simulation import commands, functions
from simulation.world import ENV

Bug = Callable[[ExitStack], None]
BUGS: dict[str, Bug] = {}


def bug(name: str) -> Callable[[Bug], Bug]:
    def register(plant: Bug) -> Bug:
        BUGS[name] = plant
        return plant

    return register


@contextmanager
def planted(name: str) -> Iterator[None]:
    with ExitStack() as stack:
        BUGS[name](stack)
        yield


@bug("time-stamped user names")
def _time_stamped(stack: ExitStack) -> None:
    """The name of the IAM user contains a time, and a later attempt knows it only if it was recorded."""
    stamps: dict[str, str] = {}
    attempt = Converger._attempt

    def with_stamp(self: Converger, name: str, state: RecordState | None, *args: Any, **kwargs: Any) -> ConvergeResult:
        known = state.record.iam_user_arn.rpartition(".")[2] if state else ""
        stamps[name] = known or (stamps.get(name, "") if state is None else f"{self.now():%H%M%S}")
        return attempt(self, name, state, *args, **kwargs)

    def stamped(environment: str, name: str) -> str:
        return f"smtp-{environment}-{name}.{stamps.get(name, '')}"

    stack.enter_context(mock.patch.object(Converger, "_attempt", with_stamp))
    stack.enter_context(mock.patch.object(converge, "iam_user_name", stamped))
    stack.enter_context(mock.patch.object(identity, "iam_user_name", stamped))


@bug("catch-all returning 200")
def _catch_all(stack: ExitStack) -> None:
    """The function always reports success."""

    def process(self: UserEvents, name: str, _invocation: Invocation) -> EventResult:
        with suppress(Exception):
            return EventResult(self.converger.converge(name))
        return EventResult()

    stack.enter_context(mock.patch.object(UserEvents, "process", process))


@bug("unconditional status write")
def _unconditional(stack: ExitStack) -> None:
    """The result is written even if the record has changed meanwhile."""
    settle = DynamoManagerRecords.settle

    def settle_anyway(self: DynamoManagerRecords, record: Record, outcome: SettledState) -> None:
        settle(self, replace(record, lock={"entity_type": "smtp_credential"}), outcome)

    stack.enter_context(mock.patch.object(DynamoManagerRecords, "settle", settle_anyway))


@dataclass(frozen=True)
class _Image:
    """Returns the record that the event contains."""

    records: ManagerRecords
    record: Record | None

    def get(self, _name: str) -> Record | None:
        return self.record

    def __getattr__(self, name: str) -> Any:
        return getattr(self.records, name)


@bug("acting on the event image")
def _event_image(stack: ExitStack) -> None:
    """The function uses the record in the event instead of reading the current one."""

    def handle_record(self: Any, record: DynamoDBRecord, _invocation: Invocation) -> None:
        assert record.dynamodb
        image = record.dynamodb.new_image
        shown = read(image, ENV.rules) if image else None
        real = self.user_events().converger
        if name := name_of(record.dynamodb.keys or {}):
            replace(real, records=_Image(real.records, shown)).converge(name)

    stack.enter_context(functions.instead("reconciler.manager.handlers.stream", "handle_record", handle_record))


@bug("key not recorded")
def _not_recorded(stack: ExitStack) -> None:
    """A key that was created but not recorded is neither deleted at once nor later."""

    def settle(self: Converger, record: Record, outcome: SettledState) -> None:
        self.records.settle(record, outcome)

    stack.enter_context(mock.patch.object(Converger, "_settle", settle))
    stack.enter_context(mock.patch.object(key_decision, "unknown_keys", return_value=[]))


@bug("tag not checked")
def _tag_not_checked(stack: ExitStack) -> None:
    """Any IAM user with the right name is treated as managed."""
    observe = IamIdentities.observe

    def always_owned(self: IamIdentities, name: str) -> Identity | None:
        found = observe(self, name)
        return found and replace(found, owned=True)

    stack.enter_context(mock.patch.object(IamIdentities, "observe", always_owned))


@bug("orphans not detected")
def _no_orphans(stack: ExitStack) -> None:
    """The sweep checks only records, so an IAM user whose REMOVE event was lost is never deleted."""
    read = IamReader.read
    stack.enter_context(mock.patch.object(IamReader, "read", lambda reader: replace(read(reader), users=())))


@bug("revocations wait for the round")
def _wait_for_round(stack: ExitStack) -> None:
    """The sweep processes a revocation only where its round is."""
    stack.enter_context(mock.patch.object(survey, "is_urgent", return_value=False))


@bug("a dead trigger is not noticed")
def _not_noticed(stack: ExitStack) -> None:
    stack.enter_context(mock.patch.object(Trigger, "fault", ""))


@bug("the status is stronger than a revocation")
def _status_first(stack: ExitStack) -> None:
    """A record with an unknown status requests nothing, even if it is revoked."""
    decide = converge.decide

    def by_status(state: RecordState | None, identity: Identity | None, **race: bool) -> Decision:
        if state and state.record.status not in tuple(Status):
            return Decision(NoOp())
        return decide(state, identity, **race)

    stack.enter_context(mock.patch.object(converge, "decide", by_status))


@bug("retried forever")
def _forever(stack: ExitStack) -> None:
    """A permanent failure is reported as retryable."""

    def fail(self: Converger, record: Record, code: str, message: str, *_: Any, **__: Any) -> ConvergeResult:
        raise Retryable("lifecycle:Decide", code, message)

    stack.enter_context(mock.patch.object(Converger, "_fail", fail))


@bug("password in the log")
def _logged(stack: ExitStack) -> None:
    encrypt = KmsVault.encrypt

    def encrypt_and_print(self: KmsVault, name: str, credentials: Credentials) -> bytes:
        print("encrypting", credentials.username, credentials.passwords)
        return encrypt(self, name, credentials)

    stack.enter_context(mock.patch.object(KmsVault, "encrypt", encrypt_and_print))


@bug("invalid file skipped")
def _skipped(stack: ExitStack) -> None:
    """An invalid manifest is skipped and the run continues; its users are deleted."""

    def load(users: Path, environment: Environment) -> dict[str, Declaration]:
        with suppress(InvalidInput):
            return load_manifests(users, environment)
        return {}

    stack.enter_context(mock.patch.object(commands, "load_manifests", load))


@bug("widening not reported")
def _silent(stack: ExitStack) -> None:
    """A plan shows what a user loses but not what it gains."""

    def losses(old: tuple[str, ...], new: tuple[str, ...], noun: str) -> list[str]:
        return [f"loses {noun}{', '.join(lost)}"] if (lost := sorted(set(old) - set(new))) else []

    stack.enter_context(mock.patch.object(wording, "_set_clauses", losses))


@bug("telemetry errors not suppressed")
def _telemetry(stack: ExitStack) -> None:
    """An error of the logger or the metrics fails the function."""
    stack.enter_context(mock.patch.object(telemetry, "suppress", side_effect=lambda *_: nullcontext()))


@bug("age of a run judged by the records alone")
def _records_only(stack: ExitStack) -> None:
    """A commit that only deletes leaves no record, so a run of an older commit is not recognized."""

    def commits(_: AppliedState, records: Iterable[Record], mark: str) -> list[str]:
        return history.applied_commits(NOTHING_APPLIED, records, mark)

    stack.enter_context(mock.patch.object(engine_history, "applied_commits", commits))

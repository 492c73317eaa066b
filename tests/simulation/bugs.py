"""Bugs put into the real code on purpose: the simulator must find each of them.

The first five are the classic ones of such systems. The others break what those leave whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from reconciler.aws import iam as identity
from reconciler.aws.iam import IamIdentities
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoStore
from reconciler.core import lifecycle
from reconciler.core.decision import Identity
from reconciler.core.record import Record, name_of
from reconciler.core.record_parser import read
from reconciler.core.user import Declaration
from reconciler.errors import InvalidInput, Retryable
from reconciler.manager import converge
from reconciler.manager.converge import Converger, Report
from reconciler.manager.handlers import telemetry
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.planning import wording
from reconciler.ports import Credentials, Outcome, Rows
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
    """The IAM user's name is made from the clock, and known to a later try only once the row has it."""
    stamps: dict[str, str] = {}
    attempt = Converger._attempt

    def with_stamp(self: Converger, name: str, record: Record | None, *args: Any, **kwargs: Any) -> Report:
        known = record.iam_user_arn.rpartition(".")[2] if record else ""
        stamps[name] = known or (stamps.get(name, "") if record is None else f"{self.now():%H%M%S}")
        return attempt(self, name, record, *args, **kwargs)

    def stamped(environment: str, name: str) -> str:
        return f"smtp-{environment}-{name}.{stamps.get(name, '')}"

    stack.enter_context(mock.patch.object(Converger, "_attempt", with_stamp))
    stack.enter_context(mock.patch.object(converge, "iam_user_name", stamped))
    stack.enter_context(mock.patch.object(identity, "iam_user_name", stamped))


@bug("catch-all returning 200")
def _catch_all(stack: ExitStack) -> None:
    """The function answers that all went well, whatever happened."""

    def handle_record(self: Any, record: DynamoDBRecord) -> None:
        with suppress(Exception):
            self.real_handle_record(record)

    stack.enter_context(functions.instead("reconciler.manager.handlers.stream", "handle_record", handle_record))


@bug("unconditional status write")
def _unconditional(stack: ExitStack) -> None:
    """The outcome is written over whatever the row has become meanwhile."""
    settle = DynamoStore.settle

    def settle_anyway(self: DynamoStore, record: Record, outcome: Outcome) -> None:
        settle(self, replace(record, lock=(("entity_type", "smtp_credential"),)), outcome)

    stack.enter_context(mock.patch.object(DynamoStore, "settle", settle_anyway))


@dataclass(frozen=True)
class _Image:
    """The row as the event shows it."""

    rows: Rows
    record: Record | None

    def get(self, _name: str) -> Record | None:
        return self.record

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)


@bug("acting on the event image")
def _event_image(stack: ExitStack) -> None:
    """The function believes what the event says of the row, instead of reading it."""

    def handle_record(self: Any, record: DynamoDBRecord) -> None:
        assert record.dynamodb
        image = record.dynamodb.new_image
        shown = read(image, ENV.rules) if image else None
        real = self.converger()
        if name := name_of(record.dynamodb.keys or {}):
            replace(real, rows=_Image(real.rows, shown)).converge(name)

    stack.enter_context(functions.instead("reconciler.manager.handlers.stream", "handle_record", handle_record))


@bug("key not recorded")
def _not_recorded(stack: ExitStack) -> None:
    """A key that was made and did not get into the row is forgotten: neither taken back nor deleted later."""

    def settle(self: Converger, record: Record, outcome: Outcome) -> None:
        self.rows.settle(record, outcome)

    stack.enter_context(mock.patch.object(Converger, "_settle", settle))
    stack.enter_context(mock.patch.object(lifecycle, "unknown_keys", return_value=[]))


@bug("mark not looked at")
def _no_mark(stack: ExitStack) -> None:
    """Whatever IAM user has the right name is taken for ours."""
    observe = IamIdentities.observe

    def anybody(self: IamIdentities, name: str) -> Identity | None:
        found = observe(self, name)
        return found and replace(found, owned=True)

    stack.enter_context(mock.patch.object(IamIdentities, "observe", anybody))


@bug("orphans not looked for")
def _no_orphans(stack: ExitStack) -> None:
    """The sweep looks at rows only, so an IAM user whose REMOVE event was lost stays for ever."""
    stack.enter_context(mock.patch.object(IamIdentities, "names", return_value=[]))


@bug("tried for ever")
def _for_ever(stack: ExitStack) -> None:
    """What can never succeed is called retryable."""

    def fail(self: Converger, record: Record, code: str, message: str, *_: Any) -> Report:
        raise Retryable("lifecycle:Decide", code, message)

    stack.enter_context(mock.patch.object(Converger, "_fail", fail))


@bug("password in the log")
def _logged(stack: ExitStack) -> None:
    encrypt = KmsVault.encrypt

    def encrypt_and_tell(self: KmsVault, name: str, credentials: Credentials) -> bytes:
        print("encrypting", credentials.username, credentials.passwords)
        return encrypt(self, name, credentials)

    stack.enter_context(mock.patch.object(KmsVault, "encrypt", encrypt_and_tell))


@bug("broken file skipped")
def _skipped(stack: ExitStack) -> None:
    """A manifest that does not hold is left out, and the run goes on with the others: their users are gone, then."""

    def load(users: Path, environment: Environment) -> dict[str, Declaration]:
        with suppress(InvalidInput):
            return load_manifests(users, environment)
        return {}

    stack.enter_context(mock.patch.object(commands, "load_manifests", load))


@bug("widening not told")
def _silent(stack: ExitStack) -> None:
    """A plan tells what a user loses, and not what it gains."""

    def losses(old: tuple[str, ...], new: tuple[str, ...], noun: str) -> list[str]:
        return [f"loses {noun}{', '.join(lost)}"] if (lost := sorted(set(old) - set(new))) else []

    stack.enter_context(mock.patch.object(wording, "_set_clauses", losses))


@bug("telemetry that counts")
def _telemetry(stack: ExitStack) -> None:
    """An error of the logger or of the metrics is the function's own."""
    stack.enter_context(mock.patch.object(telemetry, "suppress", side_effect=lambda *_: nullcontext()))

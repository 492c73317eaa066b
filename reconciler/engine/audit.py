"""Read manifests, records and IAM users, and compare them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

import click

from reconciler.aws.iam_reader import IamReader
from reconciler.aws.records import DynamoRecordReader
from reconciler.core.decision import Identity
from reconciler.core.ownership import smtp_user_name
from reconciler.core.record import Record
from reconciler.core.user import NAME, Declaration
from reconciler.manifests.environments import Environment
from reconciler.output.terminal import say, shows_progress
from reconciler.planning.audit import Audit, Snapshot, audit, ignore_age_of_known_keys
from reconciler.ports import Listing

T = TypeVar("T")

TOLD_EVERY = 15.0  # seconds: the progress, where there is no terminal
SECOND_READ = 5.0  # seconds: the credential manager takes less from creating a key to storing it


@dataclass(frozen=True, slots=True)
class Auditor:
    """`thorough`: also read what IAM returns per user only, five more calls for each."""

    environment: Environment
    store: DynamoRecordReader
    reader: IamReader
    thorough: bool

    def audit(self, desired: Mapping[str, Declaration]) -> Audit:
        return self.inspect(desired)[1]

    def inspect(self, desired: Mapping[str, Declaration]) -> tuple[Snapshot, Audit]:
        """What was read, and its audit.

        What seems to differ is read again, because users can change while the others are read.
        """
        snapshot = self._read(desired)
        result = self._compare(snapshot)
        if unconfirmed := result.differing | result.inconclusive:
            if result.inconclusive:
                time.sleep(SECOND_READ)
            snapshot = self._read_again(snapshot, unconfirmed)
            result = self._compare(snapshot)
        return snapshot, result

    def _compare(self, snapshot: Snapshot) -> Audit:
        environment = self.environment
        return audit(snapshot, environment.name, environment.sending, datetime.now(UTC), environment.reserved)

    def _read(self, desired: Mapping[str, Declaration]) -> Snapshot:
        """IAM is listed before the records: a user that is just being created already has its record."""
        listing = self.reader.read()
        smtp_users = {iam_user: self._name(iam_user) for iam_user in listing.users}
        listed = set(filter(None, smtp_users.values()))
        records = self._records()
        names = listed | {name for name in desired.keys() | records.keys() if NAME.fullmatch(name)}
        unrecognized = tuple(sorted(iam_user for iam_user, name in smtp_users.items() if not name))
        complete = self.thorough or listing.identities is None
        return Snapshot(desired, records, self._observe(names, listing), unrecognized, complete)

    def _name(self, iam_user: str) -> str | None:
        name = smtp_user_name(self.environment.name, iam_user)
        return name if name and NAME.fullmatch(name) else None

    def _read_again(self, first: Snapshot, unconfirmed: Set[str]) -> Snapshot:
        """Records and IAM users of these as they are now; all others as they were."""
        now = self._records()
        kept = {name: record for name, record in first.records.items() if name not in unconfirmed}
        records = kept | {name: now[name] for name in unconfirmed & now.keys()}
        observed = self._observe(unconfirmed & first.identities.keys(), Listing(()))
        identities = {name: ignore_age_of_known_keys(one, first.identities[name]) for name, one in observed.items()}
        return replace(first, records=records, identities={**first.identities, **identities})

    def _records(self) -> dict[str, Record]:
        """With their ciphertexts, a few hundred bytes each: a key without a stored credential is unknown."""
        return {record.name: record for record in self.store.records(sealed=True)}

    def _observe(self, names: Set[str], listing: Listing) -> dict[str, Identity | None]:
        """The first user that cannot be read ends the audit."""
        found: dict[str, Identity | None] = {}
        with closing(self.reader.observe(sorted(names), listing, lambda _: self.thorough)) as observed:
            for name, identity in with_progress(observed, len(names), "IAM users"):
                if isinstance(identity, Exception):
                    raise identity
                found[name] = identity
        return found


def with_progress(found: Iterable[T], count: int, noun: str) -> Iterator[T]:
    """With a progress bar on a terminal; elsewhere with a line from time to time, for the log of CI."""
    if shows_progress():
        with click.progressbar(found, length=count, label=noun, file=sys.stderr) as bar:
            yield from bar
        return
    told = time.monotonic()
    for done, each in enumerate(found, start=1):
        if time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            say(f"{done:,} of {count:,} {noun} read", err=True)
        yield each

"""Read manifests, records and IAM users, and compare them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from reconciler.aws.iam import IamIdentities
from reconciler.aws.records import DynamoRecordReader
from reconciler.core.decision import Identity
from reconciler.core.ownership import smtp_user_name
from reconciler.core.record import Record
from reconciler.core.user import NAME, Declaration
from reconciler.manifests.environments import Environment
from reconciler.output.terminal import shows_progress
from reconciler.planning.audit import Audit, Snapshot, audit, ignore_age_of_known_keys

READERS = 4  # users observed at the same time: the whole account shares IAM's throttling
SECOND_READ = 5.0  # seconds: the credential manager takes less from creating a key to storing it


@dataclass(frozen=True, slots=True)
class Auditor:
    environment: Environment
    store: DynamoRecordReader
    identities: IamIdentities

    def audit(self, desired: Mapping[str, Declaration]) -> Audit:
        """What seems to differ is read again, because users can change while the others are read."""
        first = self._read(desired)
        result = self._compare(first)
        unconfirmed = result.differing | result.inconclusive
        if result.inconclusive:
            time.sleep(SECOND_READ)
        return self._compare(self._read_again(first, unconfirmed)) if unconfirmed else result

    def _compare(self, snapshot: Snapshot) -> Audit:
        return audit(snapshot, self.environment.name, self.environment.sending, datetime.now(UTC))

    def _read(self, desired: Mapping[str, Declaration]) -> Snapshot:
        """IAM is listed before the records: a user that is just being created already has its record."""
        # An invalid name can never have had a managed IAM user.
        smtp_users = {iam_user: self._name(iam_user) for iam_user in self.identities.listed()}
        listed = set(filter(None, smtp_users.values()))
        records = self._records()
        names = listed | {name for name in desired.keys() | records.keys() if NAME.fullmatch(name)}
        unrecognized = tuple(sorted(iam_user for iam_user, name in smtp_users.items() if not name))
        return Snapshot(desired, records, self._observe(names), unrecognized)

    def _name(self, iam_user: str) -> str | None:
        name = smtp_user_name(self.environment.name, iam_user)
        return name if name and NAME.fullmatch(name) else None

    def _read_again(self, first: Snapshot, unconfirmed: Set[str]) -> Snapshot:
        """Records and IAM users of these as they are now; all others as they were."""
        now = self._records()
        kept = {name: record for name, record in first.records.items() if name not in unconfirmed}
        records = kept | {name: now[name] for name in unconfirmed & now.keys()}
        observed = self._observe(unconfirmed & first.identities.keys())
        identities = {name: ignore_age_of_known_keys(one, first.identities[name]) for name, one in observed.items()}
        return replace(first, records=records, identities={**first.identities, **identities})

    def _records(self) -> dict[str, Record]:
        """With their ciphertexts, a few hundred bytes each: a key without a stored credential is unknown."""
        return {record.name: record for record in self.store.records(sealed=True)}

    def _observe(self, names: Set[str]) -> dict[str, Identity | None]:
        """Several at the same time. The first user that cannot be read ends the audit."""
        ordered = sorted(names)
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(self.identities.audit, ordered)
            if not shows_progress():
                return dict(zip(ordered, found, strict=True))
            with click.progressbar(found, length=len(ordered), label="IAM users", file=sys.stderr) as bar:
                return dict(zip(ordered, bar, strict=True))

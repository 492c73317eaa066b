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
from reconciler.output.terminal import is_interactive
from reconciler.planning.audit import Audit, Snapshot, audit, ignore_age_of_known_keys

READERS = 4  # users looked at at a time: the whole account shares IAM's throttling
SECOND_LOOK = 5.0  # seconds: the credential manager takes less from making a key to storing it


@dataclass(frozen=True, slots=True)
class Auditor:
    environment: Environment
    store: DynamoRecordReader
    identities: IamIdentities

    def audit(self, desired: Mapping[str, Declaration]) -> Audit:
        """What seems to differ is looked at again: users change while they are read one after the other."""
        first = self._look(desired)
        made = self._compare(first)
        doubtful = made.differing | made.inconclusive
        if made.inconclusive:
            time.sleep(SECOND_LOOK)
        return self._compare(self._look_again(first, doubtful)) if doubtful else made

    def _compare(self, sides: Snapshot) -> Audit:
        return audit(sides, self.environment.name, self.environment.sending, datetime.now(UTC))

    def _look(self, desired: Mapping[str, Declaration]) -> Snapshot:
        """IAM is listed before the rows: a user that is just being made has had its row for longer."""
        # A name that breaks the rules can never have had an IAM user of ours.
        stands_for = {iam_user: self._name(iam_user) for iam_user in self.identities.listed()}
        listed = set(filter(None, stands_for.values()))
        records = self._records()
        names = listed | {name for name in desired.keys() | records.keys() if NAME.fullmatch(name)}
        unrecognized = tuple(sorted(iam_user for iam_user, name in stands_for.items() if not name))
        return Snapshot(desired, records, self._observe(names), unrecognized)

    def _name(self, iam_user: str) -> str | None:
        name = smtp_user_name(self.environment.name, iam_user)
        return name if name and NAME.fullmatch(name) else None

    def _look_again(self, first: Snapshot, doubtful: Set[str]) -> Snapshot:
        """Rows and IAM users of these as they are now; all others as they were."""
        now = self._records()
        kept = {name: record for name, record in first.records.items() if name not in doubtful}
        records = kept | {name: now[name] for name in doubtful & now.keys()}
        seen = self._observe(doubtful & first.identities.keys())
        grown = {name: ignore_age_of_known_keys(identity, first.identities[name]) for name, identity in seen.items()}
        return replace(first, records=records, identities={**first.identities, **grown})

    def _records(self) -> dict[str, Record]:
        """With their ciphertexts, a few hundred bytes each: whether a row holds one decides about its key."""
        return {record.name: record for record in self.store.records(sealed=True)}

    def _observe(self, names: Set[str]) -> dict[str, Identity | None]:
        """Several at a time. The first that cannot be read ends it."""
        ordered = sorted(names)
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(self.identities.audit, ordered)
            if not is_interactive():
                return dict(zip(ordered, found, strict=True))
            with click.progressbar(found, length=len(ordered), label="IAM users", file=sys.stderr) as bar:
                return dict(zip(ordered, bar, strict=True))

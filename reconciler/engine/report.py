"""Read what an access review shows: manifests, records, IAM users, the last use of their keys, and CODEOWNERS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.aws.key_uses import KeyUses
from reconciler.core.text import count
from reconciler.core.user import Declaration
from reconciler.engine.audit import Auditor, with_progress
from reconciler.engine.git import read_remote
from reconciler.engine.history import Checkout, open_checkout
from reconciler.engine.provenance import repository_url
from reconciler.engine.session import Connection
from reconciler.errors import AwsError, Denied, Problem
from reconciler.manifests.file_text import read_text
from reconciler.output.report_links import repository_of
from reconciler.planning.audit import Snapshot
from reconciler.planning.codeowners import PLACES, Rule, parse
from reconciler.planning.report import Report, Uses, entries


@dataclass(slots=True)
class Reviewer:
    """`notes`: what was not checked, and why. `with_use`: also read when each key was used last."""

    connection: Connection
    users: Path
    with_use: bool
    notes: list[str] = field(default_factory=list)

    def review(self, desired: Mapping[str, Declaration]) -> Report:
        environment, connection = self.connection.environment, self.connection
        checkout = open_checkout(environment, self.users)
        root = checkout.root or environment.config.absolute().parent
        declared = {name: replace(one, manifest=_inside(root, one.manifest)) for name, one in desired.items()}
        auditor = Auditor(environment, connection.store(), connection.reader(), thorough=False)
        snapshot, audit = auditor.inspect(declared)
        if audit.inconclusive:
            names = ", ".join(sorted(audit.inconclusive))
            self.notes.append(f"IAM does not show the current state of {names} yet.")
        if not audit.complete:
            self.notes.append("Console passwords and other ways to sign in: reconcile drift --thorough reads them.")
        uses = self._read_uses(connection.key_uses(), snapshot)
        owners = self._read_owners(root)
        now = datetime.now(UTC)
        return Report(
            environment=environment.name,
            account_id=environment.account_id,
            region=environment.region,
            at=now,
            by=connection.caller(),
            commit=checkout.source.commit,
            repository=_repository(checkout),
            entries=entries(snapshot, audit, uses, owners, now),
            notes=tuple(self.notes),
        )

    def _read_uses(self, reader: KeyUses, snapshot: Snapshot) -> Uses:
        """Without the permission, the first answer ends it: it would be refused for every key."""
        if not self.with_use:
            self.notes.append("The last use of access keys was not read (--no-last-use).")
            return Uses({})
        ids = [key.id for identity in snapshot.identities.values() if identity for key in identity.keys]
        found, failures = {}, []
        with closing(reader.read(ids)) as read:
            for key_id, use in with_progress(read, len(ids), "access keys"):
                if isinstance(use, AwsError):
                    failures.append(use)
                    if isinstance(use, Denied):
                        break
                else:
                    found[key_id] = use
        if failures:
            unknown = count(len(ids) - len(found), "access key")
            self.notes.append(f"The last use of {unknown} is unknown: {failures[0].message}.")
        return Uses(found)

    def _read_owners(self, root: Path) -> tuple[Rule, ...] | None:
        path = next((root / place for place in PLACES if os.path.lexists(root / place)), None)
        if path is None:
            self.notes.append("Owners: the repository has no CODEOWNERS file.")
            return None
        text = read_text(path, path.relative_to(root).as_posix())
        if isinstance(text, Problem):
            self.notes.append(f"Owners: {text}.")
            return None
        return parse(text)


def _inside(root: Path, manifest: str) -> str:
    """The path in the repository, as CODEOWNERS and links name it."""
    path = Path(os.path.normpath(Path(manifest).absolute()))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else manifest


def _repository(checkout: Checkout) -> str:
    """In a workflow, the repository that it runs for; elsewhere the remote of the checkout."""
    remote = repository_url(os.environ) or (read_remote(checkout.root) if checkout.root else "")
    return repository_of(remote)

"""Perform one step of a decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.decision import (
    CreateUser,
    DeleteKey,
    DeleteUser,
    Detach,
    IssueKey,
    PutPolicy,
    RepairUser,
    SetKey,
    Step,
    TagUser,
)
from reconciler.core.record import timestamp
from reconciler.core.smtp import smtp_password
from reconciler.errors import AwsError
from reconciler.ports import Credentials, Identities, IssuedKey, Vault


@dataclass(frozen=True, slots=True)
class Performer:
    """`regions`: the SES regions for which an issued key gets a password."""

    identities: Identities
    vault: Vault
    regions: tuple[str, ...]
    now: Callable[[], datetime]

    def perform(self, name: str, step: Step) -> IssuedKey | None:
        match step:
            case CreateUser(provenance):
                self.identities.create_user(name, provenance)
            case RepairUser():
                self.identities.repair_user(name)
            case Detach(attachment):
                self.identities.detach(name, attachment)
            case TagUser(provenance):
                self.identities.tag_user(name, provenance)
            case PutPolicy(document):
                self.identities.put_policy(name, document)
            case DeleteKey(key_id):
                self.identities.delete_key(name, key_id)
            case SetKey(key_id, active):
                self.identities.set_key(name, key_id, active=active)
            case DeleteUser():
                self.identities.delete_user(name)
            case IssueKey():
                return self._issue(name, step)
        return None

    def _issue(self, name: str, step: IssueKey) -> IssuedKey:
        key = self.identities.create_key(name)
        passwords = {region: smtp_password(key.secret, region) for region in self.regions}
        try:
            encrypted = self.vault.encrypt(name, Credentials(key.id, passwords))
        except AwsError:
            self.identities.delete_key(name, key.id)  # its secret is lost
            raise
        created_at = timestamp(self.now())
        return IssuedKey(key.id, created_at, step.credential, encrypted, step.replaces, step.retires_at)

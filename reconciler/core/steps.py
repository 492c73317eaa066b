"""What a decision is made from and what it says: an observed identity, steps in the words of IAM, and an end."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.policy import Document
from reconciler.core.record import Record, Status


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    active: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """The IAM user of a name as it was observed. `owned`: it carries our mark."""

    owned: bool
    keys: tuple[Key, ...] = ()
    needs_repair: bool = False  # tags or boundary are not as we made them


# Steps, in the words of IAM.
@dataclass(frozen=True, slots=True)
class CreateUser:
    pass


@dataclass(frozen=True, slots=True)
class RepairUser:
    """Put tags and boundary back."""


@dataclass(frozen=True, slots=True)
class PutPolicy:
    document: Document


@dataclass(frozen=True, slots=True)
class DeleteKey:
    key_id: str


@dataclass(frozen=True, slots=True)
class SetKey:
    key_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class IssueKey:
    """Create a key, derive the passwords, encrypt them. `replaces` stays valid until `retires_at`."""

    credential: int
    replaces: str = ""
    retires_at: str = ""


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """With everything that is attached to it."""


Step = CreateUser | RepairUser | PutPolicy | DeleteKey | SetKey | IssueKey | DeleteUser


# How a decision ends, once its steps are done.
@dataclass(frozen=True, slots=True)
class Settle:
    """Write the outcome into the row, conditional on the row that was decided upon."""

    status: Status
    forget_previous: bool = False


@dataclass(frozen=True, slots=True)
class RemoveRow:
    pass


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """IAM does not show yet what must be there: reading it is eventually consistent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


End = Settle | RemoveRow | Fail | LookAgain | Nothing


@dataclass(frozen=True, slots=True)
class Decision:
    end: End
    steps: tuple[Step, ...] = ()

    def deletes_unknown_key(self, record: Record) -> bool:
        known = (record.smtp_username, record.previous_key)
        return any(isinstance(step, DeleteKey) and step.key_id not in known for step in self.steps)

"""What a decision is made from and what it says: an observed identity, steps in the words of IAM, and an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.core.policy import Document
from reconciler.core.record import Record, Status


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    active: bool
    created_at: datetime | None = None


class Kind(StrEnum):
    """What somebody may attach to an IAM user so that it is allowed more than its own policy says."""

    INLINE_POLICY = "inline policy"
    MANAGED_POLICY = "managed policy"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Attachment:
    """`id`: the name of an inline policy or a group, the ARN of a managed policy."""

    kind: Kind
    id: str

    @property
    def is_quarantine(self) -> bool:
        """AWS attaches it where it has seen a key in public. That is a warning, and not ours to remove.

        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
        """
        return self.kind is Kind.MANAGED_POLICY and ":aws:policy/AWSCompromisedKeyQuarantine" in self.id


@dataclass(frozen=True, slots=True)
class Identity:
    """The IAM user of a name as it was observed. `owned`: it carries our mark.

    Only an audit looks at `policy` (ours; None: not looked at, or not there) and at `attachments` beside it.
    """

    owned: bool
    keys: tuple[Key, ...] = ()
    needs_repair: bool = False  # tags or boundary are not as we made them
    policy: Document | None = None
    attachments: tuple[Attachment, ...] = ()


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
class Detach:
    attachment: Attachment


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


Step = CreateUser | RepairUser | Detach | PutPolicy | DeleteKey | SetKey | IssueKey | DeleteUser


# How a decision ends, once its steps are done.
@dataclass(frozen=True, slots=True)
class Settle:
    """Write the outcome into the row, conditional on the row that was decided upon."""

    status: Status
    forget_previous: bool = False
    retire_previous: bool = False  # note when the previous key, inactive from now on, is to be deleted


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

    @property
    def activates_key(self) -> bool:
        return any(isinstance(step, SetKey) and step.active for step in self.steps)

    def deletes_unknown_key(self, record: Record) -> bool:
        known = (record.smtp_username, record.previous_key)
        return any(isinstance(step, DeleteKey) and step.key_id not in known for step in self.steps)

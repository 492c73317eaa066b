"""The input and the content of a decision: an observed identity, IAM steps with their reasons, and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.core.policy import Document
from reconciler.core.record import Record, Status


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    active: bool
    created_at: datetime | None = None


class AttachmentKind(StrEnum):
    """What can be added to an IAM user beyond its own policy and keys: permissions, and ways to sign in."""

    INLINE_POLICY = "inline policy"
    MANAGED_POLICY = "managed policy"
    GROUP = "group"
    LOGIN_PROFILE = "console password"
    MFA_DEVICE = "MFA device"
    SSH_KEY = "SSH public key"
    CERTIFICATE = "signing certificate"
    SERVICE_CREDENTIAL = "service-specific credential"


@dataclass(frozen=True, slots=True)
class Attachment:
    """`id`: as IAM identifies it: a name, an ARN, a serial number; a user has one password at most, which has none."""

    kind: AttachmentKind
    id: str

    @property
    def is_quarantine(self) -> bool:
        """AWS attaches it when it finds an access key in public. It is a warning, so it is never detached.

        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
        """
        return self.kind is AttachmentKind.MANAGED_POLICY and ":aws:policy/AWSCompromisedKeyQuarantine" in self.id

    @property
    def is_removed(self) -> bool:
        """A group is left to a person: the permission to remove a user from it would be one for every user."""
        return self.kind is not AttachmentKind.GROUP and not self.is_quarantine

    def __str__(self) -> str:
        return f"{self.kind} {self.id}".rstrip()


@dataclass(frozen=True, slots=True)
class Identity:
    """The IAM user of a name as it was observed. `owned`: it carries our ownership tag.

    `policy` (None: there is none) and `attachments` were read only where `audited` is set. `provenance`: those of its
    tags that say where its policy comes from.
    """

    owned: bool
    keys: tuple[Key, ...] = ()
    needs_repair: bool = False  # its tags or its permissions boundary differ from those that were created
    policy: Document | None = None
    attachments: tuple[Attachment, ...] = ()
    audited: bool = False
    provenance: Mapping[str, str] = field(default_factory=dict)


class ReasonKind(StrEnum):
    """Why a step is necessary. All but the first three are drift: IAM or the record was changed by something else."""

    REQUESTED = "requested"  # the record requires it, and was not processed yet
    DUE = "due"  # time requires it: expiry, the end of an overlap, a scheduled rotation
    DELETED = "deleted"  # the record is to be deleted, or was removed
    IAM_USER_MISSING = "iam_user_missing"
    POLICY_CHANGED = "policy_changed"
    KEY_CHANGED = "key_changed"
    ATTACHMENT_ADDED = "attachment_added"
    BOUNDARY_CHANGED = "boundary_changed"


@dataclass(frozen=True, slots=True)
class Reason:
    kind: ReasonKind
    text: str


REQUESTED = Reason(ReasonKind.REQUESTED, "the record requires it")


# Steps, in IAM's terms. The reason explains a step and does not distinguish it from another one.
@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    reason: Reason = field(default=REQUESTED, compare=False)


@dataclass(frozen=True, slots=True)
class CreateUser(_Step):
    """`provenance`: tags that say where its policy comes from."""

    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RepairUser(_Step):
    """Restore tags and permissions boundary."""


@dataclass(frozen=True, slots=True)
class TagUser(_Step):
    """Store where the policy that is put next comes from. What differs in these tags is no drift."""

    provenance: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PutPolicy(_Step):
    document: Document


@dataclass(frozen=True, slots=True)
class Detach(_Step):
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class DeleteKey(_Step):
    key_id: str


@dataclass(frozen=True, slots=True)
class SetKey(_Step):
    key_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class IssueKey(_Step):
    """Create a key, derive the passwords, encrypt them. `replaces` stays valid until `retires_at`."""

    credential: int
    replaces: str = ""
    retires_at: str = ""


@dataclass(frozen=True, slots=True)
class DeleteUser(_Step):
    """With everything that is attached to it."""


Step = CreateUser | RepairUser | Detach | TagUser | PutPolicy | DeleteKey | SetKey | IssueKey | DeleteUser


# How a decision ends, after its steps.
@dataclass(frozen=True, slots=True)
class Settle:
    """Write the result into the record, conditional on the record that the decision is based on."""

    status: Status
    forget_previous: bool = False
    retire_previous: bool = False  # store when the previous key, inactive from now on, is deleted
    observed: bool = True  # False: decided without IAM, so what is known of IAM is as old as before
    reason: Reason | None = field(default=None, compare=False)  # where no step explains that the previous key is gone


@dataclass(frozen=True, slots=True)
class RemoveRecord:
    pass


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Requeue:
    """IAM does not list yet what must exist: it is eventually consistent."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoOp:
    pass


End = Settle | RemoveRecord | Fail | Requeue | NoOp


@dataclass(frozen=True, slots=True)
class Decision:
    end: End
    steps: tuple[Step, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each reason once, in the order of the steps; the reason of the end comes last."""
        reasons = [step.reason for step in self.steps]
        if isinstance(self.end, Settle) and self.end.reason:
            reasons.append(self.end.reason)
        return tuple(dict.fromkeys(reasons))

    @property
    def activates_key(self) -> bool:
        return any(isinstance(step, SetKey) and step.active for step in self.steps)

    def deletes_unknown_key(self, record: Record) -> bool:
        known = (record.smtp_username, record.previous_key)
        return any(isinstance(step, DeleteKey) and step.key_id not in known for step in self.steps)

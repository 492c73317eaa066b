"""How manifests, records and IAM users can differ: a kind for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.decision import Attachment, AttachmentKind, Decision, Fail, Identity, Settle
from reconciler.core.lifecycle import UNMANAGED_USER, decide
from reconciler.core.record_state import RecordState


class Drift(StrEnum):
    """Every kind of difference, in the order in which those of one user are shown."""

    UNMANAGED = "unmanaged"  # a record or an IAM user without our tag
    ORPHAN = "orphan"  # a managed IAM user without a record
    IAM_USER_MISSING = "iam_user_missing"
    RECORD_MISSING = "record_missing"  # declared, without a record
    UNDECLARED = "undeclared"  # a managed record that no manifest declares
    RECORD_OUTDATED = "record_outdated"  # a record that differs from its declaration
    FAILED = "failed"
    OVERDUE = "overdue"  # the credential manager or the sweep should have processed it
    POLICY_CHANGED = "policy_changed"
    KEY_CHANGED = "key_changed"  # an access key was created, deleted, activated or deactivated
    ATTACHMENT_ADDED = "attachment_added"  # a policy, a group or a way to sign in, beyond its own policy and keys
    BOUNDARY_CHANGED = "boundary_changed"  # or its tags
    KEY_EXPOSED = "key_exposed"  # AWS found an access key in public


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Drift
    description: str


_KINDS = {kind.value: kind for kind in Drift}


def find_differences(decision: Decision) -> tuple[Difference, ...]:
    """What a decision says about drift: the reasons of its steps. What time alone requires is no difference."""
    if isinstance(decision.end, Fail):
        kind = Drift.UNMANAGED if decision.end.code == UNMANAGED_USER else Drift.FAILED
        return (Difference(kind, decision.end.message),)
    return tuple(Difference(_KINDS[reason.kind], reason.text) for reason in decision.reasons if reason.kind in _KINDS)


def differs(state: RecordState, identity: Identity | None) -> bool:
    """Whether a user whose record was processed needs a step, a write, or manual action."""
    decision = decide(state, identity)
    end = decision.end
    nothing_to_store = isinstance(end, Settle) and end == Settle(end.status) and state.settled
    attached = identity is not None and identity.attachments  # those that no step removes
    return bool(decision.steps or attached) or not nothing_to_store


def find_memberships(iam_user: str, attachments: Iterable[Attachment]) -> tuple[Difference, ...]:
    """The groups of a user, which no function may change."""
    groups = [attachment for attachment in attachments if attachment.kind is AttachmentKind.GROUP]
    return tuple(
        Difference(Drift.ATTACHMENT_ADDED, f"{group} was added; remove it manually: {leave_group(iam_user, group.id)}")
        for group in groups
    )


def leave_group(iam_user: str, group: str) -> str:
    """The command of AWS for it."""
    return f"aws iam remove-user-from-group --user-name {iam_user} --group-name {group}"


def warnings(attachments: Iterable[Attachment]) -> tuple[str, ...]:
    """What requires manual action."""
    quarantines = [attachment.id.rpartition("/")[2] for attachment in attachments if attachment.is_quarantine]
    return tuple(f"AWS detected an exposed access key ({policy} is attached)" for policy in quarantines)

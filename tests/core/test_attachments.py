"""What an audit adds to a decision: the current policy and all attachments."""

from __future__ import annotations

import pytest

from reconciler.core.decision import (
    Attachment,
    AttachmentKind,
    Decision,
    Detach,
    IssueKey,
    RepairUser,
    SetKey,
)
from reconciler.core.policy import build
from support.rows import ACTIVE, K1, grant, iam, run, settled
from support.world import SENDING, a_user


def test_a_policy_that_is_as_it_should_be_is_not_put_again() -> None:
    """Only an audit reads attachments."""
    same, other = build(a_user(), SENDING), build(a_user("billing-mailer", "crm@example.com"), SENDING)
    assert run(settled(), iam(K1, policy=same, audited=True)) == Decision(ACTIVE)
    assert run(settled(), iam(K1, policy=other, audited=True)) == Decision(ACTIVE, (grant(),))
    assert run(settled(), iam(K1, policy=None, audited=True)) == Decision(ACTIVE, (grant(),))


def test_whatever_widens_a_user_is_taken_off_once_its_boundary_holds() -> None:
    found = (
        Attachment(AttachmentKind.INLINE_POLICY, "by-hand"),
        Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AdministratorAccess"),
        Attachment(AttachmentKind.LOGIN_PROFILE, ""),
        Attachment(AttachmentKind.MFA_DEVICE, "arn:aws:iam::123456789012:mfa/phone"),
        Attachment(AttachmentKind.SSH_KEY, "APKAEXAMPLE"),
        Attachment(AttachmentKind.CERTIFICATE, "certificate"),
        Attachment(AttachmentKind.SERVICE_CREDENTIAL, "ACCAEXAMPLE"),
    )
    steps = run(settled(), iam(K1, needs_repair=True, attachments=found)).steps
    assert steps == (RepairUser(), *map(Detach, found), grant())


@pytest.mark.parametrize(
    ("kind", "id_", "taken_off"),
    [
        (AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3", False),
        (AttachmentKind.MANAGED_POLICY, "arn:aws-cn:iam::aws:policy/AWSCompromisedKeyQuarantine", False),
        (AttachmentKind.MANAGED_POLICY, "arn:aws:iam::123456789012:policy/AWSCompromisedKeyQuarantineV3", True),
        (AttachmentKind.INLINE_POLICY, "x:aws:policy/AWSCompromisedKeyQuarantineV3", True),
        (AttachmentKind.GROUP, "senders", False),
        (AttachmentKind.LOGIN_PROFILE, "", True),
    ],
)
def test_only_the_quarantine_of_aws_itself_and_groups_stay(kind: AttachmentKind, id_: str, taken_off: bool) -> None:
    """A policy of that name that was created manually may allow anything."""
    attachment = Attachment(kind, id_)
    assert (Detach(attachment) in run(settled(), iam(K1, attachments=(attachment,))).steps) is taken_off


def test_a_key_that_is_off_beside_a_quarantine_is_not_activated() -> None:
    """The key was exposed; a rotation still replaces it."""
    leaked = (Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"),)
    found = iam(inactive=(K1,), attachments=leaked)
    assert run(settled(), found) == Decision(ACTIVE, (grant(),))
    off = a_user(enabled=False)
    assert SetKey(K1, False) in run(settled(off), iam(K1, attachments=leaked)).steps
    assert IssueKey(2) in run(settled(a_user(credential=2)), found).steps

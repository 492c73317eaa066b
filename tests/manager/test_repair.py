"""An audit of a settled user: manual changes in IAM are reported and reverted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.core.ownership import ownership_tags
from reconciler.core.policy import build
from reconciler.errors import Retryable, Terminal
from support.attachments import quarantine
from support.tampering import (
    IAM_USER,
    TAMPERS,
    Tamper,
    add_inline_policy,
    add_key,
    add_password,
    attach_policy,
    deactivate_key,
    delete_user,
    edit_policy,
    join_group,
    leave_group,
    remove_boundary,
    remove_configured_tag,
)
from support.world import ENV, IAM_USER_TAGS, SENDING, World, a_user

NAME = "billing-mailer"
READING = [
    "GetItem",
    "GetUser",
    "ListAccessKeys",
    "ListUserPolicies",
    "ListAttachedUserPolicies",
    "ListGroupsForUser",
    "GetLoginProfile",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListSigningCertificates",
]  # fmt: skip; ListServiceSpecificCredentials, which moto lacks, is answered before the count


@pytest.fixture
def settled(world: World) -> World:
    """One user, an hour after it became active, so that IAM is consistent."""
    world.ask(a_user())
    world.converge()
    world.pass_time(hours=1)
    return world


def is_whole(world: World) -> bool:
    """I1, I2, I3: everything about the user is as its record says."""
    record, user = world.record(), world.iam.get_user(UserName=IAM_USER)["User"]
    known = {key for key in (record.smtp_username, record.previous_key) if key}
    assert record.user
    return (
        record.status == "active"
        and world.policy() == build(record.user, SENDING)
        and world.access_keys() == dict.fromkeys(known, "Active")
        and world.tags().items() >= (IAM_USER_TAGS | ownership_tags(ENV, NAME)).items()
        and user["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/smtp-boundary-test")
        and not world.iam.list_attached_user_policies(UserName=IAM_USER)["AttachedPolicies"]
        and not world.iam.list_groups_for_user(UserName=IAM_USER)["Groups"]
        and not world.iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    )


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
def test_what_was_changed_manually_is_reported_and_repaired(settled: World, tamper: Tamper) -> None:
    words = tamper(settled)
    report = settled.audit()
    assert report.differences == (words,)
    assert report.warnings == ()
    assert is_whole(settled)
    with settled.calls() as calls:
        assert settled.audit().differences == ()
    assert calls == [*READING, "GetUserPolicy"]


def test_an_audit_that_finds_nothing_writes_nothing(settled: World) -> None:
    before = settled.row()
    with settled.calls() as calls:
        report = settled.audit()
    assert (report.result, report.steps, report.differences, report.warnings) == ("unchanged", (), (), ())
    assert calls == [*READING, "GetUserPolicy"]
    assert settled.row() == before


def test_other_tags_of_a_user_are_left_alone(settled: World) -> None:
    """Also one that was configured before, and is no longer."""
    settled.iam.tag_user(UserName=IAM_USER, Tags=[{"Key": "team", "Value": "mail"}])
    with settled.calls() as calls:
        assert settled.audit().differences == ()
    assert calls == [*READING, "GetUserPolicy"]
    remove_configured_tag(settled)
    assert settled.audit().steps == ("RepairUser",)
    tags = settled.iam.list_user_tags(UserName=IAM_USER)["Tags"]
    assert {"Key": "team", "Value": "mail"} in tags


def test_a_usual_converge_of_a_settled_user_does_not_look_at_iam(settled: World) -> None:
    edit_policy(settled)
    with settled.calls() as calls:
        assert settled.converge().result == "unchanged"
    assert calls == ["GetItem"]


def test_everything_at_once_is_reported_and_repaired_in_one_go(settled: World) -> None:
    words = {tamper(settled) for tamper in (remove_boundary, add_password, add_inline_policy, edit_policy, add_key)}
    assert set(settled.audit().differences) == words
    assert is_whole(settled)


def test_the_boundary_is_back_before_anything_else_is_touched(settled: World) -> None:
    """Without the boundary, the role may not delete a policy."""
    for tamper in (remove_boundary, attach_policy, add_password, edit_policy):
        tamper(settled)
    assert settled.audit().steps == ("RepairUser", "Detach", "Detach", "PutPolicy")


def test_a_group_is_reported_with_the_command_until_a_person_removes_it(settled: World) -> None:
    """The permission for it cannot be limited to our users, so no function has it."""
    words = join_group(settled)
    for _ in range(2):
        report = settled.audit()
        assert (report.result, report.steps, report.differences) == ("unchanged", (), (words,))
    leave_group(settled)
    assert settled.audit().differences == ()
    assert is_whole(settled)


def test_a_quarantine_of_aws_is_a_warning_and_stays(settled: World) -> None:
    """Detaching it would hide that the key was exposed."""
    quarantine(settled, IAM_USER)
    added = add_inline_policy(settled)
    report = settled.audit()
    (warning,) = report.warnings
    assert "AWSCompromisedKeyQuarantineV3" in warning
    assert report.differences == (added,)
    attached = settled.iam.list_attached_user_policies(UserName=IAM_USER)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSCompromisedKeyQuarantineV3"]
    with settled.calls() as calls:
        again = settled.audit()
    assert (again.warnings, again.differences) == ((warning,), ())
    assert calls == [*READING, "GetUserPolicy"]


def test_a_key_that_was_deactivated_beside_a_quarantine_stays_off(settled: World) -> None:
    """The cause may be real: the warning continues until an operator handles it."""
    quarantine(settled, IAM_USER)
    deactivate_key(settled)
    report = settled.audit()
    assert report.warnings
    assert set(settled.access_keys().values()) == {"Inactive"}


def test_a_user_whose_mark_was_taken_off_fails_and_is_left_alone(settled: World) -> None:
    """I7: from now on it is unmanaged."""
    settled.iam.untag_user(UserName=IAM_USER, TagKeys=["managed-by"])
    edit_policy(settled)
    with settled.calls() as calls:
        report = settled.audit()
    assert (report.result, report.failure and report.failure.code) == ("failed", "ForeignUser")
    assert calls == ["GetItem", "GetUser", "UpdateItem"]
    assert settled.record().status == "failed"


def test_an_audit_does_what_time_asks_for_and_calls_it_no_difference(world: World) -> None:
    world.ask(a_user(expires="2026-06-02"))
    world.converge()
    world.pass_time(days=2)
    report = world.audit()
    assert (report.result, report.differences) == ("disabled", ())
    assert list(world.access_keys().values()) == ["Inactive"]


def test_a_failed_record_is_left_to_a_person(world: World) -> None:
    world.put_row("crm", status="failed", allowed_from_addresses=["crm@example.com"])
    with world.calls() as calls:
        assert world.audit("crm").result == "unchanged"
    assert calls == ["GetItem"]


def test_a_record_made_invalid_manually_fails_with_the_reason(settled: World) -> None:
    row = settled.row()
    assert row
    settled.put_row(NAME, **{**row, "allowed_from_addresses": ["x@evil.example"]})
    assert settled.audit().result == "failed"
    assert "not allowed" in settled.row()["failure"]["message"]  # type: ignore[index]


def refuse(world: World, operation: str, code: str = "AccessDenied", status: int = 403) -> None:
    def answer(model: Any, **_: Any) -> None:
        error: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(error, model.name)

    world.iam.meta.events.register_first(f"before-call.iam.{operation}", answer)


def test_what_works_is_not_called_failed_because_a_repair_was_refused(settled: World) -> None:
    """No result is expected in the record: the error goes to the caller of the audit."""
    edit_policy(settled)
    before = settled.row()
    refuse(settled, "PutUserPolicy")
    with pytest.raises(Terminal) as caught:
        settled.audit()
    assert caught.value.correlation_id == settled.record().correlation_id
    assert settled.row() == before


def test_a_look_that_was_refused_fails_no_one(settled: World) -> None:
    refuse(settled, "ListGroupsForUser")
    with pytest.raises(Terminal):
        settled.audit()
    assert settled.record().status == "active"


def test_a_user_deleted_while_the_audit_looks_is_made_again(settled: World) -> None:
    def once(**_: Any) -> None:
        settled.iam.meta.events.unregister("before-call.iam.ListUserPolicies", once)
        delete_user(settled)

    settled.iam.meta.events.register_first("before-call.iam.ListUserPolicies", once)
    assert settled.audit().differences == ("its IAM user is missing",)
    assert is_whole(settled)


def test_a_retryable_error_of_a_repair_comes_back(settled: World) -> None:
    edit_policy(settled)
    refuse(settled, "PutUserPolicy", "Throttling", 400)
    with pytest.raises(Retryable):
        settled.audit()
    assert settled.record().status == "active"

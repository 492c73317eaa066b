from __future__ import annotations

from support.attachments import attach_everything
from support.tampering import LEAVE, join_group, leave_group
from support.world import World, a_user

NAME = "billing-mailer"
IAM_USER = "smtp-test-billing-mailer"


def converged(world: World) -> None:
    world.ask(a_user())
    world.converge()


def test_a_deleted_user_leaves_nothing_and_its_record_goes_last(world: World) -> None:
    """I4."""
    converged(world)
    world.ask_delete()
    assert world.converge().result == "removed"
    assert world.users() == []
    assert world.row() is None
    assert world.converge().result == "unchanged"


def test_a_record_deleted_manually_is_torn_down_through_its_remove_event(world: World) -> None:
    """I4: the record is gone, so the tag on the IAM user decides."""
    converged(world)
    world.remove_row()
    assert world.converge().result == "removed"
    assert world.users() == []


def test_a_disabled_user_and_one_in_overlap_are_torn_down(world: World) -> None:
    converged(world)
    world.ask(a_user(credential=2))
    world.converge()
    assert len(world.access_keys()) == 2
    world.ask_delete()
    world.converge()
    assert world.users() == []


def test_teardown_removes_everything_that_delete_user_trips_over(world: World) -> None:
    converged(world)
    attach_everything(world, IAM_USER)
    world.ask_delete()
    assert world.converge().result == "removed"
    assert world.users() == []
    assert world.iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_teardown_of_a_member_of_a_group_fails_with_the_command_and_finishes_after_it(world: World) -> None:
    converged(world)
    join_group(world)
    world.ask_delete()
    assert world.converge().result == "failed"
    failure = world.record().failure
    assert failure
    assert (failure.code, failure.during) == ("DeleteConflict", "deleting")
    assert f"member of group admins: run {LEAVE}" in failure.message
    assert world.access_keys() == {}, "its access ends all the same"
    leave_group(world)
    world.ask_delete()
    assert world.converge().result == "removed"
    assert world.users() == []


def test_an_mfa_device_of_another_user_stays(world: World) -> None:
    """Only the device that is deactivated here is deleted."""
    converged(world)
    world.iam.create_virtual_mfa_device(VirtualMFADeviceName="somebody")
    attach_everything(world, IAM_USER)
    world.ask_delete()
    world.converge()
    left = [device["SerialNumber"] for device in world.iam.list_virtual_mfa_devices()["VirtualMFADevices"]]
    assert left == ["arn:aws:iam::123456789012:mfa/somebody"]


def test_a_user_that_lost_its_boundary_gets_it_back_before_its_policies_go(world: World) -> None:
    """The role may change policies only of users with the boundary."""
    converged(world)
    world.iam.delete_user_permissions_boundary(UserName=IAM_USER)
    world.ask_delete()
    assert world.converge().steps == ("DeleteKey", "RepairUser", "DeleteUser")
    assert world.users() == []


def test_a_user_declared_again_while_it_is_being_deleted_is_made_anew(world: World) -> None:
    converged(world)
    world.ask_delete()
    world.ask(a_user())
    assert world.converge().result == "active"
    assert len(world.access_keys()) == 1


def test_the_removal_of_a_record_that_could_not_have_had_a_user_is_nothing(world: World) -> None:
    assert world.converge("Not A Name").result == "unchanged"

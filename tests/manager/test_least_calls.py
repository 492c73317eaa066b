"""The AWS calls of each operation of the credential manager, when nothing fails: the table in docs/architecture.md."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.world import World, a_user

Act = Callable[[World], object]


def declare(*addresses: str, **fields: object) -> Act:
    return lambda world: world.ask(a_user("billing-mailer", *addresses, **fields))


def after(**time: float) -> Act:
    return lambda world: world.pass_time(**time)


OBSERVE = ["GetItem", "GetUser", "ListAccessKeys"]
AUDIT = [
    *OBSERVE, "ListUserPolicies", "ListAttachedUserPolicies", "ListGroupsForUser", "GetLoginProfile", "ListMFADevices",
    "ListSSHPublicKeys", "ListSigningCertificates",  # ListServiceSpecificCredentials is answered before the count
    "GetUserPolicy",
]  # fmt: skip
CREATE = ["GetItem", "GetUser", "CreateUser", "PutUserPolicy", "CreateAccessKey", "Encrypt", "UpdateItem"]
EDIT = [*OBSERVE, "TagUser", "PutUserPolicy", "UpdateItem"]  # TagUser stores the commit that it comes from
DISABLE = [*OBSERVE, "UpdateAccessKey", "UpdateItem"]
ENABLE = [*OBSERVE, "ListAttachedUserPolicies", "UpdateAccessKey", "UpdateItem"]
ROTATE = [*OBSERVE, "CreateAccessKey", "Encrypt", "UpdateItem"]
DELETE_USER = ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]
TEXT = ["GetItem", "UpdateItem"]

ROTATED = (declare(), declare(credential=2))
# What was processed before, what is requested then, and the calls. The last two are those of the sweep.
OPERATIONS: dict[str, tuple[tuple[Act, ...], Act, list[str]]] = {
    "create": ((), declare(), CREATE),
    "change of a grant": ((declare(),), declare("crm@example.com"), EDIT),
    "change of the networks": ((declare(),), declare(allowed_source_ips=["203.0.113.0/24"]), EDIT),
    "change of the expiry": ((declare(),), declare(expires="2026-12-31"), EDIT),
    "change of the description": ((declare(),), declare(description="Invoices"), TEXT),
    "change of the owner": ((declare(),), declare(owner="a@example.com"), TEXT),
    "change of the description in an overlap": (ROTATED, declare(credential=2, description="Invoices"), TEXT),
    "change of the description, disabled": (
        (declare(enabled=False),), declare(enabled=False, description="Invoices"), TEXT,
    ),
    "disable": ((declare(),), declare(enabled=False), DISABLE),
    "enable": ((declare(), declare(enabled=False)), declare(), ENABLE),
    "rotate": ((declare(),), declare(credential=2), ROTATE),
    "revoke": ((declare(),), World.revoke, DISABLE),
    "resume": ((declare(), World.revoke), World.resume, ENABLE),
    "event that needs no action": ((declare(),), after(seconds=1), ["GetItem"]),
    "delete": ((declare(),), World.ask_delete, [*OBSERVE, *DELETE_USER, "DeleteItem"]),
    "REMOVE event of that delete": ((declare(), World.ask_delete), after(seconds=1), ["GetItem", "GetUser"]),
    "record deleted manually": ((declare(),), World.remove_row, [*OBSERVE, *DELETE_USER]),
    "end of the overlap": (ROTATED, after(days=7), [*AUDIT, "UpdateAccessKey", "UpdateItem"]),
    "end of the overlap, a day later": (
        (*ROTATED, after(days=7)), after(days=1), [*AUDIT, "DeleteAccessKey", "UpdateItem"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_makes_no_call_too_many(world: World, operation: str) -> None:
    before, request, expected = OPERATIONS[operation]
    for act in before:
        act(world)
        world.converge()
    request(world)
    with world.calls() as calls:
        (world.audit if expected[: len(AUDIT)] == AUDIT else world.converge)()
    assert calls == expected

"""Manual changes: drift of IAM users, and what is written into records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, islice

from reconciler.aws.attributes import pack
from reconciler.aws.sweep_state import SK as SWEEP
from reconciler.core.ownership import OWNER_TAG
from reconciler.core.policy import POLICY_NAME
from reconciler.core.record import PK
from simulation.iam import MAX_KEYS
from simulation.iam_user import IamUser
from simulation.world import World

WIDE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


STATUSES = ("pending", "active", "failed", "disabled", "deleting", "nonsense", "")
LEAKED = {"actor": "somebody", "reason": "it leaked", "at": "2026-06-01T12:00:00Z"}
REVOCATIONS = (LEAKED, {}, {"reason": 5}, "it leaked", "", True, False, 7, [])


def _edit_policy(user: IamUser) -> IamUser:
    return replace(user, policies={**user.policies, POLICY_NAME: WIDE})


def _delete_policy(user: IamUser) -> IamUser:
    return replace(user, policies={})


def _add_policy(user: IamUser) -> IamUser:
    return replace(user, policies={**user.policies, "extra": WIDE})


def _set_keys(active: bool) -> Callable[[IamUser], IamUser]:
    return lambda user: replace(user, keys=tuple(replace(key, active=active) for key in user.keys))


def _delete_key(user: IamUser) -> IamUser:
    return replace(user, keys=user.keys[1:])


def _drop_boundary(user: IamUser) -> IamUser:
    return replace(user, boundary="")


def _other_boundary(user: IamUser) -> IamUser:
    return replace(user, boundary="arn:aws:iam::aws:policy/AdministratorAccess")


def _change_tag(user: IamUser) -> IamUser:
    return replace(user, tags={**user.tags, "smtp-environment": "prod"})


def _remove_tag(user: IamUser) -> IamUser:
    return replace(user, tags={key: value for key, value in user.tags.items() if key != OWNER_TAG})


def _attach(listing: str, entry: str) -> Callable[[IamUser], IamUser]:
    def attach(user: IamUser) -> IamUser:
        entries = dict.fromkeys((*user.attached.get(listing, ()), entry))
        return replace(user, attached={**user.attached, listing: tuple(entries)})

    return attach


_OF_A_USER: dict[str, Callable[[IamUser], IamUser]] = {
    "its policy is edited": _edit_policy,
    "its policy is deleted": _delete_policy,
    "another policy is added": _add_policy,
    "its keys are deactivated": _set_keys(active=False),
    "its keys are activated": _set_keys(active=True),
    "a key is deleted": _delete_key,
    "its boundary is removed": _drop_boundary,
    "its boundary is replaced": _other_boundary,
    "a tag is changed": _change_tag,
    "the ownership tag is removed": _remove_tag,
    "a managed policy is attached": _attach("list_attached_user_policies", "arn:aws:iam::aws:policy/PowerUserAccess"),
    "AWS quarantines it": _attach(
        "list_attached_user_policies", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
    ),
    "it joins a group": _attach("list_groups_for_user", "admins"),
    "it gets an MFA device": _attach("list_mfa_devices", "arn:aws:iam::123456789012:mfa/phone"),
    "it gets a certificate": _attach("list_signing_certificates", "certificate-1"),
    "it gets an SSH key": _attach("list_ssh_public_keys", "ssh-1"),
    "it gets a service credential": _attach("list_service_specific_credentials", "service-1"),
    "it gets a password": _attach("get_login_profile", "password"),
}


def _change(change: Callable[[IamUser], IamUser]) -> Callable[[World, str], None]:
    def change_manually(world: World, name: str) -> None:
        if user := world.iam_user(name):
            world.iam.write(user.name, change(user))
            if OWNER_TAG not in change(user).tags:
                world.unmanaged.add(name)

    return change_manually


def _add_key(world: World, name: str) -> None:
    user = world.iam_user(name)
    if user and len(user.keys) < MAX_KEYS:
        world.iam.write(user.name, replace(user, keys=(*user.keys, world.iam.make_key())))


def _delete_user(world: World, name: str) -> None:
    if user := world.iam_user(name):
        world.iam.write(user.name, None)


DRIFTS: dict[str, Callable[[World, str], None]] = {
    **{what: _change(change) for what, change in _OF_A_USER.items()},
    "a key is added": _add_key,
    "it is deleted": _delete_user,
}


def end_round(world: World) -> None:
    """The next sweep continues behind the last record."""
    key = {"PK": PK, "SK": SWEEP}
    world.table.put({**world.table.items.get((PK, SWEEP), {}), **pack({**key, "position": "~"})})


def revoke_all(world: World, offset: int) -> None:
    """Every user at once, each under another status and in another form; `offset` selects the first."""
    forms = cycle((revoked, status) for revoked in REVOCATIONS for status in (*STATUSES, None))
    for record, (revoked, status) in zip(world.records(), islice(forms, offset, None), strict=False):
        world.disturbed.add(record.name)
        world.edited_manually.add(record.name)
        item = {name: value for name, value in (world.item(record.name) or {}).items() if name != "status"}
        world.table.put(
            {**item, **pack({"revoked": revoked}), **(pack({"status": status}) if status is not None else {})}
        )


def lift_revocations(world: World) -> None:
    """As an operator does after a refusal."""
    for record in world.records():
        item = {name: value for name, value in (world.item(record.name) or {}).items() if name != "revoked"}
        if record.revoked:
            world.table.put({**item, **pack({"status": "pending"})})

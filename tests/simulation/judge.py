"""Invariants that must hold after faults have stopped, everything was delivered and a sweep has run: I1-I4, I6, I8,
I16."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.aws.kms import KmsVault
from reconciler.core import policy
from reconciler.core.decision import Fail, Identity
from reconciler.core.lifecycle import decide
from reconciler.core.ownership import OWNER, OWNER_TAG, iam_user_name, ownership_tags, smtp_user_name
from reconciler.core.policy import POLICY_NAME
from reconciler.core.record import AWAITING, Record, Status
from reconciler.core.record_state import RecordState
from reconciler.core.smtp import smtp_password
from reconciler.core.user import User
from reconciler.errors import BUSY, AwsError
from simulation.functions import OUTPUT
from simulation.iam_user import IamUser
from simulation.world import BOUNDARY, ENV, KEY, World, deployed

WIDENING = (  # attachments that may widen the permissions and that the sweep removes
    "list_attached_user_policies", "list_mfa_devices", "list_signing_certificates", "list_ssh_public_keys",
    "list_service_specific_credentials", "get_login_profile",
)  # fmt: skip


def judge(world: World) -> list[str]:
    """Return the violations, each with its invariant; empty if all invariants hold."""
    found = [text for record in world.records() for text in _judge_record(world, record)]
    return found + list(_judge_iam(world)) + list(_judge_secrets(world))


def _judge_record(world: World, record: Record) -> Iterator[str]:
    iam_user = world.iam_user(record.name)
    if record.revoked and iam_user and _is_managed(iam_user) and any(key.active for key in iam_user.keys):
        yield f"I16: {record.name} is revoked, but a key is still active: {record.status}, {record.failure}"
    if record.status in AWAITING:
        yield f"I8: {record.name} is still {record.status}"
    elif record.status == Status.FAILED:
        if reason := _unfounded(world, record):
            yield f"I8: {record.name} failed without a cause: {reason}"
    elif record.status in (Status.ACTIVE, Status.DISABLED):
        yield from _judge_settled(world, record)


def _judge_settled(world: World, record: Record) -> Iterator[str]:
    name, user, iam_user = record.name, record.user, world.iam_user(record.name)
    if user is None:
        yield f"I3: {name} is {record.status}, but its record is invalid: {record.problems}"
        return
    if _is_out_of_reach(world, iam_user):
        return
    wanted = RecordState.of(record, ENV.sending, world.clock.now).wanted
    if record.status != wanted:
        yield f"I3: {name} is {record.status}, but should be {wanted}"
    if iam_user is None or not _is_managed(iam_user):
        yield f"I3: {name} is {record.status}, but has no managed IAM user"
        return
    yield from _judge_grant(name, user, iam_user)
    yield from _judge_keys(world, record, iam_user)


def _is_out_of_reach(world: World, iam_user: IamUser | None) -> bool:
    """The account's quota of users is used up: a sweep can only report this."""
    return iam_user is None and sum(1 for _ in world.iam.users()) >= world.settings.quota


def _is_quarantined(iam_user: IamUser) -> bool:
    """AWS detected an exposed key: a key that was deactivated stays inactive."""
    return any("Quarantine" in entry for entry in iam_user.attached.get("list_attached_user_policies", ()))


def _judge_grant(name: str, user: User, iam_user: IamUser) -> Iterator[str]:
    wanted = policy.build(user, ENV.sending)
    if (document := json.loads(iam_user.policies.get(POLICY_NAME, "null"))) != wanted:
        yield f"I3: the policy of {name} does not match its record: {document}"
    if others := [other for other in iam_user.policies if other != POLICY_NAME]:
        yield f"I3: {name} also has the policies {others}"
    for listing in WIDENING:
        if extra := [e for e in iam_user.attached.get(listing, ()) if "Quarantine" not in e]:
            yield f"I3: {name} also has {extra}"
    if iam_user.boundary != BOUNDARY or not ownership_tags(ENV.name, name).items() <= iam_user.tags.items():
        yield f"I1: the tags or the boundary of {name} are wrong: {iam_user.tags}, {iam_user.boundary}"


def _judge_keys(world: World, record: Record, iam_user: IamUser) -> Iterator[str]:
    name = record.name
    keys = {key.id: key.active for key in iam_user.keys}
    if unknown := keys.keys() - {record.smtp_username, record.previous_key}:
        yield f"I2: {name} has keys that are not in its record: {sorted(unknown)}"
    if record.status == Status.DISABLED:
        if active := [id_ for id_, is_active in keys.items() if is_active]:
            yield f"I3: {name} is disabled, but {active} are still active"
        return
    if not keys.get(record.smtp_username) and not (record.smtp_username in keys and _is_quarantined(iam_user)):
        yield f"I3: {name} is active, but its key {record.smtp_username} is inactive: {keys}"
    yield from _judge_credential(world, record)
    state = RecordState.of(record, ENV.sending, world.clock.now)
    if record.previous_key:
        works = not record.previous_key_deletes_at
        if state.overlap_over or state.previous_finished:
            yield f"I3: the previous key of {name} is overdue for deactivation or deletion"
        elif keys.get(record.previous_key) is not works and not _is_quarantined(iam_user):
            yield f"I3: the state of {name}'s previous key does not match the record: {keys}"


def _judge_credential(world: World, record: Record) -> Iterator[str]:
    key = next((key for key in world.iam.made if key.id == record.smtp_username), None)
    try:
        vault = KmsVault(world.kms, KEY, ENV.name)  # type: ignore[arg-type]
        stored = vault.decrypt(record.name, record.smtp_username, record.encrypted_credentials or b"")
    except AwsError as error:
        yield f"I3: the credential of {record.name} cannot be decrypted: {error}"
        return
    if key is None or stored.passwords != {r: smtp_password(key.secret, r) for r in ENV.smtp_regions}:
        yield f"I3: the stored credential of {record.name} does not belong to its key {record.smtp_username}"


def _judge_iam(world: World) -> Iterator[str]:
    names = {record.name for record in world.records()}
    for iam_user in world.iam.users():
        name = smtp_user_name(ENV.name, iam_user.name)
        if (
            _is_managed(iam_user)
            and not _is_member(iam_user)
            and (name is None or iam_user.name != iam_user_name(ENV.name, name) or name not in names)
        ):
            yield f"I4: {iam_user.name} is managed but has no record: keys {[key.id for key in iam_user.keys]}"


def _is_member(iam_user: IamUser) -> bool:
    """Only a person can remove a user from a group; until then IAM refuses to delete it."""
    return bool(iam_user.attached.get("list_groups_for_user"))


def _is_managed(iam_user: IamUser) -> bool:
    return iam_user.tags.get(OWNER_TAG) == OWNER


def _unfounded(world: World, record: Record) -> str:
    """Return an unexplained failure; empty if its cause still exists or a fault of the scenario caused it."""
    failure = record.failure
    if failure is None:
        return "" if record.name in world.edited_manually else "no failure is recorded"
    if failure.attempts >= deployed()["dead_letters"]["tries"]:
        return ""
    code = failure.code
    iam_user = world.iam_user(record.name)
    identity = Identity(owned=_is_managed(iam_user)) if iam_user else None
    retried = replace(record, status=Status.PENDING)
    end = decide(RecordState.of(retried, ENV.sending, world.clock.now), identity).end
    if isinstance(end, Fail) and end.code == code:
        return ""
    if code in BUSY and world.faults.met["throttled"]:
        return ""  # for a day
    excused = {
        "AccessDenied": "access denied" in world.faults.met,
        "ForeignUser": record.name in world.unmanaged,
        "InvalidRecord": record.name in world.edited_manually,
        "PolicyTooLarge": record.name in world.edited_manually,
        "Quarantined": bool(iam_user and "AWSCompromisedKeyQuarantine" in str(iam_user.attached)),
        "DeleteConflict": bool(iam_user and _is_member(iam_user)),
        "LimitExceeded": world.settings.quota < 5000 or record.name in world.disturbed,
    }
    return "" if excused.get(code) else f"{code}: {failure.message}"


def _judge_secrets(world: World) -> Iterator[str]:
    """I6: a secret key or a password derived from it occurs only in a ciphertext."""
    places: dict[str, str] = {
        "records": "\n".join(str(image) for record in world.table.log for image in (record.new, record.old)),
        "messages": "\n".join(world.sqs.bodies),
        "logs and output": "".join(OUTPUT.texts),
        "errors": "\n".join(world.scheduler.errors),
    }
    for key in world.iam.made:
        secrets: list[Any] = [key.secret, *(smtp_password(key.secret, region) for region in ENV.smtp_regions)]
        for place, text in places.items():
            if any(secret in text for secret in secrets):
                yield f"I6: a secret of {key.id} occurs in {place}"

"""I18: a key that works, and that the last result left active, is only deleted with its user or after an overlap."""

from __future__ import annotations

from reconciler.aws.dynamodb import unpack
from reconciler.core.record import SK_PREFIX, Status
from simulation.iam_user import IamUser
from simulation.wire import Call
from simulation.world import World


def deletes_key_in_use(world: World, call: Call, name: str, before: IamUser) -> bool:
    """`before`: the IAM user before the call."""
    item, key_id = world.item(name), call.parameters["AccessKeyId"]
    if call.operation != "DeleteAccessKey" or item is None or name in world.edited_manually | world.tampered:
        return False
    record = world.store._record(unpack(item))
    if record.status not in (Status.PENDING, Status.ACTIVE) or record.revoked or _was_deleted(world, call, name):
        return False
    in_record = key_id == record.smtp_username and record.encrypted_credentials
    works = any(key.id == key_id and key.active for key in before.keys)
    return bool(in_record and works and record.settled_status == Status.ACTIVE)


def _was_deleted(world: World, call: Call, name: str) -> bool:
    """The user was to be deleted when the actor began, or later."""
    for record in reversed(world.table.log):
        if record.at < call.actor.since:
            return False
        images = [record.old, record.new] if record.key[1] == f"{SK_PREFIX}{name}" else []
        if any(image is None or image.get("status", {}).get("S") == Status.DELETING for image in images):
            return True
    return False

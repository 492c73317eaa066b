"""Invariants that must hold at every step; they are checked at each AWS call of the tested code."""

from __future__ import annotations

import json
from typing import Any

from reconciler.aws.applied_state import SK as APPLIED
from reconciler.aws.attributes import unpack
from reconciler.aws.fallback_state import SK as FALLBACK
from reconciler.aws.sweep_state import SK as SWEEP
from reconciler.core.ownership import OWNER, OWNER_TAG, iam_path, smtp_user_name
from reconciler.core.policy import POLICY_NAME, build
from reconciler.core.record import AWAITING, PK, SK_PREFIX
from reconciler.planning.plan import Plan
from simulation.dynamodb import StreamRecord
from simulation.iam_user import IamUser
from simulation.overlap import deletes_key_in_use
from simulation.wire import READS, Call
from simulation.world import ENV, World

MOST_CALLS = 800  # per actor; more indicate an endless loop
STATES = (APPLIED, FALLBACK, SWEEP)  # items next to the records of users
NOTHING_GRANTED: dict[str, Any] = {"StringLike": {"ses:FromAddress": []}}

NULL = {"NULL": True}


class InvariantChecker:
    def __init__(self, world: World) -> None:
        self.world = world
        self.announced: dict[str, list[str]] = {}  # the details of plans that were applied, by user
        self.changes = 0  # calls that may change a user
        self.applied = 0  # the newest commit of which a run has written a record
        self._before: dict[str, Any] = {}
        world.wire.watcher = self
        world.mapping.done = self.acknowledged

    def broken(self, invariant: str, what: str) -> None:
        self.world.broken.append(f"{invariant}: {what}")

    def announce(self, plan: Plan) -> None:
        for line in plan.lines:
            self.announced.setdefault(line.name, []).extend(line.details)

    # Called by the wire.

    def asked(self, call: Call) -> None:
        call.actor.seen.setdefault("applied", self.applied)
        if call.actor.calls > MOST_CALLS:
            self.broken("I8", f"{call.actor.name} made {call.actor.calls} calls and does not stop")
        if call.operation.startswith(READS):
            return
        if call.service == "iam":
            self._check_owned(call)
            self._check_not_revoked(call)
        elif call.service == "dynamodb":
            self._check_write(call)

    def _check_owned(self, call: Call) -> None:
        """A virtual MFA device belongs to the user from which it was removed; it is deleted by its serial number."""
        name = call.parameters.get("UserName")
        if call.operation == "DeactivateMFADevice":
            call.actor.seen[call.parameters["SerialNumber"]] = True
        if call.operation == "DeleteVirtualMFADevice":
            name = call.parameters["SerialNumber"]
        if call.operation != "CreateUser" and not call.actor.seen.get(name):
            self.broken("I7", f"{call.operation} on {name} without reading its tag")

    def doing(self, call: Call) -> None:
        """Remember the state before the change."""
        if call.operation.startswith(READS):
            return
        if call.service == "iam":
            self._before["user"] = self.world.iam.find(call.parameters.get("UserName", ""))
        elif call.service == "dynamodb":
            self._before["item"] = self.world.table.items.get(_key(call))

    def done(self, call: Call, answer: Any) -> None:
        if not call.operation.startswith(READS):
            self.changes += call.service == "iam" or (call.service == "dynamodb" and _key(call)[1] not in STATES)
        if call.service == "iam":
            self._done_in_iam(call, answer)
        elif call.service == "dynamodb":
            self._done_in_table(call, answer)

    def _done_in_iam(self, call: Call, answer: Any) -> None:
        match call.operation:
            case "GetUser":
                tags = {tag["Key"]: tag["Value"] for tag in answer["User"]["Tags"]}
                call.actor.seen[answer["User"]["UserName"]] = tags.get(OWNER_TAG) == OWNER
            case "CreateUser":
                call.actor.seen[call.parameters["UserName"]] = True
                self._check_only_one(call.parameters["UserName"])
            case "PutUserPolicy":
                self._check_announced(call)
            case "DeleteAccessKey" | "UpdateAccessKey":
                self._check_access_kept(call.parameters["UserName"])
                self._check_overlap(call)

    def _done_in_table(self, call: Call, answer: Any) -> None:
        match call.operation:
            case "GetItem":
                sk = call.parameters["Key"]["SK"]["S"]
                self._note_record(call, sk, answer.get("Item"))
                call.actor.seen[f"revoked {sk}"] = answer.get("Item", {}).get("revoked", NULL) != NULL
            case "DescribeTable":
                pass
            case "Query":
                for item in answer["Items"]:
                    self._note_record(call, item["SK"]["S"], item)
            case "BatchGetItem":
                for item in answer["Responses"][ENV.table]:
                    self._note_record(call, item["SK"]["S"], item)
            case _:
                self._check_not_lost(call)
                self._check_age(call)

    # I11: a change that was not read is never overwritten.

    def _note_record(self, call: Call, sk: str, item: Any) -> None:
        call.actor.seen[sk] = _version(item)

    def _check_write(self, call: Call) -> None:
        pk, sk = _key(call)
        if pk != PK or not (sk.startswith(SK_PREFIX) or sk in STATES):
            self.broken("I7", f"{call.operation} on {pk} {sk}, which is not an item of this application")
        if not call.parameters.get("ConditionExpression"):
            self.broken("I11", f"{call.operation} on {sk} without a condition")

    def _check_not_lost(self, call: Call) -> None:
        sk = _key(call)[1]
        before = self._before["item"]
        read = call.actor.seen.get(sk, _version(before))
        if sk.startswith(SK_PREFIX) and before is not None and _version(before) != read:
            self.broken("I11", f"{call.operation} by {call.actor.name} on {sk} overwrote a change that it had not read")

    # I15: after a run of an older commit than was applied before it began, nothing has changed.

    def _check_age(self, call: Call) -> None:
        sk = _key(call)[1]
        item = self.world.table.items.get((PK, sk))
        if item is None or not call.actor.name.startswith("reconcile"):
            return
        commit, before = int(item["commit"]["S"]), self._before["item"]
        if sk == APPLIED:
            if before and int(before["commit"]["S"]) > commit:
                self.broken("I15", f"the applied state went back to commit {commit}")
        elif commit < call.actor.seen["applied"]:
            self.broken("I15", f"a run of commit {commit} changed {sk} after commit {call.actor.seen['applied']}")
        else:
            self.applied = max(self.applied, commit)

    # I16: no function activates or issues a key of a user that it has read as revoked.

    def _check_not_revoked(self, call: Call) -> None:
        activates = call.operation == "CreateAccessKey" or call.parameters.get("Status") == "Active"
        name = smtp_user_name(ENV.name, call.parameters.get("UserName", ""))
        if activates and call.actor.seen.get(f"revoked {SK_PREFIX}{name}"):
            self.broken("I16", f"{call.operation} by {call.actor.name} for {name}, which is revoked")

    # I5: an acknowledged event is processed, and every change is requested by a record.

    def acknowledged(self, record: StreamRecord) -> None:
        """Called when the stream function acknowledges an event.

        A record that is pending again has another event; a user that must be retried has a message.
        """
        item = self.world.table.items.get(record.key)
        later = (r for r in self.world.table.log[record.sequence :] if r.key == record.key)
        pending = (
            item is not None and item.get("status", {}).get("S") in AWAITING and record.key[1].startswith(SK_PREFIX)
        )
        if pending and not self._is_queued(record.key[1]) and not any(map(self.world.mapping.passes, later)):
            self.broken("I5", f"the event of {record.key[1]} was acknowledged, but its record is still pending")

    def _is_queued(self, sk: str) -> bool:
        """A message names the user, in either queue: the dead-letter function may have given it up already."""
        letters = [letter for queue in self.world.sqs.queues.values() for letter in queue]
        return any(f'"user": {json.dumps(sk.removeprefix(SK_PREFIX))}' in letter.body for letter in letters)

    def _check_requested(self, call: Call, name: str) -> None:
        """The record requested this policy at some time since the actor started."""
        items = [self.world.item(name)]
        for record in reversed(self.world.table.log):
            if record.at < call.actor.since:
                break
            if record.key[1] == f"{SK_PREFIX}{name}":
                items.append(record.old)
        document = json.loads(call.parameters["PolicyDocument"])
        users = [self.world.store._record(unpack(item)).user for item in items if item]
        if not any(user and build(user, ENV.sending) == document for user in users):
            self.broken(
                "I5", f"{name} got a policy that its record does not request: {_condition(json.dumps(document))}"
            )

    # I1, I3, I10.

    def _check_only_one(self, iam_user: str) -> None:
        made = self.world.iam.find(iam_user)
        assert made
        name = made.tags.get("smtp-user")
        same = [
            u.name for u in self.world.iam.users() if u.tags.get(OWNER_TAG) == OWNER and u.tags.get("smtp-user") == name
        ]
        if len(same) > 1:
            self.broken("I1", f"{name} has {len(same)} IAM users: {', '.join(same)}")
        if made.path != iam_path(ENV.name):
            self.broken("I1", f"{iam_user} was made under {made.path}")

    def _name(self, iam_user: str) -> str:
        """The name of the SMTP user that an IAM user belongs to."""
        user = self.world.iam.find(iam_user)
        return user.tags.get("smtp-user", "") if user else ""

    def _check_access_kept(self, iam_user: str) -> None:
        """A user that was only declared, edited and rotated can always send once it has a credential."""
        name = self._name(iam_user)
        item, user = self.world.item(name), self.world.iam.find(iam_user)
        if name in self.world.disturbed or item is None or user is None or "encrypted_credentials" not in item:
            return
        stored = [item[attribute]["S"] for attribute in ("smtp_username", "previous_key") if attribute in item]
        if not any(key.active and key.id in stored for key in user.keys):
            self.broken("I3", f"{name}: it was not disabled, but none of its recorded keys is active")

    def _check_overlap(self, call: Call) -> None:
        name = self._name(call.parameters["UserName"])
        if deletes_key_in_use(self.world, call, name, self._before["user"]):
            self.broken(
                "I18", f"{call.parameters['AccessKeyId']} of {name} is in use, but was deleted without an overlap"
            )

    def _check_announced(self, call: Call) -> None:
        name = self._name(call.parameters["UserName"])
        before: IamUser | None = self._before["user"]
        old = before.policies.get(POLICY_NAME) if before else None
        self._check_requested(call, name)
        if name in self.world.edited_manually or call.parameters["PolicyName"] != POLICY_NAME:
            return
        words = " · ".join(self.announced.get(name, ()))
        for widening, wordings in _widenings(_condition(old), _condition(call.parameters["PolicyDocument"])):
            if not any(word in words for word in wordings):
                self.broken("I10", f"{name}: {widening} was granted, but no plan showed it: {words or 'nothing'}")


def _key(call: Call) -> tuple[str, str]:
    key = call.parameters.get("Key") or call.parameters["Item"]
    return key["PK"]["S"], key["SK"]["S"]


def _version(item: Any) -> tuple[str, str] | None:
    """The version that a later write must still find."""
    if not item:
        return None
    return str(item.get("revision")), str(item.get("correlation_id"))


def _condition(document: str | None) -> dict[str, Any]:
    """The condition of a policy in the managed format; a policy changed manually counts as granting nothing."""
    try:
        condition: dict[str, Any] = json.loads(document or "{}")["Statement"][0]["Condition"]
        return condition if "ses:FromAddress" in condition["StringLike"] else NOTHING_GRANTED
    except (KeyError, IndexError):
        return NOTHING_GRANTED


def _widenings(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """What the new policy grants in addition, each with the words of a plan that show it."""
    before, after = old["StringLike"]["ses:FromAddress"], new["StringLike"]["ses:FromAddress"]
    found: list[tuple[str, tuple[str, ...]]] = [
        (f"sending as {address}", (address,)) for address in after if address not in before
    ]
    if not before:
        return found
    networks, fewer = (document.get("IpAddress", {}).get("aws:SourceIp", []) for document in (old, new))
    if networks and not fewer:
        found.append(("sending from any network", ("any network", "may send as")))
    found += [(f"sending from {network}", (network,)) for network in fewer if networks and network not in networks]
    end, later = (document.get("DateLessThan", {}).get("aws:CurrentTime", "9999") for document in (old, new))
    if later > end:
        found.append((f"sending until {later}", ("extended", "no longer expires", "may send as")))
    return found

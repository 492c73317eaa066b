"""Generate a scenario from a seed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from simulation.actions import Action
from simulation.faults import Kind
from simulation.hands import DRIFTS, REVOCATIONS, STATUSES
from simulation.manifests import BROKEN
from simulation.story import Scenario
from simulation.trigger import FAULTS as TRIGGER_FAULTS
from simulation.world import Settings

NAMES = ("ant", "bee", "bee-2", "cat", "dog", "eel")
CALM = "yak"  # this user is never deactivated or changed manually, so it must always be able to send
KEY_DRIFTS = [what for what in DRIFTS if "key" in what]
FAULTY = ("reconcile", "old run", "deliver", "dead letters", "sweep")  # actions for which a fault may be planned

Make = Callable[[Random, str], dict[str, Any]]


def make_scenario(seed: int) -> Scenario:
    random = Random(seed)  # noqa: S311 - reproducible, not a secret
    settings = Settings(
        lag=random.choice((0, 0, 5, 30, 55)),
        lanes=random.choice((1, 2, 3)),
        retries=random.choice((0, 1, 3, 12)),
        stickiness=random.choice((0.0, 0.3, 0.7, 0.95)),
        telemetry=random.random() < 0.8,
        quota=random.choice((5000, 5000, 5000, 2)),
        users_per_run=random.choice((5000, 5000, 2)),
        wide_reads=random.random() < 0.8,
        allowed_wide_reads=random.random() < 0.8,
        full_check=random.choice((1, 1, 2)),
    )
    names = NAMES[: random.randint(1, 4)]
    fault_rate = random.choice((0.0, 0.2, 0.5, 0.8))
    actions: list[Action] = []
    for episode in random.choices(list(EPISODES), weights=list(EPISODES.values()), k=random.randint(6, 16)):
        hero = random.choice((*names, CALM))  # the user that most of the episode concerns
        for choices in episode:
            kind = random.choice(choices)
            if kind in FAULTY and random.random() < fault_rate:
                actions.append(_make_action(random, "fault", ""))
            actions.append(_make_action(random, kind, _choose_name(random, kind, hero, names)))
    return Scenario(seed, settings, tuple(actions))


def _choose_name(random: Random, kind: str, hero: str, names: tuple[str, ...]) -> str:
    if kind not in OF_A_USER:
        return ""
    if random.random() < 0.75 and (hero != CALM or kind in FOR_THE_CALM):
        return hero
    return random.choice(names)


def _make_action(random: Random, kind: str, name: str) -> Action:
    args = ARGUMENTS[kind](random, name) if kind in ARGUMENTS else {}
    calls: int | None = 0
    if kind in FAULTY or kind in RUNNING:
        calls = random.choice((None, None, 0, 0, random.randint(1, 3), random.randint(2, 8), random.randint(5, 20)))
    return Action(kind, name, args, random.getrandbits(24) + 1, calls)


def _addresses(random: Random, name: str) -> list[str]:
    known = (f"{name}@example.com", "*@news.example.com", f"{name}-*@example.com", "Shared.Box@Example.com")
    return random.sample(known, random.randint(1, 3))


def _edit(random: Random, name: str) -> dict[str, Any]:
    networks = random.choice((None, ["203.0.113.0/24"], ["203.0.113.0/24", "198.51.100.7"]))
    options: list[dict[str, Any]] = [
        {"allowed_from_addresses": _addresses(random, name)},
        {"description": f"Version {random.randint(1, 9)}"},
        {"allowed_source_ips": networks},
        {"allowed_from_addresses": _addresses(random, name), "allowed_source_ips": networks},
    ]
    return random.choice(options)


def _put_record(random: Random, name: str) -> dict[str, Any]:
    options: list[dict[str, Any]] = [
        {"status": "pending", "allowed_from_addresses": [f"{name}@example.com"]},
        {"status": "pending", "allowed_from_addresses": {f"{name}@example.com", "*@news.example.com"}},
        {"status": "pending", "allowed_from_addresses": ["x@example.net"]},
        {"status": "pending"},
        {"status": "active", "allowed_from_addresses": [f"{name}@example.com"], "managed_by": "another tool"},
        {"status": "deleting"},
        {"status": "pending", "allowed_from_addresses": [f"{name}@example.com"], "smtp_username": "AKIAUNKNOWN"},
    ]
    return random.choice(options)


def _edit_record(random: Random, name: str) -> dict[str, Any]:
    options: list[dict[str, Any]] = [
        _edit_status(random, name),
        {"allowed_from_addresses": _addresses(random, name), "status": "pending"},
        {"allowed_from_addresses": 7, "status": "pending"},
        {"smtp_username": None},
        {"encrypted_credentials": None},
        {"revision": None},
        {"previous_key": "AKIAUNKNOWN"},
        {"enabled": random.random() < 0.5, "status": "pending"},
        {"key_created_at": "a while ago"},
        {"revision": Decimal("1E+60")},
        {"previous_key": "no key id"},
        {"iam_user_name": "root", "status": "pending"},
        {"correlation_id": "manual"},
    ]
    return random.choice(options)


def _edit_status(random: Random, _: str) -> dict[str, Any]:
    return {"status": random.choice((*STATUSES, None))}


def _edit_revocation(random: Random, name: str) -> dict[str, Any]:
    """In any form, often together with a status. None removes it."""
    return {
        "revoked": random.choice((*REVOCATIONS, None)),
        **(_edit_status(random, name) if random.random() < 0.7 else {}),
    }


def _fault(random: Random, _: str) -> dict[str, Any]:
    kind = random.choice(list(Kind))
    lasting = kind in (Kind.THROTTLED, Kind.FAILED, Kind.DENIED, Kind.TIMED_OUT) and random.random() < 0.4
    on = random.choice(
        ("", "", "", "iam", "dynamodb", "kms", "CreateAccessKey", "CreateUser", "PutUserPolicy", "DeleteAccessKey",
         "UpdateAccessKey", "DeleteUserPolicy", "DeleteUser",
         "UpdateItem", "DeleteItem", "GetItem", "ListAccessKeys", "sqs", "streams")
    )  # fmt: skip
    return {"kind": str(kind), "on": on, "skip": random.randint(0, 7), "times": random.randint(2, 25) if lasting else 1}


def _pass(random: Random, _: str) -> dict[str, Any]:
    return random.choice(
        ({"seconds": 20}, {"minutes": 2}, {"minutes": 20}, {"hours": 2}, {"hours": 7}, {"hours": 25}, {"days": 8})
    )


# An episode is a sequence of steps; each step is one of several kinds of action.
MANIFEST = (
    "declare",
    "declare",
    "edit",
    "edit",
    "rotate",
    "schedule",
    "disable",
    "enable",
    "expire",
    *["undeclare"] * 2,
)
MANUAL = ("put record", "edit record", "delete record", "drift", "drift", "drift", "unmanaged user", "other item")
AROUND = ("deliver", "deliver", "deliver twice", "sweep", "dead letters")
TIME = ("pass", "pass", "clock skew")
EPISODES: dict[tuple[tuple[str, ...], ...], int] = {
    (("declare",), ("declare",), ("reconcile",), ("deliver",)): 4,
    (MANIFEST, ("reconcile",), ("deliver",), AROUND): 12,
    (MANIFEST, ("reconcile",), MANIFEST, ("reconcile",), ("deliver",)): 5,
    (MANIFEST, ("reconcile",), ("deliver",), MANIFEST, ("reconcile",), ("deliver",), AROUND): 8,
    (("rotate",), ("reconcile",), ("deliver",), (*TIME, "drift", "drift"), ("sweep",)): 4,
    (("undeclare",), ("reconcile",), ("deliver",), MANIFEST, ("reconcile",), AROUND): 3,
    (("declare",), ("reconcile",), ("undeclare",), ("reconcile",), ("deliver",), ("old run",), AROUND): 3,
    (("old run",), AROUND): 2,
    (MANUAL, AROUND): 4,
    (("drift",), ("drift",), ("undeclare", "delete record", "sweep"), ("reconcile",), ("deliver",)): 3,
    (("reconcile",), ("deliver",), ("delete record",), ("deliver", "pass", "pass"), ("deliver",), ("dead letters",)): 4,
    (("reconcile",), ("deliver",), ("delete record",), ("outage",), AROUND): 5,
    (TIME, AROUND): 4,
    (("revoke", "resume", "retry"), AROUND): 3,
    (("revoke",), ("pass",), ("fault",), ("deliver",), ("dead letters",)): 1,
    (("revoke",), ("deliver",), ("edit", "enable"), ("reconcile",), ("deliver",), ("resume",), ("deliver",)): 1,
    (("revoke",), ("deliver",), ("rotate",), ("reconcile",), ("deliver",), ("resume",), ("deliver",)): 2,
    (("revoke",), AROUND, ("edit status",), AROUND, ("resume", "reconcile", "edit status", "drift"), AROUND): 2,
    (("edit revocation",), AROUND, ("edit status", "reconcile", "drift"), AROUND): 2,
    (("reconcile",), ("deliver",), ("edit revocation",), AROUND): 4,
    (("deliver",), ("dead letters",), ("pass",), ("dead letters",)): 3,
    (("damage trigger",), ("revoke", "edit revocation", "reconcile"), AROUND, ("sweep",), ("repair trigger",)): 3,
    (("invalid manifest", "reconcile files", "other message"),): 1,
    (("reconcile",), ("deliver",), ("drift",), ("pass", "drift"), ("sweep",)): 3,
}
RUNNING = {"deliver twice", "reconcile files", "invalid manifest", "revoke", "resume", "retry"}
FOR_THE_CALM = {"declare", "edit", "rotate", "schedule"}
OF_A_USER = FOR_THE_CALM | {
    "disable", "enable", "expire", "undeclare", "revoke", "resume", "retry", "put record", "edit record",
    "edit revocation", "edit status", "delete record", "drift", "unmanaged user",
}  # fmt: skip
ARGUMENTS: dict[str, Make] = {
    "outage": lambda *_: {"hours": 25},
    "edit": _edit,
    "schedule": lambda random, _: {"rotation": random.choice((None, {"every_days": 7, "overlap_days": 1}))},
    "disable": lambda *_: {"enabled": False},
    "enable": lambda *_: {"enabled": True, "expires": None},
    "expire": lambda random, _: {"expires": random.choice(("2026-05-31", "2026-06-01", "2026-06-02", "2026-06-10"))},
    "reconcile": lambda random, _: random.choice(
        (*[{"allow": True}] * 7, {}, {"allow": True, "behind": 1}, {"allow": True, "wait": 5})
    ),
    "old run": lambda random, _: {"allow": True, "behind": random.choice((1, 1, 2, 3))},
    "invalid manifest": lambda random, _: {"how": random.choice(list(BROKEN))},
    "deliver": lambda random, _: {"times": random.choice((1, 2, 4, 14))},
    "dead letters": lambda random, _: {"wait": random.random() < 0.8, "duplicates": random.random() < 0.2},
    "other message": lambda random, _: {
        "body": random.choice(('{"user": "ant"}', '{"user": "no such user"}', "hello", '{"DDBStreamBatchInfo": 7}'))
    },
    "damage trigger": lambda random, _: {"how": random.choice(TRIGGER_FAULTS)},
    "pass": _pass,
    "clock skew": lambda random, _: {"seconds": random.choice((-20, -3, 0, 3, 20))},
    "fault": _fault,
    "put record": _put_record,
    "edit record": _edit_record,
    "edit revocation": _edit_revocation,
    "edit status": _edit_status,
    "resume": lambda random, _: {"keep_key": random.random() < 0.5},
    "other item": lambda random, _: random.choice(
        (
            {"PK": "ORDER", "SK": "USER#ant", "status": "pending"},
            {"PK": "SMTP_USER", "SK": "CONFIG", "status": "pending"},
        )
    ),
    "drift": lambda random, _: {"what": random.choice([*DRIFTS, *KEY_DRIFTS, *KEY_DRIFTS])},
    "unmanaged user": lambda random, _: {"upper_case": random.random() < 0.3, "own_path": random.random() < 0.5},
}

"""`reconcile drift` on a local AWS: the real command finds every difference that was created manually."""

from __future__ import annotations

import json

import yaml

from sandbox.local_aws import Sandbox
from support.planted import PLANTS, Place

QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"


def declare(sandbox: Sandbox, *, after: bool, enabled: bool = False) -> None:
    entries = [
        {
            "name": plant.name,
            "description": f"Mail of {plant.name}",
            "owner": "team@example.com",
            "allowed_from_addresses": [f"{plant.name}@example.com"],
            "enabled": enabled or plant.enabled,
        }
        for plant in PLANTS
        if (plant.after if after else plant.before)
    ]
    path = sandbox.root / "users" / "sandbox" / "planted.yaml"
    path.write_text(yaml.safe_dump({"users": entries}, sort_keys=False))


def test_every_planted_difference_is_found_and_nothing_before(sandbox: Sandbox) -> None:
    declare(sandbox, after=False, enabled=True)
    assert sandbox.reconcile().returncode == 0
    declare(sandbox, after=False)
    assert sandbox.reconcile().returncode == 0
    clean = sandbox.reconcile("drift")
    assert clean.returncode == 0, clean.stdout
    users = 7 + sum(plant.before for plant in PLANTS)
    assert clean.stdout.endswith(f"No drift: {users} users checked.\n")

    sandbox.map_anew("manager", Enabled=False)  # nothing is repaired before the drift check
    iam = sandbox.client("iam")
    place = Place(
        "sandbox", sandbox.environment.table, iam, sandbox.client("dynamodb"),
        lambda iam_user: iam.attach_user_policy(UserName=iam_user, PolicyArn=QUARANTINE),
    )  # fmt: skip
    declare(sandbox, after=True)
    for plant in PLANTS:
        plant.plant(place, plant.name)
    before = sandbox.rows(), sandbox.users()

    found = sandbox.reconcile("drift", "--thorough", "--format", "json")
    assert found.returncode == 2, found.stderr
    findings = json.loads(found.stdout)["findings"]
    assert [(entry["name"], entry["kind"]) for entry in findings] == [(plant.name, plant.kind) for plant in PLANTS]
    for entry, plant in zip(findings, PLANTS, strict=True):
        assert plant.words in entry["description"]
    assert (sandbox.rows(), sandbox.users()) == before

    shown = sandbox.reconcile("drift")
    assert shown.returncode == 2
    assert f"Drift: {len(PLANTS)} findings for {len(PLANTS)} of " in shown.stdout

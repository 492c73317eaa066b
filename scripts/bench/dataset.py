"""A repository of any size: `reconcile.yaml` and manifests of 50 users each."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

# Reserved for tests, but no example values: `reconcile validate` refuses those.
ACCOUNT, REGION, DOMAIN = 100200300400, "eu-central-1", "bench.test"
FIRST = "test"  # the environment that has records
USERS_PER_FILE = 50
MOST_USERS = 5000  # of one account, so of one environment
MODELINE = "# yaml-language-server: $schema=../../schema/users.schema.json"
SETTINGS = """  {name}:
    account_id: "{account}"
    region: {region}
    table: smtp-users-{name}
    configuration_set: smtp-{name}
    allowed_domains: [{domain}, news.{domain}]
    allow_wildcards: true
    limits: {{max_deletes: 2, max_delete_percent: 100}}
    github_subject_prefix: repo:bench/smtp-users
"""


def write_repository(folder: Path, users: int, most: int = MOST_USERS) -> list[str]:
    """As many environments as `users` need, with `most` users each. Returns their names."""
    names = [FIRST, *(f"env{number}" for number in range(1, -(-users // most)))]
    folder.mkdir(parents=True)
    # Each environment has its own account: two that manage the same SES identity are refused.
    settings = (
        SETTINGS.format(name=name, account=ACCOUNT + number, region=REGION, domain=DOMAIN)
        for number, name in enumerate(names)
    )
    (folder / "reconcile.yaml").write_text("environments:\n" + "".join(settings), encoding="utf-8")
    for number, name in enumerate(names):
        place = folder / "users" / name
        place.mkdir(parents=True)
        declared = range(number * most, min(users, (number + 1) * most))
        for start in declared[::USERS_PER_FILE]:
            entries = (entry_text(user) for user in range(start, min(start + USERS_PER_FILE, declared.stop)))
            text = "\n".join([MODELINE, "users:", *entries])
            (folder / manifest_of(name, start)).write_text(f"{text}\n", encoding="utf-8")
    return names


def manifest_of(environment: str, user: int) -> str:
    return f"users/{environment}/team-{user // USERS_PER_FILE:05}.yaml"


def entry(user: int) -> dict[str, Any]:
    """A user as people declare it: two addresses, an owner and a description."""
    return {
        "name": f"service-{user:06}",
        "description": f"Notifications of service number {user}",
        "owner": f"team-{user // USERS_PER_FILE}@{DOMAIN}",
        "allowed_from_addresses": [f"service-{user}@{DOMAIN}", f"reports-{user}@news.{DOMAIN}"],
    }


def entry_text(user: int) -> str:
    fields = entry(user)
    return (
        f"  - name: {fields['name']}\n"
        f"    description: {fields['description']}\n"
        f"    owner: {fields['owner']}\n"
        f"    allowed_from_addresses: [{', '.join(fields['allowed_from_addresses'])}]\n"
    )


def commit(folder: Path) -> str:
    """Make the folder a Git repository. Returns the commit."""
    identity = ["-c", "user.name=bench", "-c", f"user.email=bench@{DOMAIN}", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "Users"]):
        _git(folder, *words)
    return _git(folder, "rev-parse", "HEAD").strip()


def _git(folder: Path, *words: str) -> str:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout


def write_zone(folder: Path, records: int) -> Path:
    """DNS records for octoDNS, as source and as target, each with two values, as a user has two addresses.

    Returns the path of its configuration.
    """
    lines = "".join(map(_dns_record, range(records)))
    for side in ("source", "target"):
        (folder / side).mkdir(parents=True)
        (folder / side / f"{DOMAIN}.yaml").write_text(f"---\n{lines}", encoding="utf-8")
    providers = "".join(
        f"  {side}:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {folder / side}\n"
        for side in ("source", "target")
    )
    zones = f"zones:\n  {DOMAIN}.:\n    sources: [source]\n    targets: [target]\n"
    config = folder / "octodns.yaml"
    config.write_text(f"providers:\n{providers}{zones}", encoding="utf-8")
    return config


def _dns_record(number: int) -> str:
    network = f"{number // 250 % 250}.{number % 250 + 1}"
    return f"service-{number:06}:\n  ttl: 300\n  type: A\n  values:\n  - 10.1.{network}\n  - 10.2.{network}\n"

"""Real manifest files, valid or broken, for the runs that read them from disk."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from reconciler.core.user import User, spec_fields
from simulation.world import ENV

ENTRY = "- {name: new-user, description: New, owner: team@example.com, allowed_from_addresses: [%s]%s}\n"
BROKEN = {
    "an address of another domain": "users:\n" + ENTRY % ("x@example.net", ""),
    "a name twice": "users:\n" + ENTRY % ("x@example.com", "") + ENTRY % ("y@example.com", ""),
    "an unknown field": "users:\n" + ENTRY % ("x@example.com", ", enable: true"),
    "no YAML": "users: [\n",
    "a wildcard in the middle": "users:\n" + ENTRY % ("'a*b@example.com'", ""),
    "an overlap too long": "users:\n" + ENTRY % ("x@example.com", ", rotation: {every_days: 7, overlap_days: 7}"),
    "a policy too large": "users:\n" + ENTRY % (", ".join(f"address-{n:03d}@example.com" for n in range(100)), ""),
}


def write(declared: Mapping[str, User], broken: str = "") -> Path:
    """Write one file for all users and optionally an invalid one. The caller removes the folder."""
    users = Path(tempfile.mkdtemp(prefix="simulated-manifests-"))
    folder = users / ENV.name
    folder.mkdir()
    entries = [{"name": name, **_declared_fields(user)} for name, user in sorted(declared.items())]
    (folder / "team.yaml").write_text(yaml.safe_dump({"users": entries}), encoding="utf-8")
    if broken:
        (folder / "broken.yaml").write_text(BROKEN[broken], encoding="utf-8")
    return users


def _declared_fields(user: User) -> dict[str, object]:
    return {name: value for name, value in spec_fields(user).items() if value != ""}

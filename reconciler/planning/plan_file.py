"""A plan in a file, with what it was made from: an apply refuses the file if anything differs. It has no secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.core.record import Record
from reconciler.core.text import clip, count
from reconciler.core.user import Declaration, spec_fields, spec_hash

FORMAT = 1
# What may differ between two runs of a plan: who asks, and what only one of two roles may read. It decides no change.
VOLATILE = ("origin", "taken", "iam_checked")
MOST_NAMES = 5  # in a reason


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan was made from. `settings` and `manifests` are digests, as are the values of `records`, by name."""

    version: str
    environment: str
    commit: str
    settings: str
    manifests: str
    records: Mapping[str, str]
    applied: str  # the version of what was applied last


def make_basis(
    environment: str,
    version: str,
    commit: str,
    settings: Mapping[str, Any],
    desired: Mapping[str, Declaration],
    records: Iterable[Record],
    applied: object,
) -> Basis:
    """`version`: of the command. `applied`: the version of what was applied last."""
    declared = [[name, one.manifest, one.line, spec_fields(one.user)] for name, one in sorted(desired.items())]
    digests = {record.name: _digest(_planned_fields(record))[:16] for record in records}
    return Basis(version, environment, commit, _digest(settings), _digest(declared), digests, str(applied))


def _planned_fields(record: Record) -> list[Any]:
    """What a record grants and who manages it. The values themselves too: they can be modified manually.

    Not how far its processing is: a user that becomes active while a plan waits for its reviewers changes nothing that
    they saw. Where a status matters, it is the reason of a change, and the plan itself differs.
    """
    values = spec_hash(record.user) if record.user else list(record.problems)
    revoked = asdict(record.revoked) if record.revoked else None
    return [record.managed_by, record.spec_hash, record.is_being_deleted, values, revoked]


def to_document(basis: Basis, plan: Mapping[str, Any]) -> dict[str, Any]:
    """`plan`: as the output format `json` shows it."""
    document = {"format": FORMAT, **asdict(basis), "plan": dict(plan)}
    return {**document, "checksum": _digest(document)}


def find_difference(text: str, basis: Basis, plan: Mapping[str, Any]) -> str:
    """Why the plan in a file is not the plan of now; '' if it is. `text`: any text."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or "checksum" not in document:
        return "it is not a plan file"
    if document.get("format") != FORMAT:
        return f"its format is {clip(str(document.get('format')))}; this version reads {FORMAT}"
    checksum = document.pop("checksum")
    if checksum != _digest(document):
        return "it was modified after it was written"
    return _differing_basis(document, basis) or _differing_plan(document.get("plan"), plan)


def _differing_basis(document: Mapping[str, Any], basis: Basis) -> str:
    found = {name: clip(str(document.get(name))) for name in ("version", "environment", "commit")}
    if document.get("version") != basis.version:
        return f"planned by version {found['version']}; this is version {basis.version}"
    if document.get("environment") != basis.environment:
        return f"planned for environment {found['environment']}"
    if document.get("commit") != basis.commit:
        return f"planned at commit {found['commit'] or 'unknown'}; this is {basis.commit or 'unknown'}"
    if document.get("settings") != basis.settings:
        return "settings differ from those of the plan"
    if document.get("manifests") != basis.manifests:
        return "manifests differ from those of the plan"
    if changed := _changed_names(document.get("records"), basis.records):
        shown, more = changed[:MOST_NAMES], len(changed) - MOST_NAMES
        return f"records changed since the plan: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"
    if document.get("applied") != basis.applied:
        return "another run applied since the plan"
    return ""


def _changed_names(found: Any, records: Mapping[str, str]) -> list[str]:
    planned = found if isinstance(found, dict) else {}
    return [name for name in sorted(planned.keys() | records.keys()) if planned.get(name) != records.get(name)]


def _differing_plan(planned: Any, plan: Mapping[str, Any]) -> str:
    """With the same basis, only time makes another plan: an expiry, a rotation, a deadline."""
    before = planned if isinstance(planned, dict) else {}
    now = json.loads(json.dumps(plan))
    if _stable(before) == _stable(now):
        return ""
    for change in now["changes"]:
        if change not in _list(before, "changes"):
            return f"the plan is different now: {change['name']}: {'; '.join(change['details'])}"
    for refusal in now["refusals"]:
        if refusal not in _list(before, "refusals"):
            return f"the plan is refused now: {refusal['reason']}"
    lost = len(_list(before, "changes")) - len(now["changes"])
    return f"the plan is different now: {count(lost, 'change')} fewer" if lost > 0 else "the plan is different now"


def _stable(plan: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in plan.items() if name not in VOLATILE}
    return kept | {"unmanaged": [_without_status(record) for record in _list(plan, "unmanaged")]}


def _without_status(record: Any) -> Any:
    return {**record, "status": ""} if isinstance(record, dict) else record


def _list(plan: Mapping[str, Any], name: str) -> list[Any]:
    found = plan.get(name)
    return found if isinstance(found, list) else []


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

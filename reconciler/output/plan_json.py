"""A plan for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from reconciler.core.policy import QUOTA
from reconciler.output.neutral import for_json
from reconciler.planning.iam_names import TakenName
from reconciler.planning.plan import Line, Origin, Plan, Revoked, Unmanaged
from reconciler.planning.renames import Rename


def to_json(plan: Plan) -> str:
    return for_json(to_dict(plan))


def to_dict(plan: Plan) -> dict[str, Any]:
    """Plain data for JSON; `from_dict` reads it back."""
    return {
        "format": 1,
        "environment": plan.environment,
        "records": plan.records,
        "declared": plan.declared,
        "origin": asdict(plan.origin),
        "settings": list(plan.settings),
        "changes": [
            {
                "action": change.action,
                "name": change.name,
                "details": list(change.details),
                "example": change.example or None,
                "manifest": change.manifest or None,
                "line": change.line or None,
                "policy": {"size": change.policy_size, "quota": QUOTA} if change.policy_size else None,
            }
            for change in plan.lines
        ],
        "unchanged": list(plan.unchanged),
        "deleting": list(plan.deleting),
        "unmanaged": [asdict(record) for record in plan.unmanaged],
        "revoked": [asdict(user) for user in plan.revoked],
        "renames": [asdict(rename) for rename in plan.renames],
        "taken": [asdict(one) for one in plan.taken],
        "iam_checked": plan.iam_checked,
        "expected_seconds": plan.expected_seconds or None,
        "warnings": [{"reason": reason, "hint": hint} for reason, hint in plan.warnings],
        "refusals": [{"reason": reason, "hint": hint} for reason, hint in plan.refusals],
    }


def from_dict(data: dict[str, Any]) -> Plan:
    return Plan(
        environment=data["environment"],
        records=data["records"],
        declared=data["declared"],
        lines=tuple(
            Line(
                change["action"],
                change["name"],
                tuple(change["details"]),
                change["manifest"] or "",
                change["line"] or 0,
                change["policy"]["size"] if change["policy"] else 0,
                change["example"] or "",
            )
            for change in data["changes"]
        ),
        unchanged=tuple(data["unchanged"]),
        deleting=tuple(data["deleting"]),
        unmanaged=tuple(_unmanaged(record) for record in data["unmanaged"]),
        revoked=tuple(Revoked(**user) for user in data["revoked"]),
        refusals=tuple((refusal["reason"], refusal["hint"]) for refusal in data["refusals"]),
        origin=Origin(**data["origin"]),
        settings=tuple(data["settings"]),
        warnings=tuple((warning["reason"], warning["hint"]) for warning in data["warnings"]),
        renames=tuple(Rename(**rename) for rename in data["renames"]),
        taken=tuple(TakenName(**one) for one in data["taken"]),
        iam_checked=data["iam_checked"],
        expected_seconds=data["expected_seconds"] or 0,
    )


def _unmanaged(record: dict[str, Any]) -> Unmanaged:
    fields: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    return Unmanaged(**fields)

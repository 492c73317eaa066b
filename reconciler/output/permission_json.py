"""A permission diff for programs; schema/permission-diff.schema.json describes it."""

from __future__ import annotations

from typing import Any

from reconciler.output.neutral import for_json
from reconciler.planning.evaluation import SendAttempt
from reconciler.planning.permission_diff import EnvironmentDiff, PermissionDiff, UserChange


def to_json(diff: PermissionDiff) -> str:
    return for_json(to_dict(diff))


def to_dict(diff: PermissionDiff) -> dict[str, Any]:
    return {
        "format": 1,
        "base": {"name": diff.base, "commit": diff.base_commit or None},
        "head": {"name": diff.head, "commit": diff.head_commit or None},
        "total": {"gains": diff.gains, "loses": diff.loses, "keeps": diff.keeps, "loosened_settings": diff.loosened},
        "environments": [_environment(each) for each in diff.environments],
        "warnings": [{"reason": reason, "hint": hint} for reason, hint in diff.warnings],
    }


def _environment(diff: EnvironmentDiff) -> dict[str, Any]:
    return {
        "name": diff.name,
        "kind": diff.kind.value,
        "settings": [{"name": each.name, "text": each.text, "widens": each.widens} for each in diff.settings],
        "users": [_user(user) for user in diff.users],
        "unchanged": diff.unchanged,
    }


def _user(user: UserChange) -> dict[str, Any]:
    return {
        "name": user.name,
        "kind": user.kind.value,
        "old_name": user.old_name or None,
        "widens": user.change.widens,
        "gains": list(user.change.gains),
        "loses": list(user.change.loses),
        "notes": list(user.notes),
        "example": _example(user.change.example, user.change.attempt) if user.change.attempt else None,
        "others": [{"name": other.name, "address": other.pattern} for other in user.others],
        "more_others": user.more_others,
        "declared_at": user.source,
    }


def _example(text: str, attempt: SendAttempt) -> dict[str, str]:
    return {
        "text": f"now {text}",
        "from_address": attempt.from_address,
        "source_ip": attempt.source_ip,
        "at": attempt.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

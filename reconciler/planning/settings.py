"""The difference between the settings of the last apply and those of now. Settings affect every grant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def compare_settings(applied: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, ...]:
    """One text per setting that differs. A setting that the last apply did not store is not compared."""
    before, after = dict(_flat(applied)), dict(_flat(settings))
    return tuple(
        f"{name}: {describe_setting(before[name], after[name])}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`limits: {max_deletes: 2}` is `limits.max_deletes`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def describe_setting(before: Any, after: Any) -> str:
    """Both are lists, or neither."""
    if isinstance(before, list) and isinstance(after, list):
        added = [f"+ {value}" for value in after if value not in before]
        removed = [f"- {value}" for value in before if value not in after]
        return ", ".join(added + removed) or f"now in the order {', '.join(map(str, after))}"
    return f"{_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

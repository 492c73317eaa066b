"""A user as the lines of a manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from reconciler.manifests.yaml_versions import read_scalar

# What needs no quotes, also in brackets; `read_scalar` knows the words that do. A comma or ': ' is in neither.
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._%+@/()-]*[A-Za-z0-9._%+@/()-])?")


def entry_lines(fields: Mapping[str, Any], width: int) -> list[str]:
    """The lines of a list entry. `width`: of '-' and the spaces after it."""
    lines = [f"{name}: {_value(value)}" for name, value in fields.items()]
    return [f"{'-':<{width}}{lines[0]}", *(" " * width + line for line in lines[1:])]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_value(part)}' for name, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    """A date needs no quotes: it is text in both versions of YAML, as the manifests are read."""
    if _PLAIN.fullmatch(value) and read_scalar(yaml.ScalarNode("", value)) == (value, None):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

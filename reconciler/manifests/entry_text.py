"""One user's entry in the text of a manifest: its declaration, its lines, and whether another text has it unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from reconciler.core.address import Rules, check_address
from reconciler.core.user import User, check_date, check_lists, check_rotation, make_user
from reconciler.manifests.yaml_source import Source, read_source


@dataclass(frozen=True, slots=True)
class Entry:
    """`fields`: as they are written. `first` and `end`: its lines, counted from 0, `end` excluded.

    `column`: of its dash; -1 where the list is not written with one line per dash.
    """

    name: str
    fields: dict[str, Any]
    first: int
    end: int
    column: int

    @property
    def user(self) -> User | None:
        """None if the entry is not valid."""
        return _user(self.fields)


@dataclass(frozen=True, slots=True)
class Text:
    """A text as `manifests.files.Contents`: there is one file, whatever its name."""

    raw: bytes

    def read(self, _path: Path) -> tuple[bytes, int]:
        return self.raw, len(self.raw)


def read_entries(raw: bytes) -> dict[str, Entry] | None:
    """The entries of a text by name; of two with one name, the first. None: it is not valid YAML.

    Today's domains and limits do not apply: what was declared under other settings was a permission, too.
    """
    source = read_source(Path(), "", Text(raw))
    if source.problems:
        return None
    users = source.data.get("users") if isinstance(source.data, dict) else None
    if not isinstance(users, list):
        return {}
    nodes = _sequence(source)
    starts = [source.line(("users", index)) - 1 for index in range(len(users))]
    ends = [*starts[1:], raw.count(b"\n") + 1]
    column = -1 if nodes.flow_style or len(set(starts)) < len(starts) else nodes.start_mark.column
    found: dict[str, Entry] = {}
    for entry, first, end in zip(users, starts, ends, strict=True):
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
            found.setdefault(name, Entry(name, entry, first, end, column))
    return found


def _sequence(source: Source) -> yaml.SequenceNode:
    assert isinstance(source.root, yaml.MappingNode)  # noqa: S101 - or there would be no users
    nodes: dict[str, yaml.SequenceNode] = {key.value: value for key, value in source.root.value}
    return nodes["users"]


def _user(entry: dict[str, Any]) -> User | None:
    """None for an entry that no version of the schema permits."""
    addresses, networks = entry.get("allowed_from_addresses"), entry.get("allowed_source_ips", [])
    expires, rotation, enabled = entry.get("expires"), entry.get("rotation"), entry.get("enabled", True)
    if not _is_texts(addresses) or not addresses or not _is_texts(networks) or not isinstance(enabled, bool):
        return None
    rules = Rules(frozenset(address.rpartition("@")[2].lower() for address in addresses), allow_wildcards=True)
    if check_lists(addresses, networks, rules) or any(check_address(address, rules) for address in addresses):
        return None
    if expires is not None and (not isinstance(expires, str) or check_date(expires)):
        return None
    texts = {field: text if isinstance(text := entry.get(field), str) else "" for field in ("description", "owner")}
    credential = entry.get("credential", 1)
    return make_user(
        {
            **entry,
            **texts,
            "credential": credential if type(credential) is int else 1,
            "rotation": rotation if _is_rotation(rotation) else None,
        }
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_rotation(value: Any) -> bool:
    if not isinstance(value, dict) or type(value.get("every_days")) is not int:
        return False
    overlap = value.get("overlap_days", 1)
    return type(overlap) is int and not check_rotation(value["every_days"], overlap)


# A line whose meaning does not reach beyond it: no quote or bracket of it is open at its end.
_CLOSED = r"(?:[^\"'\[\]{}]|\"[^\"\\]*\"|\[[^\"'\[\]{}]*\])*"


def find_unchanged(entry: Entry, text: Sequence[str], other: Sequence[str]) -> Entry | None:
    """The entry of `text` as it is in `other`, if it is certainly the same there; None means: parse it.

    Both are lists of lines. The lines that differ must be other entries of the same list, or comments: lines with more
    indentation than its dashes, or with its dash, and nothing that is still open at the end of a line. None of them
    mentions the name: of two entries with one name, the first counts.
    """
    if entry.column < 0:
        return None
    before = _common(text, other)
    behind = min(_common(text[::-1], other[::-1]), len(text) - before, len(other) - before)
    if entry.end < before:
        shift = 0
    elif entry.first >= len(text) - behind:
        shift = len(other) - len(text)
    else:
        return None
    indent = " " * entry.column
    harmless = re.compile(rf"\s*(?:#.*)?|{indent}(?:- | +){_CLOSED}")
    changed = (*text[before : len(text) - behind], *other[before : len(other) - behind])
    named = re.compile(rf"(?<![\w-]){re.escape(entry.name)}(?![\w-])")
    if not all(map(harmless.fullmatch, changed)) or any(map(named.search, changed)):
        return None
    return replace(entry, first=entry.first + shift, end=entry.end + shift)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both have in common at the beginning. Slices are compared, which is fast for long texts."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least

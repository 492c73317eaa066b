"""The line of one value of an entry: looked up when it is needed, so that nothing is kept for every user."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.address import normalize_address, normalize_network
from reconciler.core.user import Declaration
from reconciler.manifests.yaml_source import Place, read_source

_NORMALIZE = {"allowed_from_addresses": normalize_address, "allowed_source_ips": normalize_network}


def find_lines(declaration: Declaration, wanted: list[tuple[str, str]]) -> list[int]:
    """The line of each field, or of the value in its list; that of the entry where the file does not have it."""
    source = read_source(Path(declaration.manifest), declaration.manifest)
    users = source.data.get("users") if isinstance(source.data, dict) and not source.problems else None
    for index, entry in enumerate(users if isinstance(users, list) else []):
        place: Place = ("users", index)
        if isinstance(entry, dict) and entry.get("name") == declaration.user.name:
            return [source.line((*place, *_within(entry, field, value))) for field, value in wanted]
    return [declaration.line] * len(wanted)


def _within(entry: dict[str, object], field: str, value: str) -> Place:
    values = entry.get(field)
    if not isinstance(values, list) or not value:
        return (field,)
    normalize = _NORMALIZE[field]
    return next(((field, n) for n, each in enumerate(values) if normalize(each) == value), (field,))

"""The part of the query language of CloudWatch Logs Insights that the saved queries over mail events use.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. Anything else raises an exception.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Row = dict[str, str]

DISCOVERED = 200  # fields of a JSON event that are read, in the order of its text
STAGE = re.compile(r"""(?:[^|"`/]|"(?:\\.|[^"\\])*"|`[^`]*`|/(?:\\.|[^/\\])*/)+""")
EXPRESSION = re.compile(r"(?P<what>coalesce\([^)]*\)|`[^`]+`|[\w@.]+)(?:\s+as\s+(?P<alias>\w+))?$")


def run_query(query: str, messages: Iterable[str]) -> list[Row]:
    """The rows of the result. Values are text; a field without a value is not in its row."""
    shown: list[str] = []
    rows = [{"@message": message, **_discover(message)} for message in messages]
    for stage in (found.strip() for found in STAGE.findall(query)):
        command, _, rest = stage.partition(" ")
        rows = COMMANDS[command](rest.strip(), rows, shown)
    return [{name: row[name] for name in shown if name in row} for row in rows]


def _discover(message: str) -> Row:
    leaves = _leaves(json.loads(message), "")
    return dict(field for field, _ in zip(leaves, range(DISCOVERED), strict=False))


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _fields(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    for part in re.split(r",\s*(?![^(]*\))", rest):
        found = EXPRESSION.match(part)
        assert found, part
        what, names = found["what"], [found["what"].strip("`")]
        if what.startswith("coalesce("):
            names = re.split(r",\s*", what.removeprefix("coalesce(").removesuffix(")"))
        alias = found["alias"] or names[0]
        rows = [{**row, alias: row[first]} if (first := _first(names, row)) else row for row in rows]
        shown.append(alias)
    return rows


def _first(names: list[str], row: Row) -> str | None:
    return next((name for name in names if name in row), None)


def _parse(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    field, _, pattern = rest.partition(" ")
    assert pattern[0] == pattern[-1] == "/", pattern
    expression = re.compile(pattern[1:-1].replace("(?<", "(?P<"))
    shown.extend(expression.groupindex)
    return [{**row, **found.groupdict()} if (found := expression.search(row.get(field, ""))) else row for row in rows]


def _filter(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    found = re.fullmatch(r'(\w+) = "([^"]*)"', rest)
    assert found, rest
    return [row for row in rows if row.get(found[1]) == found[2]]


def _stats(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    found = re.fullmatch(r"count\(\*\) as (\w+) by ([\w, ]+)", rest)
    assert found, rest
    alias, by = found[1], re.split(r",\s*", found[2])
    groups = Counter(tuple((name, row[name]) for name in by if name in row) for row in rows)
    shown[:] = [*by, alias]
    return [{**dict(group), alias: str(count)} for group, count in groups.items()]


def _sort(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    field, direction = rest.split()
    return sorted(
        rows, key=lambda row: int(row[field]) if row.get(field, "").isdigit() else -1, reverse=direction == "desc"
    )


def _limit(rest: str, rows: list[Row], shown: list[str]) -> list[Row]:
    return rows[: int(rest)]


COMMANDS: dict[str, Callable[[str, list[Row], list[str]], list[Row]]] = {
    "fields": _fields,
    "parse": _parse,
    "filter": _filter,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
}

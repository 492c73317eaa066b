"""The access review for spreadsheets. No cell of it is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from reconciler.output.neutral import for_page

# A cell that begins so is computed, also after spaces and quotes, which programs drop, and after a separator, where a
# program that splits at another character than the comma begins a cell. The wide forms count in some languages.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""(^|[;|])(?=[ "'`]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")
COLUMNS = (
    "name", "description", "owner", "state", "addresses", "networks", "expires", "commit", "pull_request", "approver",
    "manifest", "key_ids", "key_created_at", "last_use", "last_used_at", "findings",
)  # fmt: skip


def neutral_cell(text: str) -> str:
    """A quote at the beginning makes a spreadsheet show the rest as text. Tabs and line breaks are spelled out."""
    return _FORMULA.sub(r"\1'", for_page(text))


def to_csv(users: Iterable[dict[str, Any]]) -> str:
    """`users`: those of the JSON document."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(COLUMNS)
    for user in users:
        writer.writerow([neutral_cell(cell) for cell in _cells(user)])
    return text.getvalue()


def _cells(user: dict[str, Any]) -> Iterable[str]:
    source = user["source"]
    where = f"{source['manifest']}:{source['line']}" if source["line"] else source["manifest"] or ""
    given = {
        **user,
        **source,
        "addresses": " ".join(user["addresses"]),
        "networks": " ".join(user["networks"]),
        "manifest": where,
        "key_ids": " ".join(key["id"] for key in user["keys"]),
        "findings": " / ".join(f"{each['kind']}: {each['description']}" for each in user["findings"]),
    }
    return (given[column] or "" for column in COLUMNS)

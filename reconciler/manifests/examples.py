"""Example values in `reconcile.yaml`. Some belong to strangers: an environment that contains one is not deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.errors import Problem
from reconciler.manifests.yaml_source import Place, Source

# Of AWS's documentation, and one digit twelve times.
_ACCOUNT = re.compile(r"(?<!\d)(111122223333|444455556666|777788889999|123456789012|012345678901|(\d)\2{11})(?!\d)")
# https://www.rfc-editor.org/rfc/rfc2606
_DOMAIN = re.compile(r"(?<![a-z0-9-])(example\.(com|net|org|edu)|[a-z0-9-]+\.(example|invalid))(?![a-z0-9.-])", re.I)
_OWNER = re.compile(r"^repo:(example(-[\w-]*)?|org|owner|octo-org|octocat|my-?org|your-?org|company)(@[^/]*)?/", re.I)
# Only a whole part of an ARN or of an address is one: `ORG-MailAdmins` may be the name of a role.
_PLACEHOLDER = re.compile(r"<[^<>]*>|(?<![^:/@])(ACCOUNT(_ID)?|REGION|CHANGE_?ME|REPLACE_?ME|TODO|XXX+)(?![^:/@])")
FREE = frozenset({"tags", "iam_user_tags"})  # any text may be a tag


def find_examples(source: Source, place: Place, value: Any) -> Iterator[Problem]:
    """A problem for each value below `place`, also in keys of mappings, that contains an example."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in FREE:
                continue
            if example := find_example(str(key)):
                yield _problem(source, (*place, key), place[-1], example, at_key=True)
            yield from find_examples(source, (*place, key), part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from find_examples(source, (*place, index), part)
    elif isinstance(value, str) and (example := find_example(value)):
        yield _problem(source, place, next(name for name in reversed(place) if isinstance(name, str)), example)


def _problem(source: Source, place: Place, field: str | int, example: str, *, at_key: bool = False) -> Problem:
    message = f"'{field}' contains the example value {example}"
    return source.problem(place, message, "set your own, or remove the field if it is optional", at_key=at_key)


def find_example(text: str) -> str:
    """The part of a text that is an example, or ''."""
    found = _ACCOUNT.search(text) or _DOMAIN.search(text) or _PLACEHOLDER.search(text)
    if found:
        return found[0]
    return text if _OWNER.match(text) else ""

"""Where a grant comes from: a commit, its pull request, who approved it, and the CI run. Also as tags of the IAM user.

Records may be created manually, and a pull request can influence the variables of CI: what is not shaped as expected
becomes no tag. IAM accepts letters, digits, white space and `_.:/=+-@` in the value of a tag:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.core.record import Record

LONGEST = 255  # characters of a value
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?(-dirty)?")
# A subset of what IAM accepts, so that a URL is stored as it is: no user, query, fragment or escape.
URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_.+=-]+)+")
LOGINS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*( [A-Za-z0-9][A-Za-z0-9_.-]*)*")

# The attribute of a record, its tag, and the shape of its value.
SHAPES = {"commit": COMMIT, "pull_request": URL, "approver": LOGINS, "run": URL}
TAGS = {attribute: f"smtp-{attribute.replace('_', '-')}" for attribute in SHAPES}


def is_valid(attribute: str, value: str) -> bool:
    return len(value) <= LONGEST and SHAPES[attribute].fullmatch(value) is not None


def provenance_tags(record: Record) -> dict[str, str]:
    """What is known of the record's last declaration, by the key of the tag."""
    values = {attribute: getattr(record, attribute) for attribute in SHAPES}
    return {TAGS[attribute]: value for attribute, value in values.items() if is_valid(attribute, value)}


def select_provenance(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of an IAM user's tags that `provenance_tags` makes."""
    return {key: tags[key] for key in TAGS.values() if tags.get(key)}


def changed_tags(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The tags to write. One that is not known any more is emptied: no role may remove a tag."""
    return {key: wanted.get(key, "") for key in TAGS.values() if found.get(key, "") != wanted.get(key, "")}


def describe_origin(tags: Mapping[str, str]) -> str:
    """The clause of a sentence; empty if nothing is known."""
    known = tags.get(TAGS["pull_request"]) or tags.get(TAGS["commit"])
    return f"; its policy came from {known}" if known else ""

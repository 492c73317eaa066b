"""The digests of reports: each covers its own content and the digest of the report before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Link:
    """One report of a series. `previous`: the digest of the report that it continues, or ''."""

    file: str
    environment: str
    at: str
    digest: str
    previous: str


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal digits, of the content without its digest: as JSON, with sorted keys and no spaces."""
    kept = {key: value for key, value in content.items() if key != "digest"}
    return digest_of_bytes(_CANONICAL.encode(kept).encode())


def digest_of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def in_order(links: Sequence[Link]) -> list[Link]:
    """By time. Of two reports of the same second, one that continues the other comes later."""
    by_digest = {link.digest: link for link in links}

    def depth(link: Link) -> int:
        before = by_digest.get(link.previous)
        return depth(before) + 1 if before and before.at == link.at else 0

    return sorted(links, key=lambda link: (link.environment, link.at, depth(link), link.file))


def breaks(links: Sequence[Link]) -> Iterator[str]:
    """Where a series is broken: `links` in order. Each report must continue the one before it."""
    for before, link in pairwise(links):
        if link.environment != before.environment:
            yield f"{link.file}: is about {link.environment}, {before.file} about {before.environment}"
        elif link.previous != before.digest:
            continued = f"continues the report {link.previous}" if link.previous else "continues no report"
            yield f"{link.file}: {continued}, but {before.file} has the digest {before.digest}"

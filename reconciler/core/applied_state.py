"""What was applied last in an environment. It outlives the records and grants nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DIRTY = "-dirty"  # the end of a commit whose checkout contained uncommitted changes


@dataclass(frozen=True, slots=True)
class RevokedUser:
    """A revocation, and what would show that the user comes back under another name."""

    actor: str
    reason: str
    at: str
    owner: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedState:
    """`commit`: empty outside of a Git checkout. `revoked`: users that are, or were until they were deleted.

    `version`: as it was read; the next write is conditional on it. `exists` and `valid` describe what was read.
    """

    commit: str = ""
    actor: str = ""
    ci_actor: str = ""
    run: str = ""
    correlation_id: str = ""
    applied_at: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    revoked: Mapping[str, RevokedUser] = field(default_factory=dict)
    version: Any = None
    exists: bool = True
    valid: bool = True


NOTHING_APPLIED = AppliedState(exists=False)

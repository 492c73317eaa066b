"""A clock that a test advances: a file contains the offset in seconds for the functions of a sandbox."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import botocore.handlers

import aws_rules

ADAPTERS = "reconciler.manager.handlers.adapters"


class MovedDatetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        offset = Path(aws_rules.notes["clock"]).read_text(encoding="utf-8")
        return datetime.now(tz) + timedelta(seconds=float(offset or 0))


def install() -> None:
    """If `notes.json` names a clock, the adapters of a function get this one before its first AWS call."""
    if "clock" in aws_rules.notes:
        botocore.handlers.BUILTIN_HANDLERS.append(("provide-client-params", _move))


def _move(**_: Any) -> None:
    if adapters := sys.modules.get(ADAPTERS):
        adapters.datetime = MovedDatetime  # type: ignore[attr-defined]

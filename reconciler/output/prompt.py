"""Questions to a person at a terminal. In CI, and without a terminal, nothing is asked."""

from __future__ import annotations

import os
import sys

import click

from reconciler.errors import ReconcileError


def in_ci() -> bool:
    """`CI=false` and `CI=0` do not count: some tools set them outside CI."""
    return os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")


def can_ask() -> bool:
    """Standard input is a terminal. Standard output need not be one, as in `reconcile apply | tee`."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty() and not in_ci()


def confirm(question: str) -> None:
    """Raises ReconcileError unless a person says yes. Asks nothing where nobody can answer."""
    if can_ask() and not click.confirm(question, err=True):
        raise ReconcileError("not confirmed; nothing was changed")

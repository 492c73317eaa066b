"""Questions to a person at a terminal. In CI, and without a terminal, nothing is asked."""

from __future__ import annotations

import sys

import click

from reconciler.errors import ReconcileError
from reconciler.output.neutral import for_log
from reconciler.output.terminal import in_ci


def can_ask() -> bool:
    """Standard input is a terminal. Standard output need not be one, as in `reconcile apply | tee`."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty() and not in_ci()


def confirm(question: str) -> None:
    """Raises ReconcileError unless the person confirms. Does not ask if no one can answer."""
    if can_ask() and not click.confirm(for_log(question), err=True):
        raise ReconcileError("not confirmed; nothing was changed")

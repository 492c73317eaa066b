"""The part of a command that changes records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import Incomplete, ReconcileError


@contextmanager
def writing(changes: bool = True) -> Iterator[None]:
    """Once records may have changed, an error must not mean that nothing was changed: it becomes Incomplete."""
    try:
        yield
    except Incomplete:
        raise
    except ReconcileError as error:
        if not changes:
            raise
        raise Incomplete(error.message, error.hint) from error
    except Exception as error:
        if not changes:
            raise
        raise Incomplete(_describe(error), "run the command again; records may have changed") from error


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"internal error: {type(error).__name__}"

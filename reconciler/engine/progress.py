"""Wait for changed users and show how each of them ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping

import click

from reconciler.engine.wait import UserResult, wait_for_users
from reconciler.errors import AwsError
from reconciler.output.terminal import STATUS_COLORS, say, shows_progress
from reconciler.planning.duration import describe_progress
from reconciler.ports import RecordWriter

PROGRESS_EVERY = 30.0  # seconds between two lines of progress, where there is no progress bar


def show_progress(
    records: RecordWriter, revisions: Mapping[str, int], deleting: Collection[str], timeout: float, environment: str
) -> bool:
    """Wait until each user has a final status. Returns whether all of them succeeded.

    `revisions`: the requested revision by name. `deleting`: users whose record must disappear. `timeout`: seconds
    in which no user reaches one; then the wait ends.
    """
    try:
        results = _show_each(wait_for_users(records, revisions, deleting, timeout), len(revisions))
    except AwsError as error:
        say(f"  ! written, but the result is unknown: {error}", err=True, fg="red")
        return False
    failed = sum(not result.succeeded for result in results)
    problems = f", {failed} failed or timed out; see `reconcile status --env {environment}`" if failed else ""
    say(f"{len(results) - failed} succeeded{problems}")
    return not failed


def _show_each(batches: Iterator[list[UserResult]], count: int) -> list[UserResult]:
    """A progress bar on a terminal, otherwise lines of progress; and a line for each user."""
    if not shows_progress():
        return show_lines(batches, count)
    shown: list[UserResult] = []
    with click.progressbar(length=count, label="waiting for users", file=sys.stderr) as bar:
        for batch in batches:
            shown += batch
            bar.update(len(batch))
    for result in shown:
        _show(result)
    return shown


def show_lines(
    batches: Iterator[list[UserResult]], count: int, clock: Callable[[], float] = time.monotonic
) -> list[UserResult]:
    """Users as they settle, and every half minute how many have and how long the others will take."""
    shown: list[UserResult] = []
    started = reported = clock()
    for batch in batches:
        shown += batch
        for result in batch:
            _show(result)
        now = clock()
        if now - reported >= PROGRESS_EVERY and len(shown) < count:
            reported = now
            say(f"  {describe_progress(len(shown), count, now - started)}", err=True)
    return shown


def _show(result: UserResult) -> None:
    reason = f"  {result.reason}" if result.reason else ""
    say(f"  {result.name}: {result.status}{reason}", fg=STATUS_COLORS.get(result.status))

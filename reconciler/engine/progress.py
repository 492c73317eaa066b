"""Wait for changed users and show how each of them ends."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping

import click

from reconciler.engine.wait import UserResult, wait_for_users
from reconciler.errors import AwsError
from reconciler.output.terminal import STATUS_COLORS, say, shows_progress
from reconciler.ports import RecordWriter


def show_progress(
    records: RecordWriter, revisions: Mapping[str, int], deleting: Collection[str], timeout: float, environment: str
) -> bool:
    """Wait until each user has a final status. Returns whether all of them succeeded.

    `revisions`: the requested revision by name. `deleting`: users whose record must disappear. `timeout`: seconds.
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


def _show_each(results: Iterator[UserResult], count: int) -> list[UserResult]:
    """A progress bar on a terminal, and a line for each user."""
    shown: list[UserResult] = []
    if shows_progress():
        with click.progressbar(results, length=count, label="waiting for users", file=sys.stderr) as bar:
            shown.extend(bar)
        for result in shown:
            _show(result)
        return shown
    for result in results:
        shown.append(result)
        _show(result)
    return shown


def _show(result: UserResult) -> None:
    reason = f"  {result.reason}" if result.reason else ""
    say(f"  {result.name}: {result.status}{reason}", fg=STATUS_COLORS.get(result.status))

"""Show how users settle that something was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import click

from reconciler.engine.wait import Settled, wait_until_settled
from reconciler.errors import AwsError
from reconciler.output.terminal import STATUS_COLORS, is_interactive, say, say_line
from reconciler.ports import RecordWriter


def follow(requests: RecordWriter, revisions: Mapping[str, int], leaving: Collection[str], timeout: float) -> bool:
    """Follow the users until each has settled well. What was written stays, also when it cannot be followed.

    `revisions`: what was asked for, by name. `leaving`: those that shall go. `timeout` in seconds.
    """
    try:
        outcome = _show_each(wait_until_settled(requests, revisions, leaving, timeout), len(revisions))
    except AwsError as error:
        say_line(f"  ! written, but not followed to the end: {error}", err=True, fg="red")
        return False
    bad = sum(not settled.is_good for settled in outcome)
    say(f"{len(outcome) - bad} settled" + (f", {bad} not: see reconcile status" if bad else ""))
    return not bad


def _show_each(following: Iterator[Settled], count: int) -> list[Settled]:
    """A bar on a terminal, a line for each user elsewhere."""
    outcome: list[Settled] = []
    if is_interactive():
        with click.progressbar(following, length=count, label="credentials") as bar:
            outcome.extend(bar)
        for settled in outcome:
            _show_settled(settled)
        return outcome
    for settled in following:
        outcome.append(settled)
        _show_settled(settled)
    return outcome


def _show_settled(settled: Settled) -> None:
    reason = f"  {settled.reason}" if settled.reason else ""
    say_line(f"  {settled.name}: {settled.result}{reason}", fg=STATUS_COLORS.get(settled.result))

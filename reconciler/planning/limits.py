"""The rails of an apply: reasons to stop before the first write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.record import Record
from reconciler.core.text import count
from reconciler.planning.diff import Delete, Diff

Refusal = tuple[str, str]  # what is refused, and how it would be allowed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may delete unasked: a count, and a share of all users. Both must hold."""

    max_deletes: int
    max_delete_percent: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the person who runs it allows beyond the limits."""

    deletes: int = 0
    empty: bool = False


def check_target(wanted: tuple[str, str], found: tuple[str, str], environment: str) -> list[Refusal]:
    """`wanted` and `found`: (account id, region)."""
    refusals = []
    for what, want, have in zip(("account", "region"), wanted, found, strict=True):
        if want != have:
            refusals.append(
                (
                    f"the AWS {what} is {have}, but {environment} lives in {want}",
                    f"use credentials of the {what} that reconcile.yaml names, or correct it there",
                )
            )
    return refusals


def check_checkout(newer: Sequence[str]) -> list[Refusal]:
    """`newer`: commits that were applied already and that the checkout at hand is older than."""
    if not newer:
        return []
    return [
        (
            f"this checkout is older than what was applied last (commit {newer[0][:12]}): it would undo that",
            "update the checkout and run again; to go back, revert with a new commit",
        )
    ]


def check_deletes(changes: Diff, declared: int, managed: int, limits: Limits, allowance: Allowance) -> list[Refusal]:
    """`declared` users in manifests, `managed` rows that are ours."""
    deletes = sum(isinstance(change, Delete) and not change.reasons for change in changes.changes)
    if deletes == 0:
        return []
    if declared == 0 and not allowance.empty:
        there = f"there {'is' if managed == 1 else 'are'} {count(managed, 'user')}"
        return [
            (
                f"nothing is declared, but {there}: this would delete every one",
                "restore the manifests; to really remove all users add --allow-empty and --allow-deletes",
            )
        ]
    if deletes <= allowance.deletes:
        return []
    over = []
    percent = 100 * deletes / managed
    if deletes > limits.max_deletes:
        over.append(f"over the limit of {limits.max_deletes}")
    if percent > limits.max_delete_percent:
        over.append(f"over {limits.max_delete_percent} %")
    if not over:
        return []
    return [
        (
            f"too many deletes: {deletes} of {managed} users ({round(percent, 2):g} %) is {' and '.join(over)}",
            f"if this is meant, run again with --allow-deletes {deletes}",
        )
    ]


def count_managed(records: list[Record], mark: str) -> int:
    return sum(record.managed_by == mark for record in records)

"""Safety checks before an apply: reasons to refuse it before the first write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.record import Record
from reconciler.planning.diff import Create, Delete, Diff

Refusal = tuple[str, str]  # what was refused, and how to allow it


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may do without explicit permission.

    Deletes: a number of users and a share of all users; both apply, but one delete is always within the share. IAM
    allows 5,000 users in an account: creates have a limit, too.
    """

    max_deletes: int
    max_delete_percent: int
    max_creates: int = 50


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the operator explicitly allows beyond the limits. `history`: one that is diverged or unknown."""

    deletes: int = 0
    empty: bool = False
    history: bool = False
    creates: int = 0


def check_target(wanted: tuple[str, str], found: tuple[str, str], environment: str) -> list[Refusal]:
    """`wanted` and `found`: (account id, region)."""
    refusals = []
    if wanted[0] != found[0]:
        configured = f"environment {environment} is configured for account {wanted[0]}"
        reason = f"credentials are for account {found[0]}; {configured}"
        refusals.append((reason, "set AWS_PROFILE to a profile of that account, or correct reconcile.yaml"))
    if wanted[1] != found[1]:
        reason = f"the AWS region is {found[1]}; environment {environment} is configured for region {wanted[1]}"
        refusals.append((reason, "set AWS_REGION to that region, or correct reconcile.yaml"))
    return refusals


def check_deletes(changes: Diff, declared: int, managed: int, limits: Limits, allowance: Allowance) -> list[Refusal]:
    """`declared`: number of users in manifests. `managed`: number of managed records."""
    deletes = sum(isinstance(change, Delete) and not change.reasons for change in changes.changes)
    if deletes == 0:
        return []
    if declared == 0 and not allowance.empty:
        everyone = "the only user" if managed == 1 else f"all {managed} users"
        return [
            (
                f"no users are declared; this would delete {everyone}",
                f"restore the manifests; to delete all users, add --allow-empty --allow-deletes {deletes}",
            )
        ]
    if deletes <= allowance.deletes:
        return []
    over = []
    percent = 100 * deletes / managed
    if deletes > limits.max_deletes:
        over.append(f"over the limit of {limits.max_deletes}")
    if percent > limits.max_delete_percent and (deletes > 1 or declared == 0):
        over.append(f"over {limits.max_delete_percent} %")
    if not over:
        return []
    return [
        (
            f"too many deletes: {deletes} of {managed} users ({round(percent, 2):g} %) is {' and '.join(over)}",
            f"if this is intended, run again with --allow-deletes {deletes}",
        )
    ]


def check_creates(changes: Diff, limits: Limits, allowance: Allowance) -> list[Refusal]:
    creates = sum(isinstance(change, Create) for change in changes.changes)
    if creates <= max(limits.max_creates, allowance.creates):
        return []
    return [
        (
            f"too many creates: {creates} is over the limit of {limits.max_creates}",
            f"if this is intended, run again with --allow-creates {creates}",
        )
    ]


def count_managed(records: Sequence[Record], mark: str) -> int:
    return sum(record.managed_by == mark for record in records)

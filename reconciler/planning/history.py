"""Is a run older than what was applied last? Judged by Git's history; what is unknown is never accepted silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.applied_state import DIRTY, AppliedState
from reconciler.core.record import Record
from reconciler.planning.limits import Refusal

ACCEPT = "if this run is intended, add --accept-history"


class Relation(StrEnum):
    """How the checkout relates to a commit that was applied."""

    SAME = "same"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`commit`: that was applied. `cause` and `fix`: why the relation is unknown, and what would make it known."""

    relation: Relation
    commit: str = ""
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the manifests come from. `head`: the checkout's commit, empty if Git did not name one.

    `cause` and `fix`: why the history of this checkout is not known, and what would make it known.
    """

    head: str = ""
    dirty: bool = False
    cause: str = ""
    fix: str = ""

    @property
    def commit(self) -> str:
        """As it is recorded."""
        return f"{self.head}{DIRTY}" if self.head and self.dirty else self.head


@dataclass(frozen=True, slots=True)
class Verdict:
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Refusal, ...] = ()


def applied_commits(state: AppliedState, records: Iterable[Record], mark: str) -> list[str]:
    """What the checkout has to be compared with, without `-dirty`; empty for a first apply.

    A table from before the state existed is judged by the commits of its records.
    """
    commits = [state.commit] if state.exists else [record.commit for record in records if record.managed_by == mark]
    return sorted({commit.removesuffix(DIRTY) for commit in commits})


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """The one that weighs most. Without any, nothing was applied that a run could undo."""
    weights = (Relation.SAME, Relation.AHEAD, Relation.DIVERGED, Relation.UNKNOWN, Relation.BEHIND)
    return max(comparisons, key=lambda found: weights.index(found.relation), default=Comparison(Relation.AHEAD))


def check_history(source: Source, state: AppliedState, found: Comparison, *, strict: bool, accepted: bool) -> Verdict:
    """`strict`: in CI, where no one would read a warning. `accepted`: an unknown history may be applied.

    A commit that is older than the applied one is always refused: a rollback is a new commit.
    """
    refusals: list[Refusal] = []
    warnings: list[Refusal] = []
    if strict and source.dirty:
        reason = f"the checkout contains changes that are not in commit {source.head[:12]}"
        refusals.append((reason, "commit them; a step of the workflow may have changed tracked files"))
    if found.relation is Relation.BEHIND:
        refusals.append(_older(found, state))
    elif doubt := _doubt(found, state):
        reason, fix = doubt
        if strict and not accepted:
            refusals.append((reason, f"{fix}; {ACCEPT}"))
        else:
            warnings.append(doubt)
    elif state.commit.endswith(DIRTY) and not source.dirty:
        reason = f"the last apply, by {state.actor or 'an unknown actor'}, contained changes that were not committed"
        warnings.append((reason, "this run undoes those that are not committed since"))
    return Verdict(tuple(refusals), tuple(warnings))


def _older(found: Comparison, state: AppliedState) -> Refusal:
    when = f", applied at {state.applied_at} by {state.actor}" if state.exists else ""
    reason = f"this checkout is older than the last applied commit {found.commit[:12]}{when}"
    return f"{reason}; applying it would undo changes", (
        "update the checkout and run again; to roll back, revert with a new commit"
    )


def _doubt(found: Comparison, state: AppliedState) -> Refusal | None:
    if not state.valid:
        reason = "the item APPLIED#state is invalid, so what was applied last is unknown"
        return reason, "find out who changed it"
    if found.relation is Relation.DIVERGED:
        reason = f"this checkout does not contain the last applied commit {found.commit[:12]}"
        return f"{reason}, which is on another branch", "merge that commit first"
    if found.relation is Relation.UNKNOWN:
        reason = f"it is unknown whether this checkout is older than what was applied last: {found.cause}"
        return reason, found.fix
    return None

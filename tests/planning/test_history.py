"""I15 as a pure decision."""

from __future__ import annotations

import pytest

from reconciler.core.applied_state import NOTHING_APPLIED, AppliedState
from reconciler.core.record import Record
from reconciler.planning.history import Comparison, Relation, Source, applied_commits, check_history, worst
from support.world import MARK

OLD, NEW = "1" * 40, "2" * 40
APPLIED = AppliedState(commit=NEW, actor="arn:aws:iam::123456789012:user/ann", applied_at="2026-06-01T12:00:00Z")


def a_record(name: str, commit: str, managed_by: str = MARK) -> Record:
    return Record(name=name, commit=commit, managed_by=managed_by)


def test_the_state_counts_and_without_it_the_managed_records() -> None:
    records = [
        a_record("one", OLD),
        a_record("two", f"{OLD}-dirty"),
        a_record("three", ""),
        a_record("x", NEW, "other"),
    ]
    assert applied_commits(AppliedState(commit=f"{NEW}-dirty"), records, MARK) == [NEW]
    assert applied_commits(NOTHING_APPLIED, records, MARK) == ["", OLD]
    assert applied_commits(NOTHING_APPLIED, [], MARK) == []


def test_the_worst_relation_counts() -> None:
    found = [Comparison(relation) for relation in Relation]
    assert worst(found).relation is Relation.BEHIND
    assert worst(one for one in found if one.relation is not Relation.BEHIND).relation is Relation.UNKNOWN
    assert worst([]).relation is Relation.AHEAD


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
def test_an_older_commit_is_always_refused(strict: bool, accepted: bool) -> None:
    found = Comparison(Relation.BEHIND, NEW)
    verdict = check_history(Source(OLD), APPLIED, found, strict=strict, accepted=accepted)
    ((reason, hint),) = verdict.refusals
    assert reason == (
        "this checkout is older than the last applied commit 222222222222, applied at 2026-06-01T12:00:00Z by "
        "arn:aws:iam::123456789012:user/ann; applying it would undo changes"
    )
    assert "revert with a new commit" in hint
    assert verdict.warnings == ()
    ((legacy, _),) = check_history(Source(OLD), NOTHING_APPLIED, found, strict=strict, accepted=accepted).refusals
    assert legacy == "this checkout is older than the last applied commit 222222222222; applying it would undo changes"


DOUBTS = [
    (APPLIED, Comparison(Relation.DIVERGED, NEW), "does not contain the last applied commit 222222222222"),
    (APPLIED, Comparison(Relation.UNKNOWN, NEW, "no git", "install it"), "unknown whether this checkout is older"),
    (AppliedState(valid=False), Comparison(Relation.SAME, NEW), "the item APPLIED#state is invalid"),
]


@pytest.mark.parametrize(("state", "found", "words"), DOUBTS)
def test_a_doubt_is_refused_in_ci_unless_accepted_and_never_silent(
    state: AppliedState, found: Comparison, words: str
) -> None:
    for strict, accepted, refused in ((True, False, 1), (True, True, 0), (False, False, 0), (False, True, 0)):
        verdict = check_history(Source(OLD), state, found, strict=strict, accepted=accepted)
        assert (len(verdict.refusals), len(verdict.warnings)) == (refused, 1 - refused)
        ((reason, hint),) = verdict.refusals + verdict.warnings
        assert words in reason
        assert hint.endswith("if this run is intended, add --accept-history") is bool(refused)


@pytest.mark.parametrize("relation", [Relation.SAME, Relation.AHEAD])
@pytest.mark.parametrize("strict", [True, False])
def test_a_known_history_is_accepted(relation: Relation, strict: bool) -> None:
    verdict = check_history(Source(NEW), APPLIED, Comparison(relation, NEW), strict=strict, accepted=False)
    assert (verdict.refusals, verdict.warnings) == ((), ())


def test_changes_that_are_not_committed() -> None:
    dirty, found = Source(NEW, dirty=True), Comparison(Relation.SAME, NEW)
    assert (Source(NEW).commit, dirty.commit, Source(dirty=True).commit) == (NEW, f"{NEW}-dirty", "")
    ((reason, _),) = check_history(dirty, APPLIED, found, strict=True, accepted=True).refusals
    assert reason == "the checkout contains changes that are not in commit 222222222222"
    assert check_history(dirty, APPLIED, found, strict=False, accepted=False).refusals == ()
    applied = AppliedState(commit=dirty.commit)
    ((reason, _),) = check_history(Source(NEW), applied, found, strict=True, accepted=False).warnings
    assert "by an unknown actor, contained changes that were not committed" in reason
    assert check_history(dirty, applied, found, strict=False, accepted=False).warnings == ()

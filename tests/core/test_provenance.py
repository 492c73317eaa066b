"""Where a grant comes from: which values become tags."""

from __future__ import annotations

import pytest

from reconciler.core.decision import CreateUser, Identity, PutPolicy, Step, TagUser
from reconciler.core.lifecycle import decide
from reconciler.core.policy import build
from reconciler.core.provenance import LONGEST, changed_tags, is_valid, provenance_tags, select_provenance
from reconciler.core.record import Record
from reconciler.core.record_state import RecordState
from support.world import SENDING, START, a_user

COMMIT = "3f2a9c81d0e4" + "0" * 28
PULL_REQUEST = "https://github.com/example/mail/pull/12"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("commit", COMMIT),
        ("commit", f"{COMMIT}-dirty"),
        ("commit", "a" * 64),
        ("pull_request", PULL_REQUEST),
        ("pull_request", "https://gitlab.example.com:8443/team/mail/-/merge_requests/7"),
        ("approver", "octocat"),
        ("approver", "alice bob-2 carol_company"),
        ("run", "https://github.com/example/mail/actions/runs/17089"),
    ],
)
def test_what_ci_passes_is_stored(attribute: str, value: str) -> None:
    assert is_valid(attribute, value)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("commit", ""),
        ("commit", "HEAD"),
        ("commit", f"{COMMIT}\n"),
        ("pull_request", "http://github.com/example/mail/pull/12"),
        ("pull_request", "javascript:alert(1)"),
        ("pull_request", f"{PULL_REQUEST}\nrun=x"),
        ("pull_request", f"{PULL_REQUEST}?a=b"),
        ("pull_request", f"{PULL_REQUEST}#x"),
        ("pull_request", "https://user@github.com/example"),
        ("pull_request", "https://github.com/" + "a" * LONGEST),
        ("approver", " alice"),
        ("approver", "alice  bob"),
        ("approver", "alice,bob"),
        ("approver", "-alice"),
        ("approver", "alice\u202e"),
        ("approver", "a" * (LONGEST + 1)),
        ("run", "::error::x"),
    ],
)
def test_anything_else_is_not(attribute: str, value: str) -> None:
    assert not is_valid(attribute, value)


def test_a_record_becomes_tags_without_what_is_unknown_or_of_another_shape() -> None:
    record = Record(name="crm", commit=COMMIT, pull_request="<b>", approver="alice bob")
    assert provenance_tags(record) == {"smtp-commit": COMMIT, "smtp-approver": "alice bob"}


def test_only_what_differs_is_written_and_what_is_not_known_any_more_is_emptied() -> None:
    found = select_provenance({"managed-by": "x", "smtp-commit": "old", "smtp-run": "run", "smtp-approver": "alice"})
    assert found == {"smtp-commit": "old", "smtp-run": "run", "smtp-approver": "alice"}
    assert changed_tags(found, {"smtp-commit": "new", "smtp-approver": "alice"}) == {
        "smtp-commit": "new",
        "smtp-run": "",
    }
    assert changed_tags({}, {}) == {}


def steps(found: dict[str, str] | None) -> tuple[Step, ...]:
    """Of a record that was not processed; `found`: the tags of its IAM user, if there is one."""
    record = Record(name="crm", status="pending", user=a_user("crm"), revision=1, commit=COMMIT)
    identity = None if found is None else Identity(owned=True, provenance=found)
    return decide(RecordState.of(record, SENDING, START), identity).steps


def test_the_tags_are_written_with_the_policy_and_only_where_they_differ() -> None:
    put, wanted = PutPolicy(build(a_user("crm"), SENDING)), {"smtp-commit": COMMIT}
    assert steps(None)[:2] == (CreateUser(wanted), put)
    assert steps(wanted)[:1] == (put,)
    assert steps({})[:2] == (TagUser(wanted), put)
    assert steps({"smtp-run": "x"})[:2] == (TagUser(wanted | {"smtp-run": ""}), put)

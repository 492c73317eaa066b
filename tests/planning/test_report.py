"""The access review: who is in it, and what a reviewer should look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.decision import Identity, Key
from reconciler.core.differences import Drift
from reconciler.core.record import Record, Revocation, timestamp
from reconciler.core.user import Declaration, User
from reconciler.planning.audit import Audit, Finding, Snapshot
from reconciler.planning.codeowners import parse
from reconciler.planning.report import Entry, Uses, entries
from reconciler.planning.report_findings import MEANINGS, Kind, Severity, order
from support.reports import a_report
from support.rows import K1, K2, iam, settled
from support.world import a_user

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OWNED = {"owner": "billing@example.com", "expires": "2030-01-01"}


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


def review(*records: Record, uses: dict[str, datetime | None] | None = None, **given: Any) -> list[Entry]:
    owners = given.pop("owners", None)
    found: tuple[Finding, ...] = given.pop("found", ())
    snapshot = Snapshot(
        given.pop("desired", {}),
        {record.name: record for record in records},
        given.pop("identities", {record.name: iam(K1) for record in records}),
        **given,
    )
    audit = Audit("prod", 0, 0, 0, 0, findings=found)
    return [*entries(snapshot, audit, Uses(uses or {}), owners, NOW)]


def a_record(user: User | None = None, **fields: Any) -> Record:
    key = {"smtp_username": K1, "key_created_at": timestamp(days(10)), "manifest": "users/prod/billing.yaml"}
    return settled(user or a_user(**OWNED), **{**key, **fields})


def kinds(entry: Entry) -> list[str]:
    return [finding.kind.value for finding in entry.findings]


def told(entry: Entry) -> list[str]:
    return [f"{finding.kind}: {finding.description}" for finding in entry.findings]


def test_a_user_in_order_has_no_finding() -> None:
    (entry,) = review(
        a_record(commit="c0ffee", approver="dana", pull_request="https://example.com/o/r/pull/1", run="r", actor="a"),
        uses={K1: days(1)},
    )
    assert (entry.name, entry.state, entry.findings) == ("billing-mailer", "active", ())
    assert (entry.grant.commit, entry.grant.approver, entry.grant.run) == ("c0ffee", "dana", "r")
    assert (entry.grant.manifest, entry.grant.line) == ("users/prod/billing.yaml", 0)
    assert (entry.key_created_at, entry.last_used, entry.use_is_known) == (days(10), days(1), True)


def test_the_manifests_say_where_it_is_declared_now() -> None:
    declared = {"billing-mailer": Declaration(a_user(**OWNED), "users/prod/moved.yaml", 7)}
    (entry,) = review(a_record(), desired=declared)
    assert (entry.grant.manifest, entry.grant.line) == ("users/prod/moved.yaml", 7)


def test_everyone_is_in_it() -> None:
    declared = {"new": Declaration(a_user("new", **OWNED), "users/prod/new.yaml", 3)}
    found = review(
        a_record(),
        desired=declared,
        identities={"billing-mailer": iam(K1), "lost": iam(K2), "new": None, "gone": None},
        unrecognized_users=("admin",),
    )
    assert [(entry.name, entry.state) for entry in found] == [
        ("admin", "unrecognized"), ("billing-mailer", "active"), ("lost", "orphan"), ("new", "not applied"),
    ]  # fmt: skip
    new = found[3]
    assert (new.user, new.grant.commit, new.grant.manifest, new.grant.line) == (
        declared["new"].user,
        "",
        "users/prod/new.yaml",
        3,
    )
    assert found[2].keys[0].id == K2
    assert found[0].user is None


def test_a_record_without_a_status() -> None:
    assert review(Record(name="odd", problems=("allowed_from_addresses is missing or empty",)))[0].state == "none"


@pytest.mark.parametrize(
    ("user", "wanted"),
    [
        (a_user(**OWNED), []),
        (a_user("x-y", "*@example.com", "a-*@example.com", "b@example.com", **OWNED),
         ["wildcard: may send as *@example.com, a-*@example.com"]),
        (a_user(expires="2030-01-01"), ["no_owner: no owner is recorded"]),
        (a_user(owner="billing@example.com"), ["no_expiry: valid until it is removed"]),
    ],
)  # fmt: skip
def test_what_a_permission_lacks(user: User, wanted: list[str]) -> None:
    assert told(review(a_record(user))[0]) == wanted


def test_an_owner_that_codeowners_does_not_know() -> None:
    owners = parse("/users/prod/ crm@example.com")
    (entry,) = review(a_record(), owners=owners)
    reason = "CODEOWNERS names crm@example.com for users/prod/billing.yaml, not billing@example.com"
    assert told(entry) == [f"owner_unknown: {reason}"]
    assert review(a_record(), owners=parse("* @org/mail"))[0].findings == ()
    assert review(a_record(manifest=""), owners=owners)[0].findings == ()  # no manifest that a rule could cover
    assert kinds(review(a_record(a_user(expires="2030-01-01")), owners=owners)[0]) == ["no_owner"]


@pytest.mark.parametrize(
    ("age", "last", "wanted"),
    [
        (89, None, []),
        (89.9, days(89.9), []),
        (90, None, ["unused: never used; its key is 90 days old"]),
        (400, days(89), []),
        (400, days(90), ["unused: not used for 90 days"]),
        (400, days(132.7), ["unused: not used for 132 days"]),
    ],
)
def test_a_key_that_is_not_used(age: float, last: datetime | None, wanted: list[str]) -> None:
    record = a_record(key_created_at=timestamp(days(age)))
    assert told(review(record, uses={K1: last})[0]) == wanted


def test_unknown_is_not_never() -> None:
    """Neither a use that was not read, nor a key of unknown age, nor a disabled user, is unused."""
    old = timestamp(days(400))
    (entry,) = review(a_record(key_created_at=old))
    assert (entry.use_is_known, entry.last_used, entry.findings) == (False, None, ())
    assert review(a_record(key_created_at=""), uses={K1: None})[0].findings == ()
    disabled = a_record(a_user(**OWNED, enabled=False), key_created_at=old)
    assert review(disabled, uses={K1: None})[0].findings == ()
    (without,) = review(a_record(key_created_at=old), identities={"billing-mailer": None}, uses={K1: None})
    assert (without.keys, without.use_is_known, without.findings) == ((), False, ())


def test_the_use_of_two_keys() -> None:
    """During an overlap, the one that was used last counts; if one of them is unknown, so is the user's use."""
    record = a_record(key_created_at=timestamp(days(400)), previous_key=K2)
    identities = {"billing-mailer": iam(K1, inactive=(K2,))}
    (entry,) = review(record, identities=identities, uses={K1: None, K2: days(3)})
    assert (entry.last_used, entry.findings) == (days(3), ())
    assert [key.active for key in entry.keys] == [True, False]
    (entry,) = review(record, identities=identities, uses={K2: days(200)})
    assert (entry.use_is_known, entry.findings) == (False, ())


def test_the_age_of_a_key_that_only_iam_knows() -> None:
    identity = Identity(owned=True, keys=(Key(K1, True, days(100)),))
    (entry,) = review(a_record(key_created_at=""), identities={"billing-mailer": identity}, uses={K1: None})
    assert (entry.key_created_at, kinds(entry)) == (days(100), ["unused"])


def test_a_revoked_user() -> None:
    record = a_record(revoked=Revocation("arn:aws:iam::1:user/bob", "leaked", timestamp(NOW)))
    assert told(review(record)[0]) == ["revoked: by arn:aws:iam::1:user/bob: leaked"]
    record = replace(record, revoked=Revocation("", "", ""))
    assert told(review(record)[0]) == ["revoked: by an unknown actor: no reason given"]


def test_an_invalid_record() -> None:
    record = Record(name="odd", status="active", problems=("one", "two"))
    (entry,) = review(record, found=(Finding("odd", Drift.UNMANAGED, "created manually"),))
    assert told(entry) == ["unmanaged: created manually", "invalid_record: one; two"]
    assert entry.user is None


def test_differences_of_the_audit_come_in_the_order_of_their_weight() -> None:
    found = (
        Finding("billing-mailer", Drift.FAILED, "denied"),
        Finding("billing-mailer", Drift.POLICY_CHANGED, "its policy was changed"),
        Finding("billing-mailer", Drift.POLICY_CHANGED, "its policy was changed"),
    )
    (entry,) = review(a_record(a_user(owner="a@example.com")), found=found)
    assert kinds(entry) == ["policy_changed", "failed", "no_expiry"]


def test_users_are_counted_once_per_kind() -> None:
    found = tuple(Finding("billing-mailer", Drift.KEY_CHANGED, text) for text in ("one", "two"))
    made = review(
        a_record(a_user("crm", **{**OWNED, "expires": None})), a_record(a_user(owner="a@example.com")), found=found
    )
    assert a_report(*made).counts == {Drift.KEY_CHANGED: 1, Kind.NO_EXPIRY: 2}


def test_every_kind_has_a_meaning_and_the_weighty_come_first() -> None:
    assert set(MEANINGS) == {*Kind, *Drift}
    severities = [meaning.severity for meaning in MEANINGS.values()]
    assert severities == sorted(severities)
    assert order(Kind.NO_EXPIRY) == len(MEANINGS) - 1
    assert MEANINGS[Drift.UNMANAGED].severity is Severity.HIGH

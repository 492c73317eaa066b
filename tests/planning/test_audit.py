"""What the audit finds where manifests, rows and IAM differ, and that it finds nothing where they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.decision import Attachment, AttachmentKind, Identity, Key
from reconciler.core.differences import Difference, Drift, find_differences
from reconciler.core.lifecycle import decide
from reconciler.core.policy import build, grant_hash
from reconciler.core.record import Failure, Record, Revocation, timestamp
from reconciler.core.record_state import RecordState
from reconciler.core.user import Declaration, User, spec_hash
from reconciler.output.drift import to_dict
from reconciler.planning.audit import Audit, Finding, Note, Snapshot, audit, ignore_age_of_known_keys
from support.world import ENV, MARK, SENDING, START, a_user

NOW = START
K0, K1, K2 = "AKIAEXAMPLE0", "AKIAEXAMPLE1", "AKIAEXAMPLE2"
SOURCE = "users/test/team.yaml"
QUARANTINE = Attachment(AttachmentKind.MANAGED_POLICY, "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")


def ago(**delta: float) -> str:
    return timestamp(NOW - timedelta(**delta))


def declared(user: User, line: int = 2) -> Declaration:
    return Declaration(user, SOURCE, line)


def row(user: User, **fields: Any) -> Record:
    """Settled, and as it is declared."""
    settled = {
        "status": "active" if user.enabled else "disabled",
        "revision": 2,
        "spec_hash": spec_hash(user),
        "managed_by": MARK,
        "requested_at": ago(days=2),
        "observed_revision": 2,
        "observed_hash": grant_hash(user, SENDING) + ("-revoked" if fields.get("revoked") else ""),
        "smtp_username": K1,
        "key_created_at": ago(days=2),
        "key_credential": user.credential,
        "encrypted_credentials": b"sealed",
    }
    return Record(name=user.name, user=user, **{**settled, **fields})


def iam(user: User, **fields: Any) -> Identity:
    """As the credential manager leaves it."""
    made = {"keys": (Key(K1, user.enabled, NOW - timedelta(days=2)),), "policy": build(user, SENDING), "audited": True}
    return Identity(owned=True, **{**made, **fields})


CRM, WIKI = a_user("crm"), a_user("wiki", enabled=False)
UNOWNED = Identity(owned=False)


def look(
    record: Record | None = None,
    identity: Identity | None = None,
    *,
    desired: User | None = CRM,
    unrecognized: tuple[str, ...] = (),
) -> Audit:
    """Of `crm` as reported, beside a `wiki` with which all is well."""
    wanted = {"wiki": declared(WIKI, 9)} | ({desired.name: declared(desired)} if desired else {})
    records = {"wiki": row(WIKI)} | ({record.name: record} if record else {})
    name = record.name if record else "crm"
    return audit(Snapshot(wanted, records, {"wiki": iam(WIKI), name: identity}, unrecognized), ENV, SENDING, NOW)


def found(made: Audit) -> list[tuple[str, str]]:
    assert {finding.name for finding in made.findings} <= {"crm"}
    return [(finding.kind.value, finding.description) for finding in made.findings]


def test_nothing_is_found_where_all_three_agree() -> None:
    assert look(row(CRM), iam(CRM)) == Audit(ENV, declared=2, records=2, iam_users=2, checked=2)


def test_a_failure_that_is_still_to_be_processed_is_not_reported_as_one() -> None:
    """Without its manifest's values, the record fails when it is processed; until then apply would restore them."""
    pending = row(CRM, status="pending", requested_at=ago(minutes=1))
    invalid = replace(pending, user=None, problems=("it has no address",))
    assert [kind for kind, _ in found(look(invalid, iam(CRM)))] == ["record_outdated"]


@pytest.mark.parametrize(
    ("user", "fields"),
    [
        (replace(CRM, enabled=False), {"keys": (Key(K1, False),)}),
        (replace(CRM, enabled=False), {"keys": ()}),
        (CRM, {"keys": (Key(K1, True), Key(K0, True)), "previous": True}),
    ],
    ids=["disabled", "disabled from the start", "overlap"],
)
def test_every_settled_state_is_clean(user: User, fields: dict[str, Any]) -> None:
    fields = dict(fields)
    more = {"previous_key": K0, "previous_key_retires_at": ago(days=-1)} if fields.pop("previous", False) else {}
    if not fields["keys"]:
        more = {"smtp_username": "", "encrypted_credentials": None, "key_credential": None}
    assert found(look(row(user, **more), iam(user, **fields), desired=user)) == []


WIDER = replace(CRM, allowed_from_addresses=("billing@example.com", "ceo@example.com"))


@pytest.mark.parametrize(
    ("record", "identity", "kind", "words"),
    [
        (None, iam(CRM), "orphan", "a managed IAM user without a record; 1 active key"),
        (
            None,
            iam(CRM, provenance={"smtp-pull-request": "https://example.com/pull/1"}),
            "orphan",
            "a managed IAM user without a record; 1 active key; its policy came from https://example.com/pull/1",
        ),
        (row(CRM), None, "iam_user_missing", "its IAM user is missing"),
        (row(CRM), UNOWNED, "unmanaged", "IAM user smtp-test-crm does not carry our tag and is never modified"),
        (None, UNOWNED, "unmanaged", "IAM user smtp-test-crm does not carry our tag and is never modified"),
        (row(CRM), iam(CRM, policy=build(WIDER, SENDING)), "policy_changed", "its policy was changed"),
        (row(CRM), iam(CRM, policy=None), "policy_changed", "its policy was changed"),
        (
            row(CRM),
            iam(CRM, keys=(Key(K1, True), Key(K2, True))),
            "key_changed",
            f"access key {K2} was created outside this system",
        ),
        (row(CRM), iam(CRM, keys=(Key(K1, False),)), "key_changed", f"access key {K1} was deactivated"),
        (row(CRM), iam(CRM, keys=()), "key_changed", f"access key {K1} was deleted"),
        (
            row(CRM, encrypted_credentials=None),
            iam(CRM),
            "key_changed",
            f"the record lost the credential of access key {K1}",
        ),
        (
            row(CRM, encrypted_credentials=None),
            iam(CRM, keys=()),
            "key_changed",
            f"the record lost the credential of access key {K1}",
        ),
        (
            row(CRM),
            iam(CRM, needs_repair=True),
            "boundary_changed",
            "its tags or its permissions boundary were changed",
        ),
        (
            row(CRM),
            iam(CRM, attachments=(Attachment(AttachmentKind.GROUP, "senders"),)),
            "attachment_added",
            "group senders was added; remove it manually: "
            "aws iam remove-user-from-group --user-name smtp-test-crm --group-name senders",
        ),
        (
            row(CRM),
            iam(CRM, attachments=(QUARANTINE,)),
            "key_exposed",
            "AWS detected an exposed access key (AWSCompromisedKeyQuarantineV3 is attached)",
        ),
        (
            row(CRM, status="failed", failure=Failure("AccessDenied", "iam:CreateUser was refused", "")),
            None,
            "failed",
            "AccessDenied: iam:CreateUser was refused",
        ),
        (row(CRM, status="failed"), None, "failed", "no reason is recorded"),
        (
            row(CRM, status="pending", requested_at=ago(minutes=16)),
            iam(CRM),
            "overdue",
            f"pending since {ago(minutes=16)}; check that the credential manager runs",
        ),
        (
            row(CRM, status="deleting", requested_at=""),
            iam(CRM),
            "overdue",
            "deleting since an unknown time; check that the credential manager runs",
        ),
        (row(WIDER), iam(WIDER), "record_outdated", "apply would change it: loses ceo@example.com"),
        (
            row(CRM, status="waiting"),
            iam(CRM),
            "record_outdated",
            "apply would change it: unknown status 'waiting'; reprocessing",
        ),
        (
            row(CRM, managed_by="console"),
            iam(CRM),
            "record_outdated",
            "apply would change it: adopts the record managed by console",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_each_difference_is_reported_by_its_kind_and_in_plain_words(
    record: Record | None, identity: Identity | None, kind: str, words: str
) -> None:
    made = look(record, identity)
    missing = [("record_missing", "declared without a record; apply would create it")] if record is None else []
    assert found(made) in ([(kind, words), *missing], [*missing, (kind, words)])
    assert {finding.source for finding in made.findings} == {f"{SOURCE}:2"}


def test_a_ghost_is_reported_whatever_the_rest_of_its_record_says() -> None:
    off = replace(CRM, enabled=False)
    assert found(look(row(off), None, desired=off)) == [("iam_user_missing", "its IAM user is missing")]
    by_hand = Record(name="crm", status="active", problems=("allowed_from_addresses is missing or empty",))
    assert [kind for kind, _ in found(look(by_hand, None, desired=None))] == ["unmanaged", "iam_user_missing"]


def test_a_user_that_is_declared_and_nowhere_else_is_missing() -> None:
    assert found(look()) == [("record_missing", "declared without a record; apply would create it")]


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({}, "undeclared", "no manifest declares it; apply would delete it"),
        ({"managed_by": "console"}, "unmanaged", "an unmanaged record that no manifest declares: managed by console"),
        ({"managed_by": ""}, "unmanaged", "an unmanaged record that no manifest declares: created manually"),
    ],
)
def test_a_record_that_no_manifest_declares_has_no_place_in_one(fields: dict[str, str], kind: str, words: str) -> None:
    made = look(row(CRM, **fields), iam(CRM), desired=None)
    assert made.findings == (Finding("crm", Drift(kind), words),)
    assert made.findings[0].source == ""


def test_iam_users_under_our_path_that_stand_for_no_one_are_unmanaged() -> None:
    """The name of one may be that of an SMTP user: it has nothing to do with its declaration."""
    made = look(row(CRM), iam(CRM), unrecognized=("crm", "admin"))
    assert [(finding.name, finding.kind, finding.source) for finding in made.findings] == [
        ("admin", "unmanaged", ""),
        ("crm", "unmanaged", ""),
    ]
    assert made.iam_users == 4


def test_what_a_person_sees_beside_each_other_is_reported_in_full_and_sorted() -> None:
    identity = iam(
        CRM,
        policy=None,
        needs_repair=True,
        keys=(Key(K2, True), Key(K1, False)),
        attachments=(Attachment(AttachmentKind.INLINE_POLICY, "by-hand"),),
    )
    kinds = [kind for kind, _ in found(look(row(CRM), identity))]
    assert kinds == ["policy_changed", "key_changed", "key_changed", "attachment_added", "boundary_changed"]


def test_a_key_that_was_deactivated_after_a_quarantine_is_left_so_and_only_the_quarantine_is_reported() -> None:
    made = look(row(CRM), iam(CRM, keys=(Key(K1, False),), attachments=(QUARANTINE,)))
    assert [kind for kind, _ in found(made)] == ["key_exposed"]


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "pending", "requested_at": ago(minutes=1), "observed_revision": 1},
        {"status": "failed", "failure": Failure("AccessDenied", "no", "")},
        {"observed_hash": "of other settings"},
    ],
    ids=["pending", "failed", "settings changed"],
)
def test_what_does_not_depend_on_the_declaration_is_reported_while_it_is_not_processed(fields: dict[str, Any]) -> None:
    """Its policy and keys are not expected to be as the record says; groups, tags and boundary are."""
    identity = iam(
        CRM,
        policy=None,
        needs_repair=True,
        keys=(Key(K1, False),),
        attachments=(Attachment(AttachmentKind.GROUP, "admins"),),
    )
    told = [kind for kind, _ in found(look(row(CRM, **fields), identity))]
    assert [kind for kind in told if kind not in ("failed", "record_outdated")] == [
        "attachment_added",
        "boundary_changed",
    ]


@pytest.mark.parametrize("status", ["pending", "deleting"])
def test_what_is_under_way_is_no_difference(status: str) -> None:
    desired = CRM if status == "pending" else None
    made = look(row(CRM, status=status, requested_at=ago(minutes=14)), iam(CRM), desired=desired)
    assert made.findings == ()
    assert made.notes == (Note("crm", f"in progress: {status} since {ago(minutes=14)}"),)


def test_a_declared_user_that_is_being_deleted_differs_until_a_run_makes_it_again() -> None:
    made = look(row(CRM, status="deleting", requested_at=ago(minutes=1)), iam(CRM))
    assert [kind for kind, _ in found(made)] == ["record_outdated"]


@pytest.mark.parametrize("hangs", [False, True])
def test_a_deletion_that_failed_or_hangs_is_reported_once(hangs: bool) -> None:
    failed = {"status": "failed", "failure": Failure("DeleteConflict", "in use", "", during="deleting")}
    record = row(CRM, **({"status": "deleting"} if hangs else failed))
    assert [kind for kind, _ in found(look(record, iam(CRM), desired=None))] == ["overdue" if hangs else "failed"]


def test_a_record_that_failed_and_is_not_as_declared_either_is_reported_as_both() -> None:
    record = row(WIDER, status="failed", failure=Failure("AccessDenied", "no", ""))
    assert [kind for kind, _ in found(look(record, None))] == ["record_outdated", "failed"]


EXPIRING = a_user("crm", expires="2026-05-31")
ROTATING = a_user("crm", rotation={"every_days": 30, "overlap_days": 7})
OVERLAP = {"previous_key": K0, "previous_key_retires_at": ago(minutes=10)}


@pytest.mark.parametrize(
    ("user", "fields", "keys"),
    [
        (EXPIRING, {}, (Key(K1, True),)),
        (ROTATING, {"key_created_at": ago(days=30, minutes=1)}, (Key(K1, True),)),
        (CRM, OVERLAP, (Key(K1, True), Key(K0, True))),
        (
            CRM,
            {**OVERLAP, "previous_key_deletes_at": ago(minutes=1)},
            (Key(K1, True), Key(K0, False)),
        ),
    ],
    ids=["expiry", "rotation", "end of an overlap", "end of the previous key"],
)
def test_what_time_alone_asks_for_is_the_sweeps_for_a_day(
    user: User, fields: dict[str, Any], keys: tuple[Key, ...]
) -> None:
    record, identity = row(user, **fields), iam(user, keys=keys)
    sides = Snapshot({"crm": declared(user)}, {"crm": record}, {"crm": identity})
    made = audit(sides, ENV, SENDING, NOW)
    assert made.findings == ()
    assert made.notes == (Note("crm", "expiry, rotation or the end of an overlap is due; the next sweep processes it"),)
    late = audit(sides, ENV, SENDING, NOW + timedelta(days=1))
    words = "expiry, rotation or the end of an overlap is due for more than a day; check that the sweep runs"
    assert found(late) == [("overdue", words)]
    assert late.notes == ()


@pytest.mark.parametrize("status", ["active", "failed", "paused", ""])
def test_a_revoked_user_whose_key_is_active_is_a_difference_under_every_status(status: str) -> None:
    """I16: the note that its keys stay inactive would be wrong."""
    revoked = row(CRM, status=status, revoked=Revocation("octocat", "leaked", ""))
    words = f"access key {K1} is active although the user is revoked"
    assert words in [finding.description for finding in look(revoked, iam(CRM)).findings]
    off = iam(CRM, keys=(Key(K1, active=False),))
    assert words not in [finding.description for finding in look(revoked, off).findings]


def test_a_revoked_user_is_noted_and_is_no_difference() -> None:
    """A person has decided that, and the record says who and why."""
    off = iam(CRM, keys=(Key(K1, False),))
    made = look(row(CRM, status="disabled", revoked=Revocation("octocat", "key seen in public", "")), off)
    assert made.findings == ()
    words = "revoked by octocat: key seen in public; keys stay inactive until it is resumed"
    assert made.notes == (Note("crm", words),)
    nobody = look(row(CRM, status="disabled", revoked=Revocation("", "", "")), off)
    assert nobody.notes[0].description.startswith("revoked by unknown: no reason given")
    on_again = look(row(CRM, status="disabled", revoked=Revocation("octocat", "", "")), iam(CRM))
    assert found(on_again) == [("key_changed", f"access key {K1} was activated")]


def test_a_young_key_is_not_judged_at_first_sight_and_is_at_the_second() -> None:
    young = iam(CRM, keys=(Key(K1, True), Key(K2, True, NOW - timedelta(seconds=9))), attachments=(QUARANTINE,))
    made = look(row(CRM), young)
    assert [kind for kind, _ in found(made)] == ["key_exposed"], "what does not hang on it is told"
    assert made.inconclusive == {"crm"}
    assert made.notes == (Note("crm", f"inconclusive: access key {K2} was just created"),)
    again = look(row(CRM), ignore_age_of_known_keys(young, young))
    assert [kind for kind, _ in found(again)] == ["key_changed", "key_exposed"]
    assert again.inconclusive == frozenset()


def test_only_keys_that_were_there_before_are_grown_up() -> None:
    old, new = Key(K1, True, NOW), Key(K2, True, NOW)
    assert ignore_age_of_known_keys(iam(CRM, keys=(old, new)), iam(CRM, keys=(old,))) == iam(
        CRM, keys=(Key(K1, True), new)
    )
    assert ignore_age_of_known_keys(None, iam(CRM)) is None
    assert ignore_age_of_known_keys(iam(CRM), None) == iam(CRM)


def test_an_orphan_may_be_quarantined_too() -> None:
    made = look(None, iam(CRM, attachments=(QUARANTINE,), keys=()), desired=None)
    assert [kind for kind, _ in found(made)] == ["orphan", "key_exposed"]
    assert "0 active keys" in made.findings[0].description


def test_an_audit_as_plain_data() -> None:
    made = look(row(CRM, status="pending", requested_at=ago(minutes=1)), UNOWNED)
    shown = to_dict(made)
    assert {key: shown[key] for key in ("format", "environment", "declared", "records", "iam_users", "checked")} == {
        "format": 1, "environment": ENV, "declared": 2, "records": 2, "iam_users": 2, "checked": 2,
    }  # fmt: skip
    words = "IAM user smtp-test-crm does not carry our tag and is never modified"
    assert shown["findings"] == [
        {"name": "crm", "kind": "unmanaged", "description": words, "manifest": SOURCE, "line": 2}
    ]
    assert shown["notes"] == [{"name": "crm", "description": f"in progress: pending since {ago(minutes=1)}"}]
    orphan = look(None, iam(CRM), desired=None)
    assert [(entry["manifest"], entry["line"]) for entry in to_dict(orphan)["findings"]] == [(None, None)]


def drift_of(record: Record, identity: Identity | None) -> tuple[str, ...]:
    state = RecordState.of(record, SENDING, NOW)
    return tuple(found.description for found in find_differences(decide(state, identity)))


def test_a_decision_that_ends_in_a_failure_is_the_difference() -> None:
    record = row(CRM)
    state = RecordState.of(record, SENDING, NOW)
    (foreign,) = find_differences(decide(state, UNOWNED))
    assert foreign.kind == Drift.UNMANAGED
    unreadable = replace(record, user=None, problems=("allowed_from_addresses is missing",))
    state = RecordState.of(unreadable, SENDING, NOW)
    assert find_differences(decide(state, iam(CRM))) == (Difference(Drift.FAILED, "allowed_from_addresses is missing"),)


def test_an_iam_user_that_is_gone_is_one_difference() -> None:
    assert drift_of(row(CRM), None) == ("its IAM user is missing",)
    assert drift_of(row(CRM, status="deleting"), None) == ()


def test_a_previous_key_that_was_deleted_manually_is_reported() -> None:
    record = row(CRM, previous_key=K0, previous_key_retires_at=ago(days=-1))
    assert drift_of(record, iam(CRM)) == (f"the previous access key {K0} was deleted",)
    assert drift_of(record, iam(CRM, keys=(Key(K1, True), Key(K0, False)))) == (f"access key {K0} was deactivated",)


def test_a_key_that_was_deactivated_is_not_called_deleted_when_its_rotation_is_due() -> None:
    record = row(ROTATING, key_created_at=ago(days=31))
    assert drift_of(record, iam(ROTATING, keys=(Key(K1, False),))) == (f"access key {K1} was deactivated",)


def test_a_key_made_a_moment_ago_that_is_not_listed_is_not_clear_yet() -> None:
    made = look(row(CRM, key_created_at=timestamp(NOW)), iam(CRM, keys=()))
    assert made.findings == ()
    assert made.inconclusive == {"crm"}
    assert "is not listed" in made.notes[0].description

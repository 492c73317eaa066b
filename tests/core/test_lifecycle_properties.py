"""From any record and any state of IAM, applying one decision reaches the goal, and the next has nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.core.decision import (
    Attachment,
    AttachmentKind,
    Decision,
    DeleteKey,
    DeleteUser,
    Detach,
    Identity,
    IssueKey,
    Key,
    PutPolicy,
    RemoveRecord,
    RepairUser,
    Requeue,
    SetKey,
    Settle,
)
from reconciler.core.differences import find_differences
from reconciler.core.key_decision import is_replaced, is_young
from reconciler.core.lifecycle import decide
from reconciler.core.policy import Document, build
from reconciler.core.record import Failure, Record, Revocation, Status, timestamp
from reconciler.core.record_state import RecordState, processed_hash
from reconciler.core.user import User, spec_hash
from support.generated import users
from support.world import SENDING, START

IDS = ("AKIAEXAMPLE0", "AKIAEXAMPLE1", "AKIAEXAMPLE2")
KEYS = st.dictionaries(st.sampled_from(IDS), st.booleans(), max_size=2)
RETIREMENTS = st.sampled_from([timestamp(START + timedelta(days=days)) for days in (-1, 0, 1)])
MADE = st.sampled_from(
    ["", "some day", "9999-12-31T23:59:59Z", *(timestamp(START - timedelta(days=days)) for days in (-1, 0, 90, 3650))]
)
MOVED = replace(SENDING, configuration_set="smtp-other", regions=("eu-west-1",))


@dataclass
class Iam:
    """One IAM user: access key id → active. Rejects a third key, as AWS does."""

    keys: dict[str, bool]
    exists: bool = True
    policy: Document = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    needs_repair: bool = False
    issued: IssueKey | None = None

    def observed(self) -> Identity | None:
        keys = tuple(Key(id_, active) for id_, active in sorted(self.keys.items()))
        return Identity(owned=True, keys=keys, needs_repair=self.needs_repair) if self.exists else None

    def audited(self) -> Identity | None:
        seen = self.observed()
        return replace(seen, policy=self.policy, attachments=self.attachments, audited=True) if seen else None

    def perform(self, decision: Decision) -> None:
        self.exists = True
        for step in decision.steps:
            match step:
                case PutPolicy(document):
                    self.policy = document
                case RepairUser():
                    self.needs_repair = False
                case Detach(attachment):
                    self.attachments = tuple(one for one in self.attachments if one != attachment)
                case DeleteKey(key_id):
                    del self.keys[key_id]
                case SetKey(key_id, active):
                    assert not active or self.keys[key_id] is False, "a call that changes nothing"
                    # Deactivating a missing or inactive key is harmless.
                    self.keys |= {known: active for known in self.keys if known == key_id}
                case IssueKey():
                    assert len(self.keys) < 2, "AWS allows two keys"
                    self.keys["AKIANEW"], self.issued = True, step
                case DeleteUser():
                    assert not self.keys, "DeleteConflict"
                    self.exists = False


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A pending record, with attributes that earlier runs may have written."""
    user = draw(users())
    current, previous = draw(st.permutations(["", *IDS]))[:2]
    return Record(
        name=user.name,
        status=draw(st.sampled_from([Status.PENDING, Status.ACTIVE, Status.DISABLED])),
        user=user,
        revision=2,
        spec_hash=spec_hash(user),
        observed_revision=draw(st.sampled_from([None, 1])),
        smtp_username=current,
        key_credential=draw(st.sampled_from([None, user.credential, user.credential + 1])) if current else None,
        key_created_at=draw(MADE) if current else "",
        previous_key=previous,
        previous_key_retires_at=draw(RETIREMENTS) if previous else "",
        previous_key_deletes_at=draw(st.just("") | RETIREMENTS) if previous else "",
        revoked=draw(st.sampled_from([None, None, Revocation("somebody", "leaked", timestamp(START))])),
        encrypted_credentials=draw(st.sampled_from([b"sealed", b"sealed", None])) if current else None,
    )


def known_keys(record: Record) -> set[str]:
    return {record.smtp_username, record.previous_key} - {""}


def is_rotation_due(record: Record) -> bool:
    """The meaning of a schedule, in whole days of the values above."""
    days = {timestamp(START - timedelta(days=days)): days for days in (-1, 0, 90, 3650)}.get(record.key_created_at, -1)
    return bool(record.user and record.user.rotation and days >= record.user.rotation.every_days)


def settle(record: Record, end: Settle, issued: IssueKey | None) -> Record:
    """What the store writes to the record."""
    assert record.user
    wished = processed_hash(record, record.user, SENDING)
    after = replace(record, status=end.status, observed_revision=record.revision, observed_hash=wished)
    if end.forget_previous:
        after = replace(after, previous_key="", previous_key_retires_at="", previous_key_deletes_at="")
    if end.retire_previous:
        after = replace(after, previous_key_deletes_at=timestamp(START + timedelta(days=1)))
    if issued:
        after = replace(after, smtp_username="AKIANEW", key_credential=issued.credential)
        after = replace(after, key_created_at=timestamp(START), encrypted_credentials=b"sealed")
    if issued and issued.replaces:
        after = replace(after, previous_key=issued.replaces, previous_key_retires_at=issued.retires_at)
        after = replace(after, previous_key_deletes_at="")
    return after


def may_send(record: Record) -> bool:
    return record.user is not None and record.user.may_send(START) and record.revoked is None


@given(records(), KEYS, st.booleans())
def test_one_decision_is_enough_and_the_next_finds_nothing_to_do(
    record: Record, keys: dict[str, bool], exists: bool
) -> None:
    """I2, I3, I5"""
    iam = Iam(keys if exists else {}, exists)
    decision = decide(RecordState.of(record, SENDING, START), iam.observed())
    assume(not isinstance(decision.end, Requeue))  # a key created a moment ago is not listed: no decision yet
    iam.perform(decision)
    assert isinstance(decision.end, Settle)
    after = settle(record, decision.end, iam.issued)
    user = record.user
    assert isinstance(user, User)
    assert iam.policy == build(user, SENDING)
    assert iam.keys.keys() <= known_keys(after)
    if may_send(record):
        assert after.status == Status.ACTIVE
        assert iam.keys[after.smtp_username] is True
        assert after.encrypted_credentials
        assert after.key_credential in (None, user.credential)
    else:
        assert after.status == Status.DISABLED
        assert not any(iam.keys.values())
        assert iam.issued is None
    assert RecordState.of(after, SENDING, START).settled
    again = decide(RecordState.of(after, SENDING, START), iam.observed())
    assume(not isinstance(again.end, Requeue))  # as above, where IAM had no user at first
    assert again == Decision(Settle(decision.end.status), (PutPolicy(iam.policy),))


@given(records(), KEYS)
def test_a_key_in_use_is_replaced_for_a_reason_only_and_stays_valid_meanwhile(
    record: Record, keys: dict[str, bool]
) -> None:
    """A decision never interrupts a user of the stored credential unintentionally."""
    iam = Iam(dict(keys))
    user = record.user
    assert user
    in_use = record.encrypted_credentials is not None and keys.get(record.smtp_username) is True
    iam.perform(decide(RecordState.of(record, SENDING, START), iam.observed()))
    if not may_send(record) or not in_use:
        return
    assert iam.keys[record.smtp_username] is True
    wanted = is_rotation_due(record) or record.key_credential not in (None, user.credential)
    assert (iam.issued is not None) is wanted
    if iam.issued:
        assert iam.issued.replaces == record.smtp_username
        assert iam.issued.retires_at > timestamp(START)


def ends_a_young_key(record: Record) -> bool:
    """A revoked key that is replaced is deleted. While it is young, the next look waits for it to be listed."""
    replaced = bool(record.revoked and record.user and is_replaced(record, record.user))
    return replaced and is_young(record.key_created_at, START)


@given(records(), KEYS)
def test_settings_that_changed_touch_the_policy_and_no_key(record: Record, keys: dict[str, bool]) -> None:
    """I3: and nothing is settled before that."""
    assume(not ends_a_young_key(record))
    iam = Iam(dict(keys))
    decision = decide(RecordState.of(record, SENDING, START), iam.observed())
    assume(not isinstance(decision.end, Requeue))  # a key created a moment ago is not listed: no decision yet
    iam.perform(decision)
    assert isinstance(decision.end, Settle)
    after = settle(record, decision.end, iam.issued)
    assert after.user
    assert not RecordState.of(after, MOVED, START).settled
    moved = decide(RecordState.of(after, MOVED, START), iam.observed())
    off = tuple(step for step in moved.steps if isinstance(step, SetKey) and not step.active)
    assert decision.end.status == Status.DISABLED or not off
    assert moved == Decision(Settle(decision.end.status), (*off, PutPolicy(build(after.user, MOVED))))


@given(records(), KEYS, st.integers(0, 6))
def test_a_crash_after_any_step_converges_to_the_same_keys_and_policy(
    record: Record, keys: dict[str, bool], done: int
) -> None:
    """I2, I5: the record was not written, so a key that was issued is unknown; it is replaced, never kept."""
    iam = Iam(dict(keys))
    decision = decide(RecordState.of(record, SENDING, START), iam.observed())
    iam.perform(replace(decision, steps=decision.steps[:done]))
    if "AKIANEW" in iam.keys:
        iam.keys["AKIALOST"] = iam.keys.pop("AKIANEW")
    iam.issued = None
    retried = decide(RecordState.of(record, SENDING, START), iam.observed())
    assume(not isinstance(retried.end, Requeue))
    iam.perform(retried)
    assert isinstance(retried.end, Settle)
    after = settle(record, retried.end, iam.issued)
    assert iam.keys.keys() <= known_keys(after)
    assert iam.policy == build(record.user, SENDING) if record.user else False
    assert RecordState.of(after, SENDING, START).settled


@given(records(), KEYS)
def test_a_teardown_leaves_nothing_whatever_the_record_knows(record: Record, keys: dict[str, bool]) -> None:
    """I4"""
    iam = Iam(keys)
    decision = decide(RecordState.of(replace(record, status=Status.DELETING), SENDING, START), iam.observed())
    iam.perform(decision)
    assert isinstance(decision.end, RemoveRecord)
    assert not iam.exists
    assert iam.keys == {}


ATTACHMENTS = st.lists(
    st.sampled_from(
        [Attachment(AttachmentKind.LOGIN_PROFILE, ""), Attachment(AttachmentKind.INLINE_POLICY, "by-hand")]
    ),
    unique=True,
)


@given(records(), KEYS, st.booleans(), ATTACHMENTS)
def test_an_audit_leads_to_the_same_end_and_then_finds_nothing(
    record: Record, keys: dict[str, bool], needs_repair: bool, attachments: list[Attachment]
) -> None:
    """I3, I5: and without a difference there is no step and no finding."""
    assume(not ends_a_young_key(record))
    iam = Iam(keys, needs_repair=needs_repair, attachments=tuple(attachments))
    decision = decide(RecordState.of(record, SENDING, START), iam.audited())
    assume(not isinstance(decision.end, Requeue))
    iam.perform(decision)
    assert isinstance(decision.end, Settle)
    after = settle(record, decision.end, iam.issued)
    assert record.user
    assert iam.policy == build(record.user, SENDING)
    assert (iam.attachments, iam.needs_repair) == ((), False)
    again = decide(RecordState.of(after, SENDING, START), iam.audited())
    assert again == Decision(Settle(decision.end.status))
    assert find_differences(again) == ()


@given(records(), KEYS, st.dictionaries(st.sampled_from(IDS), st.booleans(), max_size=2))
def test_whatever_is_done_to_the_keys_of_a_settled_user_is_repaired_and_reported(
    record: Record, keys: dict[str, bool], tampered: dict[str, bool]
) -> None:
    """I2, I3"""
    assume(record.key_credential is not None or not record.smtp_username)
    iam = Iam(dict(keys))
    decision = decide(RecordState.of(record, SENDING, START), iam.audited())
    assume(not isinstance(decision.end, Requeue))
    iam.perform(decision)
    assert isinstance(decision.end, Settle)
    after = settle(record, decision.end, iam.issued)
    as_settled, iam.keys = dict(iam.keys), dict(tampered)
    assume(known_keys(after) & tampered.keys() <= as_settled.keys())  # a deleted key does not come back
    repair = decide(RecordState.of(after, SENDING, START), iam.audited())
    assume(not isinstance(repair.end, Requeue))
    told = find_differences(repair)
    assert bool(told) is (as_settled != tampered and bool(repair.steps or repair.end != Settle(decision.end.status)))
    iam.issued = None
    iam.perform(repair)
    assert isinstance(repair.end, Settle)
    assert iam.keys.keys() <= known_keys(settle(after, repair.end, iam.issued))
    assert any(iam.keys.values()) is may_send(record)


REVOKED = st.builds(Revocation, *[st.sampled_from(["", "x"])] * 3)
FAILURES = st.none() | st.builds(Failure, st.just("Code"), st.just(""), st.just(""), during=st.sampled_from(Status))


@given(records(), KEYS, REVOKED, st.sampled_from([*Status, "", "paused"]), FAILURES, st.booleans(), st.booleans())
def test_no_revoked_user_has_an_active_key_whatever_else_its_record_says(
    record: Record, keys: dict[str, bool], revoked: Revocation, status: str, failure: Failure | None,
    invalid: bool, audited: bool,
) -> None:  # fmt: skip
    """I16: after one decision, even if it could not end."""
    iam = Iam(dict(keys))
    record = replace(record, status=status, revoked=revoked, failure=failure)
    record = replace(record, user=None, problems=("x",)) if invalid else record
    state = RecordState.of(record, SENDING, START)
    assert state.wanted in (None, Status.DISABLED)
    assert not state.settled
    decision = decide(state, iam.audited() if audited else iam.observed())
    assert not any(isinstance(step, IssueKey) for step in decision.steps)
    iam.perform(decision)
    assert not any(iam.keys.values())

"""Users, records and invalid values for the property tests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.core.record_parser import SPEC_FIELDS
from reconciler.core.user import NAME, User, make_user

WORDS = st.text("abcXYZ019+_-", min_size=1, max_size=8)
LOCALS = st.lists(WORDS, min_size=1, max_size=2).map(".".join)
DOMAINS = st.sampled_from(["example.com", "news.example.com"])
PLAIN = st.builds("{}@{}".format, LOCALS, DOMAINS)
WILDCARDS = st.builds("{}*@{}".format, st.one_of(st.just(""), LOCALS, LOCALS.map("{}.".format)), DOMAINS)
ADDRESSES = st.one_of(PLAIN, WILDCARDS)
NETWORKS = st.sampled_from(
    ["203.0.113.0/24", "203.0.113.0/25", "203.0.113.7", "198.51.100.0/24", "192.0.2.0/28", "2001:db8::/32"]
)
SOURCES = st.sampled_from(["203.0.113.7", "203.0.113.200", "198.51.100.1", "192.0.2.1", "2001:db8::1", "2001:db9::1"])
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
NAMES = st.from_regex(NAME, fullmatch=True)
FEW_NAMES = st.sampled_from(["app", "billing", "crm", "news", "shop"])


@st.composite
def users(draw: st.DrawFn, names: st.SearchStrategy[str] = NAMES) -> User:
    """Any user that is valid under `world.RULES`."""
    fields: dict[str, Any] = {
        "name": draw(names),
        "allowed_from_addresses": draw(st.lists(ADDRESSES, min_size=1, max_size=4)),
        "description": draw(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)),
        "owner": draw(st.one_of(st.just(""), PLAIN)),
        "enabled": draw(st.booleans()),
        "allowed_source_ips": draw(st.lists(NETWORKS, max_size=3)),
        "credential": draw(st.integers(1, 1_000_000)),
    }
    if day := draw(st.none() | DAYS):
        fields["expires"] = day.isoformat()
    if draw(st.booleans()):
        every = draw(st.integers(2, 3650))
        fields["rotation"] = {"every_days": every, "overlap_days": draw(st.integers(1, min(90, every - 1)))}
    return make_user(fields)


NUMBERS = st.one_of(
    st.integers(-(10**38), 10**38).map(Decimal),
    st.decimals(allow_nan=True, allow_infinity=True, places=2),
    st.sampled_from([Decimal("sNaN"), Decimal("1E+125"), Decimal("-1E-130"), Decimal("9E+30"), Decimal("1.5")]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.text(max_size=12), st.binary(max_size=12), NUMBERS)
SETS = st.one_of(
    st.sets(st.text(max_size=8), max_size=3),
    st.sets(st.binary(max_size=8), max_size=3),
    st.sets(NUMBERS.filter(lambda number: not number.is_snan()), max_size=3),
)
JUNK = st.recursive(
    SCALARS | SETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = (
    "PK", "SK", "status", *SPEC_FIELDS, "revision", "spec_hash", "managed_by", "manifest", "commit", "pull_request",
    "approver", "run", "actor", "correlation_id", "requested_at", "iam_user_arn", "smtp_username", "key_created_at",
    "key_credential",
    "previous_key", "previous_key_retires_at", "previous_key_deletes_at", "revoked", "observed_revision",
    "observed_hash", "settled_at", "settled_status", "policy_hash", "failure", "encrypted_credentials", "entity_type",
)  # fmt: skip
NEARLY = st.one_of(
    JUNK,
    st.sampled_from(["pending", "active", "deleting", "failed", "9999-12-31", "0001-01-01T00:00:00+14:00", "AKIA1"]),
    st.fixed_dictionaries({"every_days": NUMBERS, "overlap_days": NUMBERS}),
    st.fixed_dictionaries({"code": JUNK, "message": JUNK, "at": JUNK, "attempts": JUNK, "during": JUNK}),
    st.fixed_dictionaries({"actor": JUNK, "reason": JUNK, "at": JUNK}),
    st.lists(st.one_of(ADDRESSES, NETWORKS), max_size=3),
)
ITEMS = st.dictionaries(st.one_of(st.sampled_from(ATTRIBUTES), st.text(max_size=5)), NEARLY, max_size=14)


# The same, as DynamoDB returns it: every type, numbers as far as they can be stored, and a type that it does not have.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
TYPED_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
TYPED_NUMBERS = st.one_of(
    st.integers(-3, 3).map(str),
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.builds("{}E{}".format, st.integers(-999, 999), st.integers(-130, 120)),
    st.sampled_from(["1E+60", "1" + "0" * 60, f"9.{'9' * 37}E+125", "-1E-130", "0.10", "1.0"]),
)
TYPED_SCALARS = st.one_of(
    st.builds(lambda value: {"S": value}, TYPED_TEXT),
    st.builds(lambda value: {"N": value}, TYPED_NUMBERS),
    st.builds(lambda value: {"B": value}, st.binary(max_size=12)),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.sampled_from([{"NULL": True}, {"SS": ["a", "b"]}, {"NS": ["1E+60", "2"]}, {"BS": [b"x"]}, {"NEW": "type"}]),
)
TYPED = st.recursive(
    TYPED_SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(TYPED_TEXT, inner, max_size=3)),
    ),
    max_leaves=6,
)
TYPED_NEARLY = st.one_of(
    TYPED,
    st.sampled_from(
        ["pending", "active", "disabled", "deleting", "failed", "", "9999-12-31", "9999-12-31T23:59:59Z", "AKIA1",
         "0001-01-01T00:00:00+14:00", "AKIAEXAMPLE000000001", "-" * 128]
    ).map(lambda text: {"S": text}),
    st.dictionaries(
        st.sampled_from(["code", "message", "at", "attempts", "during", "actor", "reason", "every_days"]),
        TYPED_SCALARS, max_size=4,
    ).map(lambda fields: {"M": fields}),
    st.lists(ADDRESSES, max_size=3).map(lambda values: {"L": [{"S": value} for value in values]}),
)  # fmt: skip
TYPED_ITEMS = st.dictionaries(
    st.one_of(st.sampled_from([name for name in ATTRIBUTES if name not in ("PK", "SK")]), st.text("xyz", min_size=1)),
    TYPED_NEARLY,
    max_size=10,
)

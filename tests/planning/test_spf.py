"""SPF records: what they need, and how they are extended without allowing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.dns_answers import Verdict
from reconciler.planning.spf import ENDINGS, ending, invalid_terms, merge, reach, spf_records
from reconciler.planning.spf_check import check_spf
from support.published import published

AMAZON = "amazonses.com TXT v=spf1 ip4:192.0.2.0/24 -all"
OTHER = "_spf.example.net TXT v=spf1 ip4:198.51.100.0/24 -all"


@pytest.mark.parametrize(
    ("records", "includes", "least", "merged"),
    [
        ([], ["amazonses.com"], "~all", "v=spf1 include:amazonses.com ~all"),
        (["v=spf1 include:_spf.example.net ~all"], ["amazonses.com"], "~all",
         "v=spf1 include:_spf.example.net include:amazonses.com ~all"),
        (["v=spf1 mx -all"], ["amazonses.com"], "~all", "v=spf1 mx include:amazonses.com -all"),
        (["v=spf1 mx ?all"], ["amazonses.com"], "~all", "v=spf1 mx include:amazonses.com ~all"),
        (["v=spf1 mx +all"], [], "-all", "v=spf1 mx -all"),
        (["v=spf1 mx"], ["amazonses.com"], "~all", "v=spf1 mx include:amazonses.com ~all"),
        (["v=spf1 mx redirect=_spf.example.net"], ["amazonses.com"], "~all",
         "v=spf1 mx include:amazonses.com redirect=_spf.example.net"),
        (["v=spf1 redirect=_spf.example.net ~all"], [], "~all", "v=spf1 ~all"),  # it was never evaluated
        (["v=spf1 mx -all include:_spf.example.net"], ["amazonses.com"], "~all",
         "v=spf1 mx include:amazonses.com -all"),
        (["v=spf1 ?include:amazonses.com ~all"], ["amazonses.com"], "~all", "v=spf1 include:amazonses.com ~all"),
        (["v=spf1 mx ~all", "v=spf1 a mx -all"], ["amazonses.com"], "~all",
         "v=spf1 mx a include:amazonses.com -all"),
    ],
)  # fmt: skip
def test_a_record_is_extended(records: list[str], includes: list[str], least: str, merged: str) -> None:
    assert merge(records, includes, least) == merged


TERMS = st.sampled_from(
    ["mx", "a:host.example.net", "include:_spf.example.net", "?include:amazonses.com", "ip4:192.0.2.1"]
)
RECORDS = st.builds(
    lambda terms, end, late: " ".join(filter(None, ["v=spf1", *terms, end, *late])),
    st.lists(TERMS, max_size=4), st.sampled_from(["", *ENDINGS]), st.lists(TERMS, max_size=2),
)  # fmt: skip


@given(st.lists(RECORDS, max_size=3), st.sampled_from(["~all", "-all"]))
def test_the_end_is_never_less_strict_and_no_sender_is_lost(records: list[str], least: str) -> None:
    merged = merge(records, ["amazonses.com"], least)
    ends = [ENDINGS[end] for record in records if (end := ending(record))]
    assert ENDINGS[ending(merged)] >= max([ENDINGS[least], *ends])
    lookup = published()
    assert reach(merged, lookup).includes >= {"amazonses.com"}.union(
        *(reach(record, lookup).includes for record in records)
    )
    assert merge([merged], ["amazonses.com"], least) == merged
    assert spf_records([merged]) == [merged]


BOTH_SENDERS = "_spf.example.net TXT v=spf1 include:amazonses.com -all"


@pytest.mark.parametrize(
    ("record", "fix"),
    [
        ("v=spf1 redirect=_spf.example.net", ""),
        ("v=spf1 redirect=_spf.example.net ~all", "add include:amazonses.com"),  # RFC 7208, 6.1
        ("v=spf1 ~all redirect=_spf.example.net", "add include:amazonses.com"),
        ("v=spf1 include:_spf.example.net ~all", ""),
        ("v=spf1 -include:_spf.example.net ~all", "add include:amazonses.com"),
        ("v=spf1 ?include:_spf.example.net ~all", "add include:amazonses.com"),
    ],
)
def test_only_what_is_evaluated_and_passes_allows_ses(record: str, fix: str) -> None:
    found = check_spf(
        "example.com", "", "example.com", (), "~all", published(f"example.com TXT {record}", BOTH_SENDERS)
    )
    assert (found.verdict, found.fix) == (Verdict.WRONG if fix else Verdict.OK, fix)
    assert ("include:amazonses.com" in found.publish) == bool(fix)


@pytest.mark.parametrize(
    "term",
    [
        "ipv4:192.0.2.1", "ip4:192.0.2.1/99", "ip4:2001:db8::1", "ip6:192.0.2.1", "ip4", "ip4=192.0.2.1:8", "mail:x",
        "include", "include:", "exists", "a/99x", "mx:/24", "all:now", "ptr/8", "include=amazonses.com:x",
    ],
)  # fmt: skip
def test_an_invalid_term_makes_the_whole_record_invalid(term: str) -> None:
    valid = term in ("ip4=192.0.2.1:8", "include=amazonses.com:x")  # unknown modifiers, which receivers ignore
    record = f"example.com TXT v=spf1 {term} include:amazonses.com ~all"
    found = check_spf("example.com", "", "example.com", (), "~all", published(record, AMAZON))
    assert (found.verdict is Verdict.WRONG) != valid
    if not valid:
        assert f"because of {term}: correct or remove it" in found.fix
        assert found.publish == ""


@pytest.mark.parametrize(
    "term",
    [
        "ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "a", "a/24", "a:mail.example.net/24//64", "mx//64",
        "+mx:mail.example.net", "ptr", "ptr:example.net", "exists:%{i}._spf.example.net", "exp=why.example.net",
        "-IP4:192.0.2.1", "include:%{d}.example.net",
    ],
)  # fmt: skip
def test_a_valid_term_is_accepted(term: str) -> None:
    assert invalid_terms(f"v=spf1 {term} ~all") == []


def test_lookups_are_counted_through_includes_and_redirects() -> None:
    lookup = published("a.example.net TXT v=spf1 a mx exists:%{i}.example.net redirect=b.example.net",
                       "b.example.net TXT v=spf1 ptr include:%{d}.example.net ~all")  # fmt: skip
    found = reach("v=spf1 ip4:192.0.2.1 a/24 include:a.example.net ~all", lookup)
    assert found.lookups == 1 + 1 + 4 + 2
    assert found.includes >= {"a.example.net", "b.example.net"}


def test_a_loop_of_includes_ends() -> None:
    lookup = published("a.example.net TXT v=spf1 include:a.example.net include:a.example.net -all")
    assert reach("v=spf1 include:a.example.net -all", lookup).lookups == 11


@pytest.mark.parametrize(
    ("records", "verdict", "fix"),
    [
        ((), Verdict.MISSING, "publish it"),
        (("example.com MX 10 mx.example.com",), Verdict.MISSING, "publish it"),
        (("example.com TXT v=spf1 include:amazonses.com include:_spf.example.net ~all",), Verdict.OK, ""),
        (("example.com TXT v=spf1 include:amazonses.com include:_spf.example.net -all",), Verdict.ACCEPTABLE, ""),
        (("example.com TXT v=spf1 include:all.example.net ~all",
          "all.example.net TXT v=spf1 include:amazonses.com include:_spf.example.net ~all"), Verdict.OK, ""),
        (("example.com TXT v=spf1 include:amazonses.com redirect=_spf.example.net",), Verdict.OK, ""),
        (("example.com TXT v=spf1 include:amazonses.com include:_spf.example.net",), Verdict.WRONG, "end it with ~all"),
        (("example.com TXT v=spf1 include:_spf.example.net ~all",), Verdict.WRONG, "add include:amazonses.com"),
        (("example.com TXT v=spf1 mx ~all",), Verdict.WRONG, "add include:amazonses.com include:_spf.example.net"),
        (("example.com TXT v=spf1 mx ~all", "example.com TXT v=spf1 a ~all"), Verdict.WRONG, "2 SPF records"),
        (("example.com CNAME www.example.net", "www.example.net A 192.0.2.1"), Verdict.WRONG, "replace the CNAME"),
        (("example.com.example.com TXT v=spf1 include:amazonses.com include:_spf.example.net ~all",), Verdict.WRONG,
         "the zone was appended twice"),
    ],
)  # fmt: skip
def test_the_record_of_a_domain_is_judged(records: tuple[str, ...], verdict: Verdict, fix: str) -> None:
    found = check_spf(
        "example.com", "", "example.com", ["_spf.example.net"], "~all", published(AMAZON, OTHER, *records)
    )
    assert found.verdict is verdict
    assert fix in found.fix
    assert bool(found.publish) == ("CNAME" not in fix)


def test_an_unknown_record_is_neither_missing_nor_replaced() -> None:
    found = check_spf("example.com", "", "example.com", [], "~all", published(AMAZON, silent=["example.com"]))
    assert (found.verdict, found.publish) == (Verdict.UNKNOWN, "")
    assert found.found == ("unknown: the resolver did not answer",)


def test_a_record_that_would_need_too_many_lookups_is_not_printed() -> None:
    senders = " ".join(f"a:host{n}.example.net" for n in range(10))
    lookup = published(AMAZON, f"example.com TXT v=spf1 {senders} ~all")
    found = check_spf("example.com", "", "example.com", [], "~all", lookup)
    assert (found.verdict, found.publish) == (Verdict.WRONG, "")
    assert "more than 10 DNS look-ups" in found.fix

"""DMARC: whatever is published, what is printed is never weaker."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.dmarc import Dmarc, organisation, parse, parse_all, policy_of, strength
from reconciler.planning.dmarc_check import check_dmarc
from reconciler.planning.dns_answers import Check, Outcome, Verdict
from support.published import published, wanted

BOTH = frozenset({"example.com", "news.example.com"})
STRICT = "_dmarc.example.com TXT v=DMARC1; p=reject"


def check(domain: str, *records: str, **settings: object) -> Check:
    return check_dmarc(wanted(domain, **settings), published(*records))[0]


@pytest.mark.parametrize(
    ("published_text", "settings", "printed"),
    [
        ("", {}, "v=DMARC1; p=none"),
        ("", {"dmarc_policy": "reject", "dmarc_subdomain_policy": "quarantine"}, "v=DMARC1; p=reject; sp=quarantine"),
        ("v=DMARC1; p=reject", {}, "v=DMARC1; p=reject"),
        ("v=DMARC1; p=none; sp=reject", {"dmarc_policy": "quarantine"}, "v=DMARC1; p=quarantine; sp=reject"),
        ("v=DMARC1; p=reject; pct=20; fo=1", {"dmarc_policy": "quarantine"}, "v=DMARC1; p=reject; pct=20; fo=1"),
        ("v=DMARC1; p=reject; pct=20; fo=1", {"dmarc_policy": "reject"}, "v=DMARC1; p=reject; fo=1"),
        ("v=DMARC1; p=none; adkim=s", {"dmarc_policy": "reject"}, "v=DMARC1; p=reject; adkim=s"),
        ("v=DMARC1; p=none; rua=mailto:a@example.com!10m", {"dmarc_report_address": "b@example.com"},
         "v=DMARC1; p=none; rua=mailto:a@example.com!10m, mailto:b@example.com"),
        ("v=DMARC1; p=none; rua=mailto:B@example.com", {"dmarc_report_address": "b@example.com"},
         "v=DMARC1; p=none; rua=mailto:B@example.com"),
        ("v=DMARC1; p=strict; rua=mailto:a@example.com", {}, "v=DMARC1; p=none; rua=mailto:a@example.com"),
        ("v=DMARC1; rua=mailto:a@example.com", {}, "v=DMARC1; p=none; rua=mailto:a@example.com"),
        ("v=DMARC1; p=reject; sp=strict", {}, "v=DMARC1; p=reject"),
        ("v=DMARC1; p=reject; p=none", {}, "v=DMARC1; p=reject"),
        ("v=DMARC1; p=none; sp=reject; sp=none", {}, "v=DMARC1; p=none; sp=reject"),
        ("v=DMARC1; p=none; aspf=S", {}, "v=DMARC1; p=none; aspf=S"),
        ("p=reject", {}, "v=DMARC1; p=none"),
    ],
)  # fmt: skip
def test_the_published_record_is_kept_or_strengthened(
    published_text: str, settings: dict[str, str], printed: str
) -> None:
    records = [f"_dmarc.example.com TXT {published_text}"] if published_text else []
    assert check("example.com", *records, **settings).publish == printed


@pytest.mark.parametrize(
    ("records", "settings", "verdict", "printed"),
    [
        ((STRICT,), {}, Verdict.OK, ""),
        ((f"{STRICT}; sp=none",), {}, Verdict.OK, ""),  # the parent has a policy, and no other is wanted
        ((f"{STRICT}; sp=none",), {"dmarc_policy": "quarantine"}, Verdict.MISSING, "v=DMARC1; p=quarantine"),
        ((STRICT, "_dmarc.news.example.com TXT v=DMARC1; p=none"), {}, Verdict.WRONG, ""),
        ((f"{STRICT}; sp=none", "_dmarc.news.example.com TXT v=DMARC1; p=quarantine"), {}, Verdict.ACCEPTABLE,
         "v=DMARC1; p=quarantine"),
        ((f"{STRICT}; sp=none; adkim=s; aspf=s",), {"dmarc_policy": "reject"}, Verdict.MISSING,
         "v=DMARC1; p=reject; adkim=s; aspf=s"),
        (("_dmarc.example.com TXT v=DMARC1; sp=none",), {}, Verdict.MISSING, "v=DMARC1; p=none"),  # it is no policy
        ((STRICT, STRICT), {}, Verdict.MISSING, "v=DMARC1; p=none"),  # two records of the parent mean none
        (("_dmarc.example.com TXT v=DMARC1; p=none",), {"dmarc_policy": "reject", "domains": BOTH},
         Verdict.OK, ""),  # the parent is about to get this policy
        ((), {"dmarc_policy": "reject", "dmarc_subdomain_policy": "none", "domains": BOTH},
         Verdict.MISSING, "v=DMARC1; p=reject; sp=none"),
    ],
)  # fmt: skip
def test_a_subdomain_gets_a_record_only_if_it_must_be_stricter(
    records: tuple[str, ...], settings: dict[str, object], verdict: Verdict, printed: str
) -> None:
    found = check("news.example.com", *records, **settings)
    assert (found.verdict, found.publish) == (verdict, printed)


def test_only_the_organisational_domain_is_inherited_but_no_domain_above_is_weakened() -> None:
    """Which of the domains above counts differs between RFC 7489 and its successor."""
    found = check("news.test.example.com", "_dmarc.test.example.com TXT v=DMARC1; p=reject")
    assert (found.verdict, found.publish) == (Verdict.MISSING, "v=DMARC1; p=reject")


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
    ],
)
def test_the_organisational_domain(domain: str, expected: str) -> None:
    assert organisation(domain) == expected


def test_alignment_is_not_taken_from_a_public_suffix() -> None:
    found = check("example.gov.uk", "_dmarc.gov.uk TXT v=DMARC1; p=none; aspf=s; adkim=s")
    assert found.publish == "v=DMARC1; p=none"


def test_what_cannot_be_read_is_not_replaced() -> None:
    for silent in ("_dmarc.news.example.com", "_dmarc.example.com"):
        (found,) = check_dmarc(wanted("news.example.com"), published(silent=[silent]))
        assert (found.verdict, found.publish) == (Verdict.UNKNOWN, "")
        assert found.found[0].startswith("unknown: ")


@pytest.mark.parametrize(
    ("records", "settings", "verdict", "fix"),
    [
        (("_dmarc.example.com TXT v=DMARC1; p=none",), {}, Verdict.OK, ""),
        (("_dmarc.example.com TXT v=DMARC1;p=none",), {}, Verdict.OK, ""),
        (("_dmarc.example.com TXT v=DMARC1; p=none; aspf=S",), {}, Verdict.ACCEPTABLE, "with aspf=s, SPF"),
        (("_dmarc.example.com TXT v=DMARC1; p=reject; p=none",), {}, Verdict.WRONG, "it has p= twice: replace it"),
        (("_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s",), {}, Verdict.ACCEPTABLE, "with aspf=s, SPF"),
        (("_dmarc.example.com TXT v=DMARC1; p=none; sp=none",), {"dmarc_subdomain_policy": "reject"}, Verdict.WRONG,
         "weaker for subdomains"),
        (("_dmarc.example.com TXT v=DMARC1; p=none",), {"dmarc_report_address": "a@example.com"}, Verdict.WRONG,
         "add rua=mailto:a@example.com"),
        (("_dmarc.example.com CNAME d.example.net", "d.example.net TXT v=DMARC1; p=none"), {}, Verdict.ACCEPTABLE, ""),
        (("_dmarc.example.com CNAME d.example.net", "d.example.net TXT v=DMARC1; p=none"), {"dmarc_policy": "reject"},
         Verdict.WRONG, "(at d.example.net, where the CNAME leads)"),
        (("_dmarc.example.com CNAME d.example.net",), {}, Verdict.WRONG, "leads to d.example.net, which has no TXT"),
        (("_dmarc.example.com TXT p=none",), {}, Verdict.WRONG, "it does not begin with v=DMARC1;"),
        (("_dmarc.example.com.example.com TXT v=DMARC1; p=none",), {}, Verdict.WRONG, "the zone was appended twice"),
    ],
)  # fmt: skip
def test_a_record_is_judged(records: tuple[str, ...], settings: dict[str, object], verdict: Verdict, fix: str) -> None:
    found = check("example.com", *records, **settings)
    assert found.verdict is verdict
    assert fix in found.fix


def test_strict_alignment_of_any_of_two_records_is_kept() -> None:
    found = check("example.com", "_dmarc.example.com TXT v=DMARC1; p=reject",
                  "_dmarc.example.com TXT v=DMARC1; p=none; adkim=s")  # fmt: skip
    assert (found.verdict, found.wanted) == (Verdict.WRONG, "v=DMARC1; p=reject; adkim=s")


def test_a_subdomain_that_inherits_strict_alignment_says_so() -> None:
    assert "with aspf=s" in check("news.example.com", f"{STRICT}; aspf=s").fix


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (["example.com._report._dmarc.example.net TXT v=DMARC1"], Verdict.OK),
        (["example.com._report._dmarc.example.net TXT v=DMARC1;"], Verdict.OK),
        (["example.com._report._dmarc.example.net TXT yes"], Verdict.WRONG),
        ([], Verdict.MISSING),
    ],
)
def test_another_organisation_must_agree_to_receive_reports(records: list[str], verdict: Verdict) -> None:
    settings = wanted(dmarc_report_address="dmarc@example.net")
    assert check_dmarc(settings, published(*records))[1].verdict is verdict


def test_an_agreement_that_cannot_be_read_is_unknown_and_the_own_organisation_needs_none() -> None:
    name = "example.com._report._dmarc.example.net"
    (_, found) = check_dmarc(wanted(dmarc_report_address="a@example.net"), published(silent=[name]))
    assert found.verdict is Verdict.UNKNOWN
    assert len(check_dmarc(wanted(dmarc_report_address="a@reports.example.com"), published())) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v=DMARC1; p=reject; pct=x", 200), ("v=DMARC1; p=reject; pct=0", 100), ("v=DMARC1; p=quarantine; pct=999", 100),
     ("v=DMARC1; p=none; pct=50", 0), ("v=DMARC1;", 0)],
)  # fmt: skip
def test_the_strength_of_a_record(text: str, expected: int) -> None:
    record = parse(text)
    assert record
    assert record.strength == record.subdomain_strength == expected
    assert strength(policy_of(expected)) >= expected


def test_text_that_only_resembles_dmarc_is_none() -> None:
    assert parse_all(["p=none; v=DMARC1", "v=DMARC10; p=none", "v=dmarc1; p=none", ""]) == []
    assert str(Dmarc((("v", "DMARC1"), ("p", "none")))) == "v=DMARC1; p=none"


POLICIES = st.sampled_from(["none", "quarantine", "reject", "REJECT", "strict", ""])
TEXTS = st.builds(
    lambda p, sp, pct, spf, version: "; ".join(
        filter(None, [version, p and f"p={p}", sp and f"sp={sp}", pct and f"pct={pct}", spf])
    ),
    POLICIES, POLICIES, st.sampled_from(["", "0", "30", "100", "x"]), st.sampled_from(["", "aspf=s", "t=y"]),
    st.sampled_from(["v=DMARC1", "v=DMARC1", "v=spf1"]),
)  # fmt: skip
NAMES = ("example.com", "test.example.com", "news.test.example.com")
ZONES = st.fixed_dictionaries({name: st.lists(TEXTS, max_size=2) for name in NAMES})
SETTINGS = st.fixed_dictionaries(
    {
        "dmarc_policy": st.sampled_from(["none", "quarantine", "reject"]),
        "dmarc_subdomain_policy": st.sampled_from(["", "none", "quarantine", "reject"]),
        "dmarc_report_address": st.sampled_from(["", "dmarc@example.com"]),
    }
)


def effective(zone: dict[str, list[str]], domain: str, above: list[str]) -> int:
    """What a receiver does, 0 to 200. `above`: the domains that it asks after the domain itself."""
    for at, name in enumerate([domain, *above]):
        records = [text for text in zone.get(name, []) if text.startswith("v=DMARC1")]
        if len(records) > 1:
            return 0
        if records:
            tags = dict(re.findall(r"(\w+)=([^;]*)", records[0]))
            known = ("none", "quarantine", "reject")
            policy = tags["sp"].lower() if at and tags.get("sp", "").lower() in known else tags.get("p", "").lower()
            percent = int(tags["pct"]) if tags.get("pct", "").isdecimal() else 100
            return 100 * (known.index(policy) - 1) + percent if policy in known[1:] else 0
    return 0


@given(ZONES, SETTINGS, st.sets(st.sampled_from(NAMES), min_size=1))
def test_nothing_that_is_printed_weakens_dmarc(
    zone: dict[str, list[str]], settings: dict[str, str], domains: set[str]
) -> None:
    """Of a domain and of a subdomain without a record, after each record is published, alone and all together."""
    lookup = published(*(f"_dmarc.{name} TXT {text}" for name, texts in zone.items() for text in texts))
    checks = {name: check_dmarc(wanted(name, domains=frozenset(domains), **settings), lookup)[0] for name in domains}
    printed = {name: [found.publish] for name, found in checks.items() if found.publish}
    for after in [zone | printed, *(zone | {name: texts} for name, texts in printed.items())]:
        for domain in (*NAMES, *(f"x.{name}" for name in NAMES)):
            nearest = [name for name in reversed(NAMES) if domain.endswith(f".{name}")]
            for above in (["example.com"], nearest):
                assert effective(after, domain, above) >= effective(zone, domain, above), (domain, after)


@given(ZONES, SETTINGS)
def test_what_was_printed_is_right_once_it_is_published(zone: dict[str, list[str]], settings: dict[str, str]) -> None:
    texts = [f"_dmarc.{name} TXT {text}" for name, values in zone.items() if name != "example.com" for text in values]
    found = check_dmarc(
        wanted(**settings), published(*texts, *(f"_dmarc.example.com TXT {t}" for t in zone["example.com"]))
    )
    again = check_dmarc(wanted(**settings), published(*texts, f"_dmarc.example.com TXT {found[0].publish}"))
    assert again[0].verdict in (Verdict.OK, Verdict.ACCEPTABLE)
    assert again[0].publish == found[0].publish


def test_an_outcome_that_was_not_queried_is_unknown() -> None:
    lookup = published(silent=["_dmarc.example.com"], outcome=Outcome.NOT_QUERIED)
    assert check_dmarc(wanted(), lookup)[0].found == ("unknown: not queried",)

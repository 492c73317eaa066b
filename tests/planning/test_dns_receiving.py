"""MTA-STS and TLS-RPT of domains that receive mail, and the state of the SES account."""

from __future__ import annotations

import pytest

from reconciler.core.ses import SesAccount
from reconciler.planning.dns_answers import Check, Lookup, Verdict
from reconciler.planning.mta_sts import Fetched, parse_policy, policy_id, policy_text, tag_problem, uncovered
from reconciler.planning.receiving_checks import check_receiving
from reconciler.planning.ses_account import account_warnings
from support.published import published, wanted

HOSTS = ("mx1.example.com", "mx2.example.com")
TEXT = policy_text("testing", HOSTS)
STS = f"_mta-sts.example.com TXT v=STSv1; id={policy_id(TEXT)}"
TLS = "_smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:tls@example.com"


def checks(fetched: Fetched, lookup: Lookup, **settings: object) -> dict[str, Check]:
    domain = wanted(receiving_hosts={"example.com": HOSTS}, tls_report_address="tls@example.com", **settings)
    return {check.kind: check for check in check_receiving(domain, lookup, lambda _: fetched)}


def test_a_domain_that_receives_no_mail_needs_nothing() -> None:
    assert check_receiving(wanted(), published(), lambda _: Fetched()) == []


def test_without_an_address_there_is_no_tls_rpt() -> None:
    found = check_receiving(wanted(receiving_hosts={"example.com": HOSTS}), published(), lambda _: Fetched())
    assert [check.kind for check in found] == ["mta_sts_policy", "mta_sts"]


def test_the_text_and_its_id() -> None:
    assert TEXT == "version: STSv1\nmode: testing\nmx: mx1.example.com\nmx: mx2.example.com\nmax_age: 604800\n"
    assert policy_id(TEXT) == "e0c9e24a13d76980"
    assert policy_id(policy_text("enforce", HOSTS)) != policy_id(TEXT)


@pytest.mark.parametrize(
    ("fetched", "verdict", "fix"),
    [
        (Fetched(TEXT), Verdict.OK, ""),
        (Fetched(TEXT.replace("\n", "\r\n")), Verdict.OK, ""),
        (Fetched(policy_text("enforce", HOSTS)), Verdict.ACCEPTABLE, ""),
        (Fetched(policy_text("testing", ["*.example.com"])), Verdict.ACCEPTABLE, ""),
        (Fetched(policy_text("none", HOSTS)), Verdict.WRONG, "serve mode: testing"),
        (Fetched(policy_text("testing", HOSTS[:1])), Verdict.WRONG, "add mx: mx2.example.com"),
        (Fetched("<html>"), Verdict.WRONG, "serve the policy text"),
        (Fetched(problem="HTTP status 404"), Verdict.MISSING, "serve the policy text"),
        (Fetched(problem="the resolver did not answer", known=False), Verdict.UNKNOWN, ""),
    ],
)
def test_the_policy_file(fetched: Fetched, verdict: Verdict, fix: str) -> None:
    found = checks(fetched, published(STS, TLS))["mta_sts_policy"]
    assert found.verdict is verdict
    assert fix in found.fix
    assert found.name == "https://mta-sts.example.com/.well-known/mta-sts.txt"


def test_a_receiving_host_that_the_settings_lack_is_reported() -> None:
    found = checks(Fetched(TEXT), published("example.com MX 10 mx3.example.com"))["mta_sts_policy"]
    assert (found.verdict, found.fix) == (
        Verdict.WRONG,
        "add mx3.example.com to receiving_hosts, or remove its MX record",
    )
    unknown = checks(Fetched(TEXT), published(silent=["example.com"]))["mta_sts_policy"]
    assert (unknown.verdict, unknown.found) == (Verdict.UNKNOWN, ("unknown: the resolver did not answer",))


@pytest.mark.parametrize(
    ("record", "verdict", "publish"),
    [
        (STS, Verdict.OK, "v=STSv1; id=e0c9e24a13d76980"),
        ("_mta-sts.example.com TXT v=STSv1; id=20260101;", Verdict.ACCEPTABLE, "v=STSv1; id=20260101;"),
        ("_mta-sts.example.com TXT v=STSv1; id=", Verdict.WRONG, "v=STSv1; id=e0c9e24a13d76980"),
        ("_mta-sts.example.com TXT id=1", Verdict.WRONG, "v=STSv1; id=e0c9e24a13d76980"),
        ("_mta-sts.example.com CNAME mta-sts.example.net", Verdict.WRONG, ""),
        ("example.com A 192.0.2.1", Verdict.MISSING, "v=STSv1; id=e0c9e24a13d76980"),
    ],
)
def test_the_record_of_mta_sts(record: str, verdict: Verdict, publish: str) -> None:
    found = checks(Fetched(TEXT), published(record))["mta_sts"]
    assert (found.verdict, found.publish) == (verdict, publish)


def test_two_records_of_mta_sts_mean_none() -> None:
    found = checks(Fetched(TEXT), published(STS, STS))["mta_sts"]
    assert (found.verdict, found.fix) == (Verdict.WRONG, "several records mean the same as none: keep one")


def test_an_unrelated_record_beside_it_does_not_matter() -> None:
    assert checks(Fetched(TEXT), published("_mta-sts.example.com TXT x", STS))["mta_sts"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("record", "verdict", "publish"),
    [
        (TLS, Verdict.OK, "v=TLSRPTv1; rua=mailto:tls@example.com"),
        (f"{TLS},https://example.net/tls", Verdict.ACCEPTABLE, f"{TLS.split(' ', 2)[2]},https://example.net/tls"),
        ("_smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:a@example.net; x=1", Verdict.WRONG,
         "v=TLSRPTv1; rua=mailto:tls@example.com,mailto:a@example.net; x=1"),
        ("_smtp._tls.example.com TXT v=TLSRPTv1; rua=a@example.net", Verdict.WRONG, TLS.split(" ", 2)[2]),
    ],
)  # fmt: skip
def test_the_record_of_tls_rpt(record: str, verdict: Verdict, publish: str) -> None:
    found = checks(Fetched(TEXT), published(record))["tls_rpt"]
    assert (found.verdict, found.publish) == (verdict, publish)


def test_a_record_that_cannot_be_read_is_not_replaced() -> None:
    found = checks(Fetched(TEXT), published(silent=["_smtp._tls.example.com"]))["tls_rpt"]
    assert (found.verdict, found.publish) == (Verdict.UNKNOWN, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TEXT.replace("STSv1", "STSv2"), "its version is not STSv1"),
        (TEXT.replace("testing", "test"), "its mode is not none, testing or enforce"),
        (TEXT.replace("604800", "a week"), "its max_age is no number"),
        (policy_text("enforce", []), "it names no mx"),
    ],
)
def test_an_invalid_policy(text: str, problem: str) -> None:
    assert parse_policy(text) == problem
    assert not isinstance(parse_policy(policy_text("none", [])), str)


def test_a_pattern_matches_one_label() -> None:
    hosts = ["a.mx.example.net", "b.a.mx.example.net"]
    assert uncovered(hosts, ["*.mx.example.net"]) == ["b.a.mx.example.net"]


def test_an_address_for_reports_is_a_mailto_or_https() -> None:
    assert tag_problem("v=TLSRPTv1; rua=https://example.net/a, mailto:a@example.net", "TLSRPTv1") == ""
    assert tag_problem("v=TLSRPTv1", "TLSRPTv1") == "its rua is no mailto: or https:"


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (SesAccount("eu-west-1", False, True, "HEALTHY"), []),
        (SesAccount("eu-west-1", True, True, "HEALTHY"), ["in the SES sandbox"]),
        (SesAccount("eu-west-1", False, False, "HEALTHY"), ["sending is disabled"]),
        (SesAccount("eu-west-1", False, True, "SHUTDOWN"), ["AWS paused sending"]),
        (SesAccount("eu-west-1", True, True, "PROBATION"), ["under review (PROBATION)", "in the SES sandbox"]),
    ],
)
def test_what_is_wrong_with_an_account(account: SesAccount, words: list[str]) -> None:
    found = account_warnings(account)
    assert len(found) == len(words)
    for (what, hint), expected in zip(found, words, strict=True):
        assert what.startswith("SES in eu-west-1: ")
        assert expected in what
        assert "SES console" in hint

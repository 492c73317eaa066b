"""The DNS report as text, JSON and zone file."""

from __future__ import annotations

import json
import re

import dns.zonefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ses import SesAccount, SesIdentity
from reconciler.output.dns import to_json, to_lines, to_zone
from reconciler.output.styled import plain
from reconciler.planning.dns_answers import Check, Verdict
from reconciler.planning.dns_report import DnsReport, check_domain
from reconciler.planning.mta_sts import Fetched
from support.attacks import ATTACKS
from support.neutral import assert_log_is_neutral
from support.published import published, wanted
from support.world import REGION

IDENTITY = SesIdentity(REGION, True, "SUCCESS", ("abc",), "dkim.amazonses.com", configuration_set="smtp-test")
HEALTHY = SesAccount(REGION, sandbox=False, sending_enabled=True, enforcement="HEALTHY")


def a_report(*records: str, account: SesAccount = HEALTHY) -> DnsReport:
    domain = wanted(
        dmarc_report_address="dmarc@example.net",
        receiving_hosts={"example.com": ("mx.example.com",)},
        tls_report_address="tls@example.com",
        spf_includes=("_spf.example.net",),
    )
    fetched = Fetched(problem="HTTP status 404")
    checks = check_domain(domain, {REGION: IDENTITY}, published(*records), lambda _: fetched)
    return DnsReport("test", [account], checks, {"example.com": domain.mta_sts_policy}, ["a note"])


def a_check(found: str, verdict: Verdict = Verdict.WRONG, publish: str = "") -> DnsReport:
    check = Check("example.com", "", "spf", "TXT", found, found, (found,), verdict, found, publish)
    return DnsReport("test", [HEALTHY], [check], {})


def test_a_record_that_is_not_ok_shows_what_is_wanted_and_found_and_the_fix() -> None:
    text = plain(to_lines(a_report("_dmarc.example.com TXT v=DMARC1; p=non; rua=mailto:dmarc@example.net"), None))
    assert (
        "  wrong      TXT _dmarc.example.com\n"
        "             wanted  v=DMARC1; p=none; rua=mailto:dmarc@example.net\n"
        "             found   v=DMARC1; p=non; rua=mailto:dmarc@example.net\n"
        "             fix     p=non is no policy: replace it\n"
    ) in text
    assert "  ok         SES identity in eu-central-1\n" in text
    assert text.endswith("\n\nRecords: 8 missing, 2 wrong, 2 ok.\na note")


def test_the_policy_that_is_not_served_is_printed() -> None:
    text = plain(to_lines(a_report(), None))
    assert (
        "\nhttps://mta-sts.example.com/.well-known/mta-sts.txt should be:\n"
        "  version: STSv1\n  mode: testing\n  mx: mx.example.com\n  max_age: 604800\n"
    ) in text
    assert "should be" not in plain(to_lines(a_check("x"), None))


def test_it_fits_eighty_columns_where_no_single_word_is_longer() -> None:
    lines = plain(to_lines(a_report(), 80)).splitlines()
    assert [line for line in lines if len(line) > 80 and " " in line[21:].strip()] == []


def test_a_remark_on_a_record_that_is_ok_or_acceptable_is_a_note() -> None:
    text = plain(to_lines(a_check("remark", Verdict.OK), None))
    assert "  ok         TXT remark\n             note  remark\n" in text
    assert "note    remark" in plain(to_lines(a_check("remark", Verdict.ACCEPTABLE), None))


def test_an_account_that_cannot_send_is_the_first_thing_to_see() -> None:
    account = SesAccount(REGION, sandbox=True, sending_enabled=True, enforcement="PROBATION")
    lines = plain(to_lines(a_report(account=account), 80)).splitlines()
    assert lines[1].startswith("warning: SES in eu-central-1: the account is under review")
    assert lines[2].startswith("  hint: ")
    assert json.loads(to_json(a_report(account=account)))["accounts"][0]["warnings"][1]["message"].count("SES sandbox")


def test_the_zone_can_be_read_by_a_name_server() -> None:
    text = plain(to_zone(a_report("example.com TXT v=spf1 mx -all")))
    sets = {str(each.name): str(each[0]) for each in dns.zonefile.read_rrsets(text, default_ttl=1, rdclass=None)}
    assert sets["example.com."] == '"v=spf1 mx include:amazonses.com include:_spf.example.net -all"'
    assert sets["abc._domainkey.example.com."] == "abc.dkim.amazonses.com."
    assert sets["_dmarc.example.com."] == '"v=DMARC1; p=none; rua=mailto:dmarc@example.net"'
    assert "example.com._report._dmarc.example.net." not in sets  # of another zone: a comment
    assert '; example.com._report._dmarc.example.net. 3600 IN TXT "v=DMARC1"' in text
    assert "; replaces what is published: add include:amazonses.com include:_spf.example.net\n" in text


def test_the_zone_says_what_it_does_not_contain() -> None:
    assert plain(to_zone(a_check("example.com"))).endswith("; not printed: example.com TXT: example.com")


@given(st.text(st.characters(max_codepoint=255), min_size=1, max_size=700))
def test_any_text_record_survives_the_zone_file(text: str) -> None:
    (line,) = [
        each for each in plain(to_zone(a_check("example.com", publish=text))).splitlines() if each[:1] not in ";"
    ]
    (found,) = dns.zonefile.read_rrsets(line, default_ttl=1, rdclass=None)
    assert b"".join(found[0].strings).decode("latin-1") == text
    assert max(map(len, found[0].strings)) <= 255


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_published_text_acts_on_a_terminal_or_a_log(attack: str) -> None:
    for report in (a_check(attack), a_check(attack, Verdict.OK), a_check("example.com", publish=attack)):
        assert_log_is_neutral(plain(to_lines(report, 80)))
        if attack != "\ud800":
            assert_log_is_neutral(plain(to_zone(report)))
        assert_log_is_neutral(to_json(report))


def test_the_json_document() -> None:
    shown = json.loads(to_json(a_report()))
    assert [*shown] == ["format", "environment", "accounts", "records", "mta_sts_policies", "notes"]
    assert shown["accounts"][0] == {
        "region": REGION, "sandbox": False, "sending_enabled": True, "enforcement": "HEALTHY", "warnings": [],
    }  # fmt: skip
    assert shown["records"][3] == {
        "domain": "example.com",
        "region": REGION,
        "kind": "dkim",
        "type": "CNAME",
        "name": "abc._domainkey.example.com",
        "wanted": "abc.dkim.amazonses.com",
        "found": ["nothing: the name does not exist"],
        "verdict": "missing",
        "fix": "publish it; it must not be proxied",
        "publish": "abc.dkim.amazonses.com",
    }
    assert re.fullmatch("[0-9a-f]{16}", shown["mta_sts_policies"]["example.com"]["id"])
    assert shown["mta_sts_policies"]["example.com"]["text"].startswith("version: STSv1\n")
    assert shown["notes"] == ["a note"]


def test_a_report_fails_if_something_is_missing_or_wrong() -> None:
    assert a_report().failed
    assert [a_check("x", verdict).failed for verdict in Verdict] == [False, False, False, False, True, True]

"""Identities in SES, and their DKIM and MAIL FROM records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.ses import SesIdentity
from reconciler.planning.dns_answers import Answer, Check, Lookup, Outcome, Verdict
from reconciler.planning.identity_checks import check_identity
from support.published import published, wanted
from support.world import REGION

IDENTITY = SesIdentity(
    region=REGION,
    verified=True,
    dkim_status="SUCCESS",
    dkim_tokens=("abc",),
    dkim_zone="dkim.amazonses.com",
    mail_from="bounce.example.com",
    mail_from_status="SUCCESS",
    configuration_set="smtp-test",
)
NAME = "abc._domainkey.example.com"
TARGET = "abc.dkim.amazonses.com"
HOST = f"feedback-smtp.{REGION}.amazonses.com"
KEY = f"{TARGET} TXT p=MIGf"
AMAZON = "amazonses.com TXT v=spf1 ip4:192.0.2.0/24 -all"


def checks(identity: SesIdentity | None, lookup: Lookup | None = None, **settings: object) -> dict[str, Check]:
    found = check_identity(wanted(**settings), REGION, identity, lookup or published())
    return {check.kind: check for check in found}


def test_an_identity_that_is_missing_must_be_created() -> None:
    found = checks(None)
    assert [*found] == ["identity"]
    assert (found["identity"].verdict, found["identity"].fix) == (Verdict.MISSING, "create it: make apply ENV=test")
    assert "remove it from identities" in checks(None, existing=True)["identity"].fix
    assert checks(None, local=True)["identity"].verdict is Verdict.UNKNOWN
    assert checks(replace(IDENTITY, verified=False), local=True)["identity"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("change", "verdict", "fix"),
    [
        ({}, Verdict.OK, ""),
        ({"verified": False, "dkim_status": "PENDING"}, Verdict.WRONG, "within 72 hours"),
        ({"verified": False, "dkim_status": "FAILED"}, Verdict.WRONG, "put-email-identity-dkim-signing-attributes"),
        ({"dkim_status": "NOT_STARTED", "dkim_tokens": ()}, Verdict.WRONG, "put-email-identity-dkim-attributes"),
        ({"dkim_signing": False}, Verdict.WRONG, f"put-email-identity-dkim-attributes --region {REGION} --email-id"),
    ],
)
def test_the_verification_of_an_identity(change: dict[str, object], verdict: Verdict, fix: str) -> None:
    found = checks(replace(IDENTITY, **change))["identity"]  # type: ignore[arg-type]
    assert found.verdict is verdict
    assert fix in found.fix


@pytest.mark.parametrize(
    ("change", "settings", "verdict", "fix"),
    [
        ({}, {}, Verdict.OK, ""),
        ({"mail_from": ""}, {}, Verdict.WRONG, "make apply ENV=test"),
        ({"mail_from": "mail.example.com"}, {}, Verdict.WRONG, "make apply ENV=test"),
        ({"mail_from_status": "PENDING"}, {}, Verdict.WRONG, "within 72 hours"),
        ({"mail_from_status": "FAILED"}, {}, Verdict.WRONG, "put-email-identity-mail-from-attributes"),
        ({"mail_from": "mail.example.com"}, {"existing": True}, Verdict.OK, ""),
        ({"mail_from": ""}, {"existing": True}, Verdict.OPTIONAL, "DKIM does"),
        ({"mail_from": ""}, {"local": True}, Verdict.UNKNOWN, "a local AWS does not store this"),
    ],
)
def test_the_mail_from_domain_of_an_identity(
    change: dict[str, object], settings: dict[str, object], verdict: Verdict, fix: str
) -> None:
    found = checks(replace(IDENTITY, **change), **settings)["mail_from"]  # type: ignore[arg-type]
    assert found.verdict is verdict
    assert fix in found.fix


def test_records_are_those_of_the_mail_from_domain_that_the_identity_has() -> None:
    existing = replace(IDENTITY, mail_from="mail.example.com")
    assert checks(existing, existing=True)["mail_from_mx"].name == "mail.example.com"
    assert checks(existing)["mail_from_mx"].name == "bounce.example.com"
    assert "mail_from_mx" not in checks(replace(IDENTITY, mail_from=""), existing=True)


def test_a_further_region_has_its_own_label() -> None:
    identity = replace(IDENTITY, mail_from=f"bounce-{REGION}.example.com")
    assert checks(identity, regions=("us-east-1", REGION))["mail_from"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("name", "existing", "verdict"),
    [
        ("smtp-test", False, Verdict.OK),
        ("", False, Verdict.WRONG),
        ("other", False, Verdict.WRONG),
        ("other", True, Verdict.ACCEPTABLE),
    ],
)
def test_the_default_configuration_set(name: str, existing: bool, verdict: Verdict) -> None:
    found = checks(replace(IDENTITY, configuration_set=name), existing=existing)["configuration_set"]
    assert found.verdict is verdict
    assert ("X-SES-CONFIGURATION-SET: smtp-test" in found.fix) == existing


def test_a_local_aws_stores_no_default_configuration_set() -> None:
    assert checks(replace(IDENTITY, configuration_set=""), local=True)["configuration_set"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("records", "verdict", "fix"),
    [
        ((f"{NAME} CNAME {TARGET}", KEY), Verdict.OK, ""),
        ((f"{NAME} CNAME {TARGET.upper()}", f"{TARGET.upper()} TXT p=MIGf"), Verdict.OK, ""),
        ((f"{NAME} CNAME {TARGET}", f"{TARGET} TXT p="), Verdict.WRONG, "SES publishes the key there"),
        ((f"{NAME} CNAME {TARGET}.example.com",), Verdict.WRONG, "enter it with a final dot"),
        ((f"{NAME} CNAME abc.dkim.{REGION}.amazonses.com",), Verdict.WRONG, f"change the target to {TARGET}"),
        ((f"{NAME} TXT p=MIGf",), Verdict.WRONG, "replace the TXT record"),
        ((f"{NAME}.example.com CNAME {TARGET}",), Verdict.WRONG, "the zone was appended twice"),
        ((), Verdict.MISSING, "publish it"),
    ],
)
def test_a_dkim_record(records: tuple[str, ...], verdict: Verdict, fix: str) -> None:
    found = checks(IDENTITY, published(*records))["dkim"]
    assert found.verdict is verdict
    assert fix in found.fix
    assert found.publish == TARGET


@pytest.mark.parametrize("silent", [NAME, TARGET])
def test_a_dkim_record_that_cannot_be_read(silent: str) -> None:
    found = checks(IDENTITY, published(f"{NAME} CNAME {TARGET}", silent=[silent]))["dkim"]
    assert (found.verdict, found.publish) == (Verdict.UNKNOWN, TARGET)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ((), Verdict.UNKNOWN),
        ((f"{NAME} CNAME {TARGET}", KEY), Verdict.OK),
        ((f"{NAME} CNAME other.dkim.amazonses.com",), Verdict.WRONG),
    ],
)
def test_a_dkim_zone_that_ses_does_not_report_is_not_guessed(records: tuple[str, ...], verdict: Verdict) -> None:
    found = checks(replace(IDENTITY, dkim_zone=""), published(*records))["dkim"]
    assert (found.verdict, found.publish, found.wanted) == (verdict, "", "abc.ZONE")
    silent = checks(replace(IDENTITY, dkim_zone=""), published(silent=[NAME]))["dkim"]
    assert "did not report the DKIM zone" in silent.fix


@pytest.mark.parametrize(
    ("lookup", "verdict"),
    [
        (published(f"{NAME} TXT v=DKIM1; k=rsa; p=MIGf"), Verdict.OK),
        (published(), Verdict.MISSING),
        (published(failed=[NAME]), Verdict.UNKNOWN),
    ],
)
def test_the_owners_own_key(lookup: Lookup, verdict: Verdict) -> None:
    found = checks(replace(IDENTITY, dkim_origin="EXTERNAL"), lookup)["dkim"]
    assert (found.type, found.verdict, found.publish) == ("TXT", verdict, "")


@pytest.mark.parametrize(
    ("records", "verdict", "fix"),
    [
        ((f"bounce.example.com MX 10 {HOST}",), Verdict.OK, ""),
        ((f"bounce.example.com MX 5 {HOST}",), Verdict.ACCEPTABLE, ""),
        (("bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com",), Verdict.WRONG, "change the host to"),
        ((f"bounce.example.com MX 10 {HOST}", "bounce.example.com MX 20 mx.example.net"), Verdict.WRONG, "the others"),
        ((f"bounce.example.com.example.com MX 10 {HOST}",), Verdict.WRONG, "the zone was appended twice"),
        ((), Verdict.MISSING, "publish it"),
    ],
)  # fmt: skip
def test_the_mx_of_mail_from(records: tuple[str, ...], verdict: Verdict, fix: str) -> None:
    found = checks(IDENTITY, published(AMAZON, *records))["mail_from_mx"]
    assert found.verdict is verdict
    assert fix in found.fix
    assert found.publish == f"10 {HOST}"


def test_an_mx_that_cannot_be_read_is_unknown() -> None:
    found = checks(IDENTITY, published(failed=["bounce.example.com"]))
    assert found["mail_from_mx"].found == ("unknown: the name servers of the domain failed",)
    assert found["mail_from_mx"].verdict is found["mail_from_spf"].verdict is Verdict.UNKNOWN


def test_a_name_that_leads_nowhere_says_so() -> None:
    assert (
        Answer(Outcome.NO_NAME, alias="a.example.net").absence
        == "nothing: it is a CNAME of a.example.net, which does not exist"
    )

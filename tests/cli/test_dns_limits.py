"""`reconcile dns` where something does not answer, is refused or is managed elsewhere; the warnings of `status`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from reconciler.engine import dns as engine_dns
from support.dns_place import POLICY, Place
from support.policy_server import make_certificate
from support.ses import an_identity
from support.world import REGION

URL = "https://mta-sts.example.com/.well-known/mta-sts.txt"


def test_a_resolver_that_does_not_answer_is_not_a_missing_record(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the command ends soon: after a few silent queries, no more are made."""
    monkeypatch.setattr(engine_dns, "SECONDS", 0.3)
    place.server.silent = {"*"}
    place.configure(allowed_domains=[f"{name}.example.com" for name in "abcdefgh"], receiving_hosts={})
    for name in "abcdefgh":
        place.world.ses.identities[REGION, f"{name}.example.com"] = an_identity(REGION, f"{name}.example.com")
    outcome = place.run()
    assert len(place.server.questions) < 30  # of more than eighty
    assert outcome.code == 1
    assert "missing" not in outcome.out
    assert "found   unknown: the resolver did not answer" in outcome.out
    assert outcome.err == "error: some records could not be read\n"
    assert not [line for line in place.zone() if "DMARC1" in line or " TXT " in line]


def test_a_name_server_that_fails_is_told_apart(place: Place) -> None:
    place.server.failing = {"_dmarc.example.com"}
    (record, inheriting) = place.not_ok()
    assert (record["verdict"], record["found"]) == ("unknown", ["unknown: the name servers of the domain failed"])
    assert inheriting["found"] == ["unknown: a domain above could not be read"]


def test_a_port_without_a_server_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_dns, "SECONDS", 0.2)
    outcome = place.checkout.run("dns", "--resolver", "127.0.0.1:9")
    assert outcome.code == 1
    assert "the resolver did not answer" in outcome.out


def test_a_long_answer_comes_over_tcp(place: Place) -> None:
    place.add(*(f'example.com. TXT "verification-{n}={"x" * 60}"' for n in range(9)))
    assert place.not_ok() == []


def test_a_name_that_no_name_server_can_have_is_just_absent(place: Place) -> None:
    place.change(
        "v=spf1 ip4:198.51.100.0/24", f"v=spf1 include:{'x' * 70}.example.net include:..a include:\xe4.example.net"
    )
    assert place.not_ok() == []


@pytest.mark.parametrize("address", ["localhost", "", "127.0.0.1:x", "[::1", "1.2.3", "[::1]:999999"])
def test_a_resolver_is_an_address(place: Place, address: str) -> None:
    outcome = place.checkout.run("dns", "--resolver", address)
    assert outcome.code == 1
    assert "is no IP address" in outcome.err


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (lambda p: setattr(p.policy, "status", 301), "HTTP status 301"),
        (lambda p: setattr(p.policy, "text", POLICY + "#" * 70_000), "the file is larger than 65536 bytes"),
        (lambda p: make_certificate(p.policy.certificate, "other.example.com"), "its certificate is not valid"),
        (lambda p: p.remove("mta-sts.example.com. A"), "the name does not exist"),
    ],
)  # fmt: skip
def test_a_policy_that_senders_would_not_get(place: Place, plant: Callable[[Place], None], reason: str) -> None:
    plant(place)
    (record,) = place.not_ok()
    assert (record["name"], record["verdict"]) == (URL, "missing")
    assert record["found"][0].startswith(f"nothing: {reason}")
    assert {host.partition("/")[0] for host in place.policy.hosts} <= {"mta-sts.example.com"}


@pytest.mark.parametrize(("error", "verdict"), [(ConnectionRefusedError, "missing"), (TimeoutError, "unknown")])
def test_a_connection_that_fails_here_may_work_elsewhere(
    place: Place, error: type[OSError], verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(engine_dns, "create_connection", fail)
    (record,) = place.not_ok()
    assert (record["name"], record["verdict"]) == (URL, verdict)
    assert f"no HTTPS connection ({error.__name__})" in record["found"][0]


def test_a_policy_is_only_fetched_from_a_public_address(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for kind, address in (("A", "10.0.0.1"), ("A", "169.254.169.254"), ("AAAA", "fd00:ec2::254"), ("A", "224.0.0.1")):
        place.remove("mta-sts.example.com. A")
        place.add(f"mta-sts.example.com. {kind} {address}")
        (record,) = [record for record in place.not_ok() if record["name"] == URL]
        assert record["found"] == ["nothing: mta-sts.example.com has an address that is not public"]
    assert place.policy.hosts == []


def test_a_server_that_sends_byte_by_byte_does_not_stop_the_command(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_dns, "SECONDS", 1)
    place.policy.drip = 0.5
    began = time.monotonic()
    (record,) = place.not_ok()
    assert time.monotonic() - began < 0.5 * len(place.policy.text) / 2
    assert (record["name"], record["verdict"]) == (URL, "missing")
    assert record["found"] == ["nothing: it takes longer than 1 s"]


def test_a_policy_host_that_cannot_be_looked_up_is_unknown(place: Place) -> None:
    place.server.failing = {"mta-sts.example.com"}
    (record,) = place.not_ok()
    assert (record["verdict"], record["found"]) == ("unknown", ["unknown: the name servers of the domain failed"])


def test_an_existing_identity_is_checked_as_it_is(place: Place) -> None:
    place.configure(identities={"example.com": "existing"})
    place.world.ses.identities[REGION, "example.com"] |= {
        "MailFromAttributes": {"MailFromDomain": "mail.example.com", "MailFromDomainStatus": "SUCCESS"},
        "ConfigurationSetName": "marketing",
    }
    place.change("bounce.example.com.", "mail.example.com.")
    (record,) = place.not_ok()
    assert (record["kind"], record["verdict"], record["found"]) == ("configuration_set", "acceptable", ["marketing"])
    assert place.run().code == 0


def test_every_smtp_region_has_its_own_records(place: Place) -> None:
    place.configure(smtp_regions=[REGION, "eu-west-1"])
    identity = an_identity("eu-west-1", "example.com")
    identity["DkimAttributes"]["Tokens"] = ["west"]
    identity["MailFromAttributes"]["MailFromDomain"] = "bounce-eu-west-1.example.com"
    place.world.ses.identities["eu-west-1", "example.com"] = identity
    found = {(record["name"], record["type"]): record for record in place.not_ok()}
    assert found["west._domainkey.example.com", "CNAME"]["wanted"] == "west.c7.dkim.eu-west-1.amazonses.com"
    mx = "10 feedback-smtp.eu-west-1.amazonses.com"
    assert found["bounce-eu-west-1.example.com", "MX"]["publish"] == mx
    assert found["news.example.com", "SES"]["fix"] == "create it: make apply ENV=test"
    assert f"bounce-eu-west-1.example.com. 3600 IN MX {mx}." in place.zone()


@pytest.mark.parametrize("operation", ["GetAccount", "GetEmailIdentity"])
def test_a_missing_permission_is_an_error(place: Place, operation: str) -> None:
    place.world.ses.refused[operation] = "AccessDeniedException"
    outcome = place.run()
    assert outcome.code == 1
    assert f"hint: the role in use lacks the permission ses:{operation} here" in outcome.err


def test_the_account_is_part_of_the_report(place: Place) -> None:
    place.world.ses.accounts[REGION] = {"ProductionAccessEnabled": False, "EnforcementStatus": "PROBATION"}
    text = place.run().out
    assert "warning: SES in eu-central-1: the account is under review (PROBATION)" in text
    assert "warning: SES in eu-central-1: the account is in the SES sandbox" in text


def test_status_warns_of_an_account_that_cannot_send(place: Place) -> None:
    place.configure(smtp_regions=[REGION, "eu-west-1"])
    place.world.ses.accounts["eu-west-1"] = {"ProductionAccessEnabled": True, "EnforcementStatus": "SHUTDOWN"}
    outcome = place.checkout.run("status", "--format", "json")
    assert outcome.code == 0
    assert json.loads(outcome.out) == []
    assert outcome.err.startswith("warning: SES in eu-west-1: AWS paused sending; every message is rejected\n  hint: ")
    assert outcome.calls.count("GetAccount") == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServiceErrorException"])
def test_status_does_not_need_the_state_of_the_account(place: Place, code: str) -> None:
    place.world.ses.refused["GetAccount"] = code
    outcome = place.checkout.run("status")
    assert (outcome.code, outcome.err) == (0, "")


def test_a_hundred_domains_take_a_few_seconds(place: Place) -> None:
    domains = [f"d{n}.example.com" for n in range(100)]
    place.configure(allowed_domains=domains, receiving_hosts={}, dmarc_report_address="dmarc@example.com")
    for domain in domains:
        place.world.ses.identities[REGION, domain] = an_identity(REGION, domain)
    began = time.process_time()
    assert place.run("--format", "json").code == 2
    assert time.process_time() - began < 30
    asked = place.server.questions
    assert len(asked) - len(set(asked)) < 50  # each is asked once, except by threads that ask at the same moment

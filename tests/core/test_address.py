from __future__ import annotations

import time

import pytest

from reconciler.core.address import (
    Rules,
    check_address,
    check_mailbox,
    check_network,
    normalize_address,
    normalize_network,
)
from support.world import RULES

STRICT = Rules(frozenset({"example.com"}), allow_wildcards=False)


@pytest.mark.parametrize(
    "address",
    [
        "billing@example.com",
        "Billing.Dept+a_b-c@example.com",
        "r&d@example.com",
        "billing@EXAMPLE.com",
        "*@example.com",
        "alerts-*@news.example.com",
        "alerts.*@example.com",
        "a*@example.com",
        "a.*@example.com",
        f"{'a' * 64}@example.com",
        f"{'a' * 64}*@example.com",
    ],
)
def test_an_address_that_follows_the_rules_may_be_granted(address: str) -> None:
    assert check_address(address, RULES) is None


@pytest.mark.parametrize(
    ("address", "message", "hint"),
    [
        ("b?lling@example.com", "contains '?'", "meaning in IAM policies"),
        ("${aws:username}@example.com", "contains '$'", "meaning in IAM policies"),
        ("{billing@example.com", "contains '{'", "meaning in IAM policies"),
        ("billing}@example.com", "contains '}'", "meaning in IAM policies"),
        ("bil ling@example.com", "the character U+0020", "plain ASCII"),
        ("billing@example.com\n", "the character U+000A", "plain ASCII"),
        ("b\u0456lling@example.com", "the character U+0456", "plain ASCII"),
        ("billing@ex\u00e4mple.com", "the character U+00E4", "plain ASCII"),
        ("billing@example.com\x7f", "the character U+007F", "plain ASCII"),
        ("", "is not an address", "write local@domain"),
        ("billing", "is not an address", "write local@domain"),
        ("@example.com", "is not an address", "write local@domain"),
        ("billing@", "is not an address", "write local@domain"),
        ("a@b@example.com", "is not an address", "write local@domain"),
        ("bil*ling@example.com", "'*' in an invalid position", "*@example.com or alerts-*@example.com"),
        ("*billing@example.com", "'*' in an invalid position", "at the end of the local part"),
        ("**@example.com", "'*' in an invalid position", "one '*'"),
        ("billing@*.example.com", "'*' in its domain", "local part only"),
        ("*@*", "'*' in its domain", "local part only"),
        (".billing@example.com", "invalid local part", "up to 64"),
        ("billing..dept@example.com", "invalid local part", "up to 64"),
        ('"billing"@example.com', "invalid local part", "up to 64"),
        ("bill\\ing@example.com", "invalid local part", "up to 64"),
        (f"{'a' * 65}@example.com", "invalid local part", "up to 64"),
        ("billing@example..com", "invalid domain", "billing@example.com"),
        ("billing@-example.com", "invalid domain", "billing@example.com"),
        (f"billing@{'a' * 64}.example.com", "invalid domain", "billing@example.com"),
        (f"billing@{'a.' * 130}example.com", "invalid domain", "billing@example.com"),
        ("billing@example.org", "the domain example.org is not allowed", "example.com, news.example.com"),
        ("billing@sub.example.com", "the domain sub.example.com is not allowed", "allowed domains: "),
        ("billing@evilexample.com", "the domain evilexample.com is not allowed", "allowed domains: "),
    ],
)
def test_an_address_that_breaks_a_rule_is_refused_with_what_would_be_right(
    address: str, message: str, hint: str
) -> None:
    fault = check_address(address, RULES)
    assert fault
    assert message in fault.message
    assert hint in fault.hint


@pytest.mark.parametrize("address", [".*@example.com", "alerts..*@example.com"])
def test_a_wildcard_that_no_mail_address_could_match_is_refused(address: str) -> None:
    fault = check_address(address, RULES)
    assert fault
    assert "invalid local part" in fault.message


def test_a_refused_address_is_shown_in_plain_ascii_whatever_it_holds() -> None:
    fault = check_address("b\u0456lling\x1b[2K@example.com", RULES)
    assert fault
    assert fault.message.isascii()
    assert fault.message.isprintable()


def test_a_wildcard_is_refused_where_the_environment_permits_none() -> None:
    assert check_address("billing@example.com", STRICT) is None
    fault = check_address("billing-*@example.com", STRICT)
    assert fault
    assert "is a wildcard" in fault.message
    assert "does not allow wildcards" in fault.hint


def test_no_allowed_domain_means_no_address() -> None:
    fault = check_address("billing@example.com", Rules(frozenset(), allow_wildcards=True))
    assert fault
    assert fault.hint == "allowed domains: none"


def test_the_domain_is_lower_cased_and_the_local_part_is_kept() -> None:
    assert normalize_address("Billing@EXAMPLE.Com") == "Billing@example.com"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.0/255.255.255.0", "203.0.113.0/24"),
        ("2001:DB8:40::/48", "2001:db8:40::/48"),
        ("2001:db8::1", "2001:db8::1/128"),
    ],
)
def test_a_network_is_kept_in_one_spelling(written: str, meant: str) -> None:
    assert check_network(written) is None
    assert normalize_network(written) == meant


@pytest.mark.parametrize(
    ("network", "message", "hint"),
    [
        ("203.0.113.7/24", "is not a network", "did you mean 203.0.113.0/24?"),
        ("2001:db8::1/48", "is not a network", "did you mean 2001:db8::/48?"),
        ("office", "is not a network", "an address or a CIDR block"),
        ("", "is not a network", "an address or a CIDR block"),
        ("203.0.113.0/33", "is not a network", "an address or a CIDR block"),
        ("203.0.113.0/24\n", "is not a network", "an address or a CIDR block"),
        ("0.0.0.0/0", "allows every address", "leave allowed_source_ips out"),
        ("::/0", "allows every address", "leave allowed_source_ips out"),
    ],
)
def test_a_network_that_is_none_or_everything_is_refused(network: str, message: str, hint: str) -> None:
    fault = check_network(network)
    assert fault
    assert message in fault.message
    assert hint in fault.hint


@pytest.mark.parametrize("network", ["fe80::1%eth0", "2001:db8::1%*/128"])
def test_an_address_with_a_zone_is_refused_because_iam_knows_none(network: str) -> None:
    fault = check_network(network)
    assert fault
    assert "has a zone" in fault.message
    assert "remove '%' and what follows" in fault.hint


@pytest.mark.parametrize(
    "address", ["billing@example.com", "a.b+c@sub.example.co.uk", "r&d@EXAMPLE.com", "x@example.org"]
)
def test_the_address_of_a_mailbox_may_be_in_any_domain(address: str) -> None:
    assert check_mailbox(address) is None


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("a@b..example.com", "invalid domain"),
        ("mailto:a@example.com", "invalid local part"),
        ("billing\u200b@example.com", "the character U+200B"),
        ("a..b@example.com", "invalid local part"),
        ("*@example.com", "not the address of a mailbox"),
        ("a@*.example.com", "'*' in its domain"),
        ("billing@localhost", "not the address of a mailbox"),
        ("Team <a@example.com>", "the character U+0020"),
        ("a@example.com,b@example.com", "not an address"),
        ("", "not an address"),
    ],
)
def test_what_is_no_mailbox_is_refused(address: str, message: str) -> None:
    fault = check_mailbox(address)
    assert fault
    assert message in fault.message


@pytest.mark.parametrize(
    "text", ["." * 1_000_000, "a@" + "." * 1_000_000, "a-" * 500_000 + "@example.com", "1." * 500_000, ":" * 1_000_000]
)
def test_checks_of_long_text_are_quick_and_their_messages_short(text: str) -> None:
    began = time.process_time()
    faults = [check_address(text, RULES), check_mailbox(text), check_network(text)]
    assert time.process_time() - began < 1
    assert all(fault and len(fault.message) < 150 and len(fault.hint) < 250 for fault in faults)


def test_a_hint_names_a_few_of_many_domains() -> None:
    fault = check_address("a@example.com", Rules(frozenset(f"d{n:03}.example" for n in range(500)), True))
    assert fault
    assert fault.hint.endswith("d019.example, and 480 more")

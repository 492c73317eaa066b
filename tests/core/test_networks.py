"""Source networks: public ones only, because IAM sees no others, and not all of them."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.address import check_network, check_networks


@pytest.mark.parametrize("network", ["192.0.2.0/24", "198.51.100.7", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"])
def test_networks_of_documentation_are_accepted_for_examples(network: str) -> None:
    assert check_network(network) is None


@pytest.mark.parametrize(
    "network",
    ["8.8.8.8", "1.0.0.0/8", "8.0.0.0/5", "0.0.0.0/1", "172.0.0.0/8", "192.168.0.0/15", "2600::/12", "2000::/3"],
)
def test_a_network_of_which_a_part_is_public_is_accepted(network: str) -> None:
    assert check_network(network) is None


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("0.0.0.0/8", "means this network"),
        ("0.0.0.0", "means this network"),  # noqa: S104 - no socket
        ("10.0.0.0/8", "is private"),
        ("172.16.0.0/12", "is private"),
        ("172.31.255.255", "is private"),
        ("192.168.7.0/24", "is private"),
        ("100.64.0.0/10", "is shared"),
        ("127.0.0.1", "is the machine itself"),
        ("169.254.169.254", "is link-local"),
        ("198.18.0.0/16", "is for benchmarks"),
        ("224.0.0.1", "is multicast"),
        ("240.0.0.0/5", "is reserved"),
        ("255.255.255.255", "is reserved"),
        ("224.0.0.0/3", "is not assigned"),
        ("::", "is no address"),
        ("::1", "is the machine itself"),
        ("::ffff:203.0.113.7", "is IPv4 written as IPv6"),
        ("::ffff:0:0/96", "is IPv4 written as IPv6"),
        ("64:ff9b::/96", "is a translated IPv4 address"),
        ("2001::/32", "is for protocols"),
        ("2002::/16", "is for 6to4"),
        ("fd00::/8", "is private"),
        ("fe80::/10", "is link-local"),
        ("ff02::1", "is multicast"),
        ("4000::/2", "is not assigned"),
        ("8000::/1", "is not assigned"),
    ],
)
def test_a_network_that_iam_never_sees_is_refused_with_the_reason(network: str, reason: str) -> None:
    """The user would be active, and every message refused."""
    fault = check_network(network)
    assert fault
    assert f"'{network}' is not public: it {reason}" in fault.message
    assert "public addresses only; through a VPC endpoint the key is absent" in fault.hint


@pytest.mark.parametrize(
    ("networks", "version"),
    [
        (["0.0.0.0/1", "128.0.0.0/1"], 4),
        (["128.0.0.0/1", "203.0.113.7", "64.0.0.0/2", "0.0.0.0/2"], 4),
        (["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"], 4),  # without multicast and reserved addresses
        (["2000::/3"], 6),
        (["2000::/4", "3000::/4"], 6),
        (["203.0.113.7", "2000::/4", "3000::/4"], 6),
    ],
)
def test_networks_that_together_are_everything_are_refused(networks: list[str], version: int) -> None:
    fault = check_networks(networks)
    assert fault
    assert fault.message == f"these networks together allow every IPv{version} address"
    assert fault.hint == "leave allowed_source_ips out to allow any source"


@pytest.mark.parametrize(
    "networks",
    [[], ["0.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/2"], ["2000::/4"], ["0.0.0.0/1", "8000::/1"], ["203.0.113.7"]],
)
def test_networks_that_leave_something_out_are_accepted(networks: list[str]) -> None:
    assert check_networks(networks) is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 32))
def test_no_network_is_refused_of_which_an_address_is_global(number: int, length: int) -> None:
    """Python's own table is the oracle: both ends of a network in one of its ranges, except the documentation."""
    network = IPv4Network((number >> (32 - length) << (32 - length), length))
    if check_network(str(network)):
        assert not any(
            address.is_global and not address.is_multicast
            for address in (network[0], network[-1])
            if address not in RELAYS
        )
    elif length == 32:
        assert network[0].is_global or any(network[0] in IPv4Network(text) for text in DOCUMENTATION)


RELAYS = IPv4Network("192.88.99.0/24")  # deprecated; Python counts it as global
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")

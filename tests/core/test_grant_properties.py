"""The policy allows exactly what is granted: I3, checked with an independent evaluation."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.address import Rules, check_address, check_network
from reconciler.core.policy import build, measure, to_json
from reconciler.core.user import User, check_lists
from reconciler.planning.evaluation import SendAttempt, evaluate
from support.generated import ADDRESSES, PLAIN, SOURCES, WORDS, users
from support.world import RULES, SENDING

ANYWHERE = Rules(frozenset({"example.com", "news.example.com"}), allow_wildcards=True)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def is_granted(user: User, sender: str) -> bool:
    """The meaning of a grant, stated without patterns."""
    local, _, domain = sender.rpartition("@")
    for granted in user.allowed_from_addresses:
        begin, _, of = granted.rpartition("@")
        inside = local.startswith(begin[:-1]) if begin.endswith("*") else local == begin
        if inside and domain == of:
            return True
    return False


def unconfined(user: User) -> User:
    return replace(user, expires=None, allowed_source_ips=())


@st.composite
def senders(draw: st.DrawFn, user: User) -> str:
    """An address in the grant, or a similar one that must be denied."""
    local, _, domain = draw(st.sampled_from(user.allowed_from_addresses)).rpartition("@")
    local = local.replace("*", draw(st.one_of(st.just(""), WORDS)))
    word = draw(WORDS)
    tricks = [
        f"{local}@{domain}",
        f"{local}@{word}.{domain}",
        f"{local}@{word}{domain}",
        f"{local}@{domain}.{word}",
        f"{local}@{domain}{word}",
        f"{word}{local}@{domain}",
        f"{local}{word}@{domain}",
        f"{local.swapcase()}@{domain}",
        f"{local}@{domain.upper()}",
        f"{local[:-1]}@{domain}",
        f"{local}@{domain[1:]}",
        f"{local}@{domain.replace('.', word[0])}",
        f"{local}@evil.example",
        f"{local}@{domain}@evil.example",
        f"{local}@news.example.com",
        f"*@{domain}",
        local,
        f"@{domain}",
        "",
    ]
    return draw(st.one_of(st.sampled_from(tricks), PLAIN))


@given(st.data(), users())
def test_exactly_the_granted_addresses_pass(data: st.DataObject, user: User) -> None:
    sender = data.draw(senders(user))
    assert evaluate(build(unconfined(user), SENDING), SendAttempt(sender, NOON)) is is_granted(user, sender)


@given(st.data(), users())
def test_every_address_of_the_grant_passes(data: st.DataObject, user: User) -> None:
    document = build(unconfined(user), SENDING)
    for granted in user.allowed_from_addresses:
        sender = granted.replace("*", data.draw(WORDS))
        assert evaluate(document, SendAttempt(sender, NOON))


@given(users(), st.integers(-400, 400), st.integers(0, 86399))
def test_nothing_passes_once_the_last_day_is_over(user: User, days: int, seconds: int) -> None:
    sender = user.allowed_from_addresses[0].replace("*", "x")
    at = NOON.replace(hour=0) + timedelta(days=days, seconds=seconds)
    allowed = evaluate(build(replace(user, allowed_source_ips=()), SENDING), SendAttempt(sender, at))
    assert allowed is (user.expires is None or at.date() <= user.expires)
    assert user.may_send(at) is (allowed and user.enabled)


@given(users(), SOURCES)
def test_nothing_passes_from_another_network(user: User, source: str) -> None:
    sender = user.allowed_from_addresses[0].replace("*", "x")
    document = build(replace(user, expires=None), SENDING)
    inside = [ip_address(source) in ip_network(network) for network in user.allowed_source_ips]
    assert evaluate(document, SendAttempt(sender, NOON, source_ip=source)) is (any(inside) or not inside)


@given(users())
def test_a_policy_is_measured_as_iam_counts_it_however_it_is_written(user: User) -> None:
    document = build(user, SENDING)
    spread = json.dumps(document, indent=3)
    assert measure(document) == len(re.sub(r"\s", "", spread)) == len(to_json(document))
    assert re.fullmatch(r"[\u0020-\u007e]+", to_json(document))


@given(users())
def test_what_is_generated_here_passes_the_rules(user: User) -> None:
    assert check_lists(user.allowed_from_addresses, user.allowed_source_ips, RULES) == []


FORBIDDEN = st.one_of(st.sampled_from("?${}\x00\t\r\n \x7f\u00a0\u202e"), st.characters(max_codepoint=0x20),
                      st.characters(min_codepoint=0x7F))  # fmt: skip


@given(ADDRESSES, FORBIDDEN, st.integers(0, 60))
def test_a_forbidden_character_is_refused_wherever_it_stands(address: str, forbidden: str, place: int) -> None:
    place = min(place, len(address))
    fault = check_address(address[:place] + forbidden + address[place:], ANYWHERE)
    assert fault
    assert fault.message.isascii()
    assert fault.message.isprintable()


@given(st.text(max_size=30))
def test_what_passes_is_one_plain_address_of_an_allowed_domain(text: str) -> None:
    for address in (text, f"{text}@example.com", f"alerts@{text}", f"alerts@{text}.example.com"):
        if check_address(address, ANYWHERE) is None:
            local, domain = address.split("@")
            assert domain.lower() in ANYWHERE.allowed_domains
            assert re.fullmatch(r"[^*?${}\s\"\\<>(),:;\[\]]*\*?", local)


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[0-9.:/a-f]{1,20}", fullmatch=True)))
def test_what_passes_for_a_network_is_one_and_is_not_everything(text: str) -> None:
    if check_network(text) is None:
        assert ip_network(text).prefixlen > 0

"""What is published: resolvers, and the MTA-STS policy file over HTTPS. Every wait is bounded."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import SHUT_RDWR, create_connection, socket
from threading import Event, Timer
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.resolver

from reconciler.errors import ReconcileError
from reconciler.planning.dns_answers import Answer, Lookup, Outcome
from reconciler.planning.mta_sts import Fetched

SECONDS = 5.0  # for one query with all its retries, and for the whole policy file
MOST_SILENT = 3  # queries without an answer, if there was none before
MOST_BYTES = 64 * 1024
HTTPS_PORT = 443
# Senders would get the same; any other failure can also be the network of this machine.
CONCLUSIVE = (ssl.SSLError, ConnectionError, HTTPException, ValueError)


class Resolver:
    """Answers are kept. It can be used by several threads."""

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        """`servers`: (address, port); none: those of this machine."""
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration:
            raise ReconcileError("this machine has no DNS resolver", "name one: --resolver ADDRESS") from None
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
        self._resolver.lifetime = SECONDS
        self._answers: dict[tuple[str, str], Answer] = {}
        self._silent = 0
        self._answered = False

    def lookup(self, name: str, kind: str) -> Answer:
        key = (name.lower(), kind)
        if key not in self._answers:
            self._answers[key] = self._ask(*key)
        return self._answers[key]

    def _ask(self, name: str, kind: str) -> Answer:
        if self._silent >= MOST_SILENT and not self._answered:
            return Answer(Outcome.SILENT)
        try:
            answer = self._query(name, kind)
        except (dns.exception.DNSException, UnicodeError):  # a name in a record that no name server can have
            answer = Answer(Outcome.NO_NAME)
        if answer.outcome is Outcome.SILENT:
            self._silent += 1
        else:
            self._answered = True
        return answer

    def _query(self, name: str, kind: str) -> Answer:
        question = dns.name.from_text(name)
        try:
            found = self._resolver.resolve(question, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as error:
            return Answer(Outcome.NO_NAME, alias=_alias(error.kwargs["responses"][question]))
        except dns.resolver.NoNameservers as error:
            responded = any(response is not None for *_, response in error.kwargs["errors"])
            return Answer(Outcome.FAILED if responded else Outcome.SILENT)
        except dns.exception.Timeout:
            return Answer(Outcome.SILENT)
        values = tuple(sorted(map(_text, found.rrset or ())))
        alias = _alias(found.response) if kind != "CNAME" else ""
        return Answer(Outcome.FOUND if values else Outcome.NO_RECORD, values, alias)


def not_queried(_name: str, _kind: str) -> Answer:
    """For domains that are not public."""
    return Answer(Outcome.NOT_QUERIED)


def _alias(response: dns.message.QueryMessage) -> str:
    links = response.resolve_chaining().cnames
    return _name(links[0][0].target) if links else ""


def _text(data: Any) -> str:
    match data.rdtype.name:
        case "TXT":
            return b"".join(data.strings).decode("latin-1")
        case "CNAME":
            return _name(data.target)
        case "MX":
            return f"{data.preference} {_name(data.exchange)}"
        case _:
            return str(data)


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


class PolicyFetcher:
    """Reads https://mta-sts.DOMAIN/.well-known/mta-sts.txt as senders do (RFC 8461, 3.3): no redirects.

    It connects to public addresses only: no DNS record can lead it into the network of the machine that it runs on.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._context = ssl.create_default_context()

    def fetch(self, domain: str) -> Fetched:
        host = f"mta-sts.{domain}"
        answers = [self._lookup(host, kind) for kind in ("A", "AAAA")]
        addresses = [address for answer in answers for address in answer.values]
        if not addresses:
            unknown = next((answer for answer in answers if not answer.known), None)
            return Fetched(problem=str((unknown or answers[0]).outcome), known=unknown is None)
        if not all(is_public(ip_address(address)) for address in addresses):
            return Fetched(problem=f"{host} has an address that is not public")
        try:
            return self._get(addresses[0], host)
        except (OSError, HTTPException, ValueError) as error:
            return Fetched(problem=_describe(error), known=isinstance(error, CONCLUSIVE))

    def _get(self, address: str, host: str) -> Fetched:
        plain = create_connection((address, HTTPS_PORT), timeout=SECONDS)
        with plain, plain.dup() as same_connection, _ended(same_connection) as ended:
            connection = HTTPConnection(host)
            with self._context.wrap_socket(plain, server_hostname=host) as connection.sock:
                connection.request("GET", "/.well-known/mta-sts.txt")
                response = connection.getresponse()
                if response.status != 200:
                    return Fetched(problem=f"HTTP status {response.status}")
                body = response.read(MOST_BYTES + 1)
        if ended.is_set():
            return Fetched(problem=f"it takes longer than {SECONDS:.0f} s")
        if len(body) > MOST_BYTES:
            return Fetched(problem=f"the file is larger than {MOST_BYTES} bytes")
        return Fetched(text=body.decode("utf-8", "replace"))


@contextmanager
def _ended(connection: socket) -> Iterator[Event]:
    """After a time, end the connection of a server that sends byte by byte, and set the event."""
    ended = Event()

    def end() -> None:
        ended.set()
        with suppress(OSError):
            connection.shutdown(SHUT_RDWR)

    watch = Timer(SECONDS, end)
    watch.start()
    try:
        yield ended
    finally:
        watch.cancel()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def _describe(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    return f"no HTTPS connection ({type(error).__name__})"

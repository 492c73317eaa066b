"""A DNS server on the loopback interface, over UDP and TCP."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zonefile


@dataclass
class DnsServer:
    """`zone`: lines such as `example.com. TXT "v=spf1 -all"`. `failing`: names that get SERVFAIL; `silent`: none."""

    zone: str = ""
    failing: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    port: int = 0
    questions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[DnsServer]:
        udp, tcp = self._bind()
        self.port = udp.server_address[1]
        tcp.daemon_threads = udp.daemon_threads = True
        threads = [threading.Thread(target=each.serve_forever, args=(0.02,), daemon=True) for each in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server in (udp, tcp):
                server.shutdown()
                server.server_close()

    def _bind(self) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
        """One port that is free for both."""
        while True:
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _handler(self, tcp=False))
            try:
                return udp, socketserver.ThreadingTCPServer(udp.server_address, _handler(self, tcp=True))
            except OSError:
                udp.server_close()

    def respond(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The response, or None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name, question.rdtype
        self.questions.append((str(name).rstrip("."), dns.rdatatype.to_text(kind)))
        if "*" in self.silent or str(name).rstrip(".") in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if str(name).rstrip(".") in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        self._answer(response, name, kind)
        packed = response.to_wire(max_size=65535)
        if not tcp and len(packed) > 512:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
            return response.to_wire()
        return packed

    def _answer(self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        for _ in range(8):
            everything = parse(self.zone)
            sets = [each for each in everything if each.name == name]
            exists = any(each.name.is_subdomain(name) for each in everything)
            found = next((each for each in sets if each.rdtype == kind), None)
            if found:
                response.answer.append(found)
                return
            alias = next((each for each in sets if each.rdtype == dns.rdatatype.CNAME), None)
            if alias is None:
                response.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
                return
            response.answer.append(alias)
            name = alias[0].target


@lru_cache
def parse(zone: str) -> list[dns.rrset.RRset]:
    return dns.zonefile.read_rrsets(zone, default_ttl=60)


def _handler(server: DnsServer, *, tcp: bool) -> type[socketserver.BaseRequestHandler]:
    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sender = self.request
            if response := server.respond(wire, tcp=False):
                sender.sendto(response, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: Any = self.request
            (length,) = struct.unpack("!H", connection.recv(2))
            if response := server.respond(connection.recv(length), tcp=True):
                connection.sendall(struct.pack("!H", len(response)) + response)

    return Tcp if tcp else Udp

"""`reconcile dns` against a real DNS server: every planted mistake is reported with its fix, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.dns_server import DnsServer
from support.dns_zone import CORRECT, with_settings
from support.runs import Checkout, Outcome
from support.world import World


@dataclass
class Place:
    checkout: Checkout
    world: World
    server: DnsServer

    def run(self, *words: str) -> Outcome:
        return self.checkout.run("dns", "--resolver", self.server.address, *words)

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("--format", "json").out)["records"]
        return found

    def not_ok(self) -> dict[str, dict[str, Any]]:
        return {record["name"]: record for record in self.records() if record["verdict"] != "ok"}

    def change(self, old: str, new: str) -> None:
        assert old in self.server.zone
        self.server.zone = self.server.zone.replace(old, new)


@pytest.fixture
def place(world: World, checkout: Checkout) -> Iterator[Place]:
    with_settings(world, checkout)
    with DnsServer(CORRECT).running() as server:
        yield Place(checkout, world, server)


def test_nothing_is_reported_on_a_correct_zone(place: Place) -> None:
    outcome = place.run()
    assert outcome.err == ""
    assert outcome.code == 0
    assert place.not_ok() == {}
    assert re.search(r"^Records: \d\d ok\.$", outcome.out, re.MULTILINE)


def test_print(place: Place, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    place.server.zone = ""
    for f in ("text", "zone", "json"):
        o = place.run("--format", f)
        with place.checkout.capsys.disabled():
            print(o.code, o.out, o.err)

"""A checkout whose domains are published correctly on a DNS server of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.dns_place import Place, make_place
from support.runs import Checkout
from support.world import World


@pytest.fixture
def place(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with make_place(world, checkout, monkeypatch) as made:
        yield made

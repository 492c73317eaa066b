from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from reconciler.manager.handlers import stream
from support.deployed import forget, start
from support.letters import Letters
from support.world import World


@pytest.fixture
def manager(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The functions as they are deployed."""
    start(world, monkeypatch)
    yield world
    forget()


@pytest.fixture
def letters(manager: World) -> Letters:
    """The queue in which the credential manager leaves users, and from which the dead-letter function retries them."""
    stream.user_events()
    return Letters.make(manager)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The output of the functions' logger: all three share one handler."""
    written = io.StringIO()
    handler = stream.telemetry.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(written)
    yield written
    if before:
        handler.setStream(before)

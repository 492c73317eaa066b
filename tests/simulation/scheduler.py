"""Actors that take turns: each runs until its next AWS call, then the scheduler chooses the next actor.

An actor runs independently in production: an invocation of a function, a `reconcile` on some machine.
It is a greenlet, so the real code runs in it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from greenlet import greenlet

from reconciler.errors import ReconcileError
from simulation.clock import Clock


class Killed(BaseException):
    """The process was killed: no exception handler or clean-up of the tested code runs."""


@dataclass(eq=False)
class Actor:
    """`deadline`: when Lambda stops it. `calls`: the number of AWS calls it has made."""

    name: str
    run: Callable[[], Any]
    ended: Callable[[Actor], None] | None = None
    deadline: datetime | None = field(default=None, kw_only=True)
    since: datetime = field(init=False)  # when it was started
    calls: int = 0
    result: Any = None
    error: BaseException | None = None
    seen: dict[str, Any] = field(default_factory=dict)  # the versions and tags it has read: see watch
    greenlet: Any = None

    @property
    def was_killed(self) -> bool:
        return isinstance(self.error, Killed)


class Scheduler:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self._last: Actor | None = None
        self._started = 0
        self.errors: list[str] = []  # the exceptions that ended actors, with their causes
        self.defects: list[str] = []  # exceptions that the code does not raise on purpose

    def start(self, actor: Actor) -> None:
        self._started += 1
        actor.name = f"{actor.name}#{self._started}"
        actor.since = self._clock.now
        actor.greenlet = greenlet(lambda: self._live(actor))
        self.actors.append(actor)

    def _live(self, actor: Actor) -> None:
        try:
            actor.result = actor.run()
        except BaseException as error:  # noqa: BLE001 - the actor's `ended` callback evaluates it
            actor.error = error

    def pause(self) -> None:
        """Called by the actor itself; other actors may run first."""
        assert self.current
        self.current.greenlet.parent.switch()

    def turn(self, random: Random | None, stickiness: float) -> None:
        """Let one actor run to its next call. `random` None: the oldest one, without interleaving."""
        actor = self._choose(random, stickiness)
        self.current = self._last = actor
        actor.greenlet.switch()
        self.current = None
        if actor.greenlet.dead:
            self.actors.remove(actor)
            self._note(actor)
            if actor.ended:
                actor.ended(actor)

    def _choose(self, random: Random | None, stickiness: float) -> Actor:
        if random is None or len(self.actors) == 1:
            return self.actors[0]
        if self._last in self.actors and random.random() < stickiness:
            assert self._last
            return self._last
        return self.actors[random.randrange(len(self.actors))]

    def _note(self, actor: Actor) -> None:
        error = actor.error
        if error and not isinstance(error, Killed | ReconcileError):
            self.defects.append(f"defect: {actor.name}: {type(error).__name__}: {error}")
        while error:
            self.errors.append(f"{error} {error!r}")
            error = error.__cause__ or error.__context__

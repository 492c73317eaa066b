"""Many users are declared at once: the real code of both halves, with IAM's token buckets, in simulated time.

python -m simulation.creations USERS [--writes RATE] [--reads RATE] [--latency SECONDS] [--timeout SECONDS]

`reconcile` writes the records and waits for them. Event source mappings, functions and queues are those of
pipeline.yaml. Prints JSON.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from random import Random
from typing import Any

from reconciler.aws.client import THROTTLED_ATTEMPTS
from reconciler.core.record import AWAITING
from reconciler.core.user import make_user
from reconciler.planning.limits import Allowance
from scripts.bench.dataset import entry
from simulation import mapping, world
from simulation.commands import check_out, command_line, start_reconcile
from simulation.faults import THROTTLED, refusal
from simulation.fleet import LargeIam, LargeTable, use_real_pages
from simulation.functions import Output
from simulation.scheduler import Actor, Killed, Scheduler
from simulation.token_buckets import Retries, Throttle
from simulation.wire import SDK_ATTEMPTS, Wire
from simulation.world import Settings, World, deployed

SECONDS = {"dynamodb": 0.005, "kms": 0.02, "sqs": 0.01}  # of a call; IAM's are a parameter
# Of CreateAccessKey: a throttled call has created no key.
POLL = 0.5  # seconds between two polls of a stream or queue that has nothing
BURST = 10  # seconds of its rate that a bucket holds
GIVE_UP = 24 * 3600.0


class Timeline(Scheduler):
    """Each actor continues at its own time, so that invocations overlap as in production."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (seconds, self._number, action))

    def start(self, actor: Actor) -> None:
        super().start(actor)
        self.at(self._clock.monotonic(), lambda: self._continue(actor))

    def wait(self, seconds: float) -> None:
        """Called by the actor that is running."""
        actor = self.current
        assert actor
        self.at(self._clock.monotonic() + seconds, lambda: self._continue(actor))
        self.pause()

    def _continue(self, actor: Actor) -> None:
        self._choose = lambda *_: actor  # type: ignore[method-assign, misc]
        self.turn(None, 0)

    def next(self) -> None:
        """The next event, at its time."""
        seconds, _, action = heapq.heappop(self._queue)
        self._clock.advance(max(0.0, seconds - self._clock.monotonic()))
        action()


class ThrottledWire(Wire):
    """A call takes its time; one to IAM that finds no token is retried as the SDK does."""

    throttle: Throttle
    retries: Retries
    latency: float

    def call(self, service: str, operation: str, effect: Any, parameters: dict[str, Any], *, repeat: bool) -> Any:
        seconds = SECONDS.get(service, self.latency)
        self._pass(seconds)
        self.counts[f"{service}:{operation}"] += 1
        admitted = service != "iam" or self.retries.attempt(
            lambda: self.throttle.admits(operation, self.clock.monotonic()),
            lambda pause: self._pass(pause + seconds),
            SDK_ATTEMPTS if repeat else THROTTLED_ATTEMPTS,
        )
        if not admitted:
            raise refusal(THROTTLED[service], operation, "Rate exceeded")
        return effect(**parameters)

    def _pass(self, seconds: float) -> None:
        timeline: Any = self.scheduler
        actor = timeline.current
        timeline.wait(seconds)
        if actor.deadline and self.clock.now > actor.deadline:
            raise Killed


class PollingMapping(mapping.Mapping):
    """Records that no filter lets through are read once."""

    def _fresh(self, lane: mapping.Lane) -> Any:
        found = super()._fresh(lane)
        if not found and not lane.waiting:
            lane.position = len(self._table.log)
        return found


class LargeWorld(World):
    """The simulated account with time that passes per call."""

    def __init__(self, settings: Settings, throttle: Throttle, latency: float) -> None:
        self._throttle, self._latency = throttle, latency
        super().__init__(settings)

    def _make_aws(self) -> None:
        super()._make_aws()
        self.scheduler = Timeline(self.clock)
        self.wire = ThrottledWire(self.clock, self.scheduler, self.faults, self._draw_lag)
        self.wire.throttle, self.wire.latency = self._throttle, self._latency
        self.wire.retries = Retries(Random(1))  # noqa: S311 - not for security

    def sleep(self, seconds: float) -> None:
        timeline: Any = self.scheduler
        timeline.wait(seconds)

    def run_until(self, is_over: Callable[[], bool]) -> None:
        timeline: Any = self.scheduler

        def poll() -> None:
            self.mapping.poll(1_000_000)
            self.letters.poll()
            timeline.at(self.clock.monotonic() + POLL, poll)

        poll()
        while not is_over() and not self.broken and self.clock.monotonic() < GIVE_UP:
            timeline.next()


def simulate(users: int, throttle: Throttle, latency: float, timeout: float) -> dict[str, Any]:
    """`timeout`: of `reconcile`."""
    factor = deployed()["mapping"]["parallelization_factor"]
    account = LargeWorld(Settings(lanes=factor, quota=max(users, 5000)), throttle, latency)
    for number in range(users):
        fields = entry(number)
        fields["allowed_from_addresses"] = [f"service-{number}@example.com", f"reports-{number}@news.example.com"]
        account.declared[str(fields["name"])] = make_user(fields)
    account.declare("last", None)
    allowance = Allowance(creates=users)
    with command_line(account, lambda _: None):
        actor = start_reconcile(account, check_out(account), allowance, timeout=timeout)
        ended: list[float] = []
        actor.ended = lambda _: ended.append(account.clock.monotonic())
        account.run_until(lambda: actor.greenlet.dead and not _waits(account))
    statuses = [record.status for record in account.records()]
    return {
        "users": users,
        "seconds": account.clock.monotonic(),
        "active": statuses.count("active"),
        "failed": statuses.count("failed"),
        "succeeded": actor.error is None and actor.result == 0,
        "reconcile_seconds": sum(ended),
        "requests": throttle.admitted + throttle.refused,
        "throttled": throttle.refused,
        "dead_letters": sum('"user"' in body for body in account.sqs.bodies),
        "parked": len(account.sqs.queues[world.PARKED]),
        "defects": account.broken,
        "error": repr(actor.error) if actor.error else "",
    }


def _waits(account: World) -> bool:
    return account.letters.waiting() != [] or any(record.status in AWAITING for record in account.records())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("users", type=int)
    parser.add_argument("--writes", type=float, default=2.0)
    parser.add_argument("--reads", type=float, default=20.0)
    parser.add_argument("--latency", type=float, default=0.12)
    parser.add_argument("--timeout", type=float, default=300.0)
    options = parser.parse_args()
    buckets = [(rate, BURST * rate) for rate in (options.writes, options.reads)]
    use_real_pages()
    world.DynamoDb, world.Iam, world.Mapping = LargeTable, LargeIam, PollingMapping  # type: ignore[misc, attr-defined]
    output = Output()
    with redirect_stdout(output), redirect_stderr(output):
        result = simulate(options.users, Throttle(*buckets), options.latency, options.timeout)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

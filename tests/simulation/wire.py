"""Between the real adapters and the models of AWS: every call is a scheduling point and may fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from simulation.clock import Clock
from simulation.faults import THROTTLED, Faults, Kind, refusal, time_out
from simulation.scheduler import Actor, Killed, Scheduler

Effect = Callable[..., Any]

CALL_SECONDS = 0.05
TIME_OUT_SECONDS = 10.0
SDK_ATTEMPTS = 4
READS = ("Get", "List", "Query", "BatchGet", "Describe", "Decrypt")
NOT_PAGINATED = frozenset({"list_service_specific_credentials"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the tested code."""

    actor: Actor
    service: str
    operation: str
    parameters: dict[str, Any]


class Watcher(Protocol):
    """Is notified when a call is made, just before it takes effect, and afterwards."""

    def asked(self, call: Call) -> None: ...
    def doing(self, call: Call) -> None: ...
    def done(self, call: Call, answer: Any) -> None: ...


class Wire:
    """`prepare`: called before each effect."""

    def __init__(self, clock: Clock, scheduler: Scheduler, faults: Faults, prepare: Callable[[], None]) -> None:
        self.clock = clock
        self.scheduler = scheduler
        self.faults = faults
        self._prepare = prepare
        self.watcher: Watcher | None = None
        self.counts: Counter[str] = Counter()
        self.trace: list[tuple[str, str, str, str]] = []
        self.late: list[tuple[Call, Effect]] = []  # timed out, but not yet arrived

    def call(self, service: str, operation: str, effect: Effect, parameters: dict[str, Any], *, repeat: bool) -> Any:
        """`repeat`: the SDK retries the call."""
        actor = self.scheduler.current
        assert actor, "only actors call AWS"
        self._wait_for_turn(actor)
        call = Call(actor, service, operation, parameters)
        self.counts[f"{service}:{operation}"] += 1
        actor.calls += 1
        if self.watcher:
            self.watcher.asked(call)
        kind = self.faults.meet(service, operation)
        if kind is None:
            return self._answer(call, effect)
        self.faults.met[kind] += 1
        return self._break(kind, call, effect, repeat=repeat)

    def _wait_for_turn(self, actor: Actor) -> None:
        self.scheduler.pause()
        self.clock.advance(CALL_SECONDS)
        if actor.deadline and self.clock.now > actor.deadline:
            self.faults.met["function timed out"] += 1
            raise Killed

    def _break(self, kind: Kind, call: Call, effect: Effect, *, repeat: bool) -> Any:
        attempts = SDK_ATTEMPTS if repeat else 1
        match kind:
            case Kind.THROTTLED:
                self.clock.advance(attempts - 1)
                raise self._refused(call, kind, refusal(THROTTLED[call.service], call.operation, "Rate exceeded"))
            case Kind.FAILED:
                self.clock.advance(attempts - 1)
                raise self._refused(call, kind, refusal("InternalFailure", call.operation, status=500))
            case Kind.DENIED:
                raise self._refused(call, kind, refusal("AccessDenied", call.operation, status=403))
            case Kind.KILLED_BEFORE:
                self._note(call, kind)
                raise Killed
            case Kind.KILLED_AFTER:
                self._try(call, effect, kind)
                raise Killed
            case Kind.REPEATED if repeat:
                self._try(call, effect, kind)
                self.clock.advance(TIME_OUT_SECONDS)
                self._wait_for_turn(call.actor)
                return self._answer(call, effect)
            case Kind.TIMED_OUT:
                self._note(call, kind)
            case Kind.TIMED_OUT_LATE:
                self._note(call, kind)
                if not call.operation.startswith(READS):
                    self.late.append((call, effect))
            case _:
                self._try(call, effect, kind)
        self.clock.advance(TIME_OUT_SECONDS * attempts)
        raise time_out(call.service)

    def _answer(self, call: Call, effect: Effect, note: str = "") -> Any:
        self._prepare()
        if self.watcher:
            self.watcher.doing(call)
        try:
            answer = effect(**call.parameters)
        except Exception as error:
            self._note(call, f"{note} {_code(error)}".strip())
            raise
        self._note(call, note)
        if self.watcher:
            self.watcher.done(call, answer)
        return answer

    def _try(self, call: Call, effect: Effect, note: str) -> None:
        """Execute the call, but do not return its result."""
        try:
            self._answer(call, effect, note)
        except Exception as error:
            if not hasattr(error, "response"):
                raise

    def _refused(self, call: Call, note: str, error: Exception) -> Exception:
        self._note(call, note)
        return error

    def land(self, count: int | None = None) -> None:
        """Execute requests that have already timed out for their sender."""
        for call, effect in self.late[:count]:
            self._try(call, effect, "arrives late")
        del self.late[:count]

    def _note(self, call: Call, outcome: str) -> None:
        self.trace.append((call.actor.name, f"{call.service}:{call.operation}", _target(call.parameters), outcome))


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if response else type(error).__name__


def _target(parameters: dict[str, Any]) -> str:
    """The target of a call, for the trace."""
    if "UserName" in parameters:
        return str(parameters["UserName"])
    if key := parameters.get("Key") or parameters.get("Item"):
        return str(key["SK"]["S"])
    return ""


class Client:
    """Replaces a botocore client: its methods are those of the model, subject to scheduling and faults."""

    def __init__(self, wire: Wire, service: str, model: Any, *, repeat: bool = True) -> None:
        self._wire = wire
        self._service = service
        self._model = model
        self._repeat = repeat

    def __getattr__(self, method: str) -> Callable[..., Any]:
        effect = getattr(self._model, method)
        operation = operation_name(method)

        def call(**parameters: Any) -> Any:
            return self._wire.call(self._service, operation, effect, parameters, repeat=self._repeat)

        setattr(self, method, call)
        return call

    def can_paginate(self, method: str) -> bool:
        return hasattr(self._model, method) and method not in NOT_PAGINATED

    def get_paginator(self, method: str) -> Paginator:
        return Paginator(getattr(self, method))


class Paginator:
    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        """The models choose the size of a page."""
        parameters.pop("PaginationConfig", None)
        while True:
            page = self._method(**parameters)
            yield page
            if key := page.get("LastEvaluatedKey"):
                parameters = {**parameters, "ExclusiveStartKey": key}
            elif page.get("IsTruncated"):
                parameters = {**parameters, "Marker": page["Marker"]}
            else:
                return


@cache
def operation_name(method: str) -> str:
    """`get_item` is GetItem."""
    spelled = "".join(word.capitalize() for word in method.split("_"))
    return spelled.replace("Mfa", "MFA").replace("Ssh", "SSH")

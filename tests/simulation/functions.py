"""The Lambda functions: each execution environment loads its own copy of the real handler module, as in production."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from types import MethodType, ModuleType, SimpleNamespace
from typing import Any

os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("AWS_XRAY_SDK_ENABLED", "false")
os.environ.setdefault("ENVIRONMENT", "test")


class Output(io.TextIOBase):
    """Collects what the code prints and logs; it is searched for secrets later."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("text only")  # click checks for this
        self.texts.append(text)
        return len(text)


OUTPUT = Output()


@contextmanager
def captured() -> Iterator[Output]:
    """Capture all output; nothing reaches the terminal."""
    OUTPUT.texts.clear()
    with redirect_stdout(OUTPUT), redirect_stderr(OUTPUT):
        yield OUTPUT


class Broken:
    """A logger or metrics object on which every call fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("telemetry is down")

        return fail


@cache
def execution_environment(module: str, number: int) -> ModuleType:
    """A copy of a handler module with its own globals: batch processor, telemetry."""
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.loader
    copy = importlib.util.module_from_spec(spec)
    with redirect_stdout(OUTPUT), redirect_stderr(OUTPUT):
        spec.loader.exec_module(copy)
    copy.working_telemetry = vars(copy.telemetry).copy()  # type: ignore[attr-defined]
    for name, value in _instead.get(module, {}).items():
        setattr(copy, f"real_{name}", getattr(copy, name))
        setattr(copy, name, MethodType(value, copy))
    return copy


_instead: dict[str, dict[str, Any]] = {}


@contextmanager
def instead(module: str, name: str, value: Any) -> Iterator[None]:
    """Replace a function of a handler module. The replacement gets the module and the arguments."""
    _instead[module] = {name: value}
    execution_environment.cache_clear()
    try:
        yield
    finally:
        del _instead[module]
        execution_environment.cache_clear()


def function(module: str, number: int, *, telemetry: bool, **provides: Any) -> ModuleType:
    """An execution environment, ready for one run. `provides` replaces what it would create from AWS clients."""
    loaded = execution_environment(module, number)
    vars(loaded.telemetry).update(loaded.working_telemetry)
    if not telemetry:
        loaded.telemetry.logger, loaded.telemetry.metrics = Broken(), Broken()
    for name, value in provides.items():
        assert hasattr(loaded, name), f"{module} has no {name}"
        setattr(loaded, name, lambda value=value: value)
    return loaded


CONTEXT = SimpleNamespace(
    aws_request_id="5150", function_name="simulated", memory_limit_in_mb=256, invoked_function_arn="arn:simulated"
)

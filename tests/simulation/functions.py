"""The Lambda functions: each execution environment loads the real handler module for itself, as in production."""

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
    """Takes what the code prints and logs; secrets are looked for in it later."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("text only")  # so that click knows, too
        self.texts.append(text)
        return len(text)


OUTPUT = Output()


@contextmanager
def captured() -> Iterator[Output]:
    """Nothing reaches the terminal meanwhile."""
    OUTPUT.texts.clear()
    with redirect_stdout(OUTPUT), redirect_stderr(OUTPUT):
        yield OUTPUT


class Broken:
    """A logger, or metrics, of which every call fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("telemetry is down")

        return fail


@cache
def execution_environment(module: str, number: int) -> ModuleType:
    """A copy of a handler's module with globals of its own: batch processor, telemetry."""
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
    """Put a function (of the module itself and its arguments) into the place of one of a handler's module."""
    _instead[module] = {name: value}
    execution_environment.cache_clear()
    try:
        yield
    finally:
        del _instead[module]
        execution_environment.cache_clear()


def function(module: str, number: int, *, telemetry: bool, **provides: Any) -> ModuleType:
    """An execution environment, ready for one run: `provides` stands in for what it makes from AWS clients."""
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

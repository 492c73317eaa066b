"""DynamoDB's typed attribute values as plain values and back.

boto3's own converter raises for a number that its Decimal context cannot represent, so one attribute would stop the
reader of all records. Here, every value can be read, and packing what was read yields an equal value.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A typed value that this version does not know: of no type that any attribute may have."""

    typed: Any


def unpack(item: Values) -> dict[str, Any]:
    """Numbers become Decimal, exactly as they are; sets become sets, binary values bytes, null None."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(typed: Any) -> Any:
    try:
        ((kind, value),) = typed.items()
        return _READERS[kind](value)
    except (AttributeError, InvalidOperation, KeyError, TypeError, ValueError):
        return Unreadable(typed)


def _binary(value: Any) -> bytes:
    """As botocore returns it, or in base64, as DynamoDB answers."""
    return b64decode(value) if isinstance(value, str) else bytes(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": lru_cache(Decimal),  # the constructor is exact: a context would round, or raise
    "B": _binary,
    "BOOL": bool,
    "NULL": lambda _: None,
    "SS": frozenset,
    "NS": lambda numbers: frozenset(map(Decimal, numbers)),
    "BS": lambda values: frozenset(map(_binary, values)),
    "L": lambda values: list(map(_plain, values)),
    "M": unpack,
}


def pack(values: Values) -> dict[str, Any]:
    """Raises TypeError for a value that DynamoDB cannot store."""
    return {name: _typed(value) for name, value in values.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": list(map(_typed, value))}
        case Mapping():
            return {"M": pack(value)}
        case set() | frozenset():
            return _typed_set(value)
        case Unreadable(typed):
            return dict(typed)
    raise TypeError(f"DynamoDB cannot store {type(value).__name__}")


def _typed_set(members: set[Any] | frozenset[Any]) -> dict[str, Any]:
    """A set is not empty, and all its members are of one type."""
    (kind,) = {next(iter(_typed(member))) for member in members}
    return {f"{kind}S": [_typed(member)[kind] for member in members]}

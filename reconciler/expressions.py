"""DynamoDB's own notation: typed values and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Values = Mapping[str, Any]

_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def unchanged(lock: Iterable[tuple[str, Any]]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """A condition that holds while these attributes are as they were read (None: absent, or null)."""
    terms, names, values = [], {}, {}
    for n, (attribute, value) in enumerate(lock):
        names[f"#c{n}"], values[f":c{n}"] = attribute, value
        same = f"#c{n} = :c{n}"
        terms.append(f"(attribute_not_exists(#c{n}) OR {same})" if value is None else same)
    return " AND ".join(terms), names, values


def pack(values: Values) -> dict[str, Any]:
    """Plain values as DynamoDB's typed ones."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def unpack(item: Values) -> dict[str, Any]:
    """DynamoDB's typed values as plain ones; numbers are Decimal, sets are sets."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}

"""JSON Schema checks with actionable problems: where, what is wrong and what is expected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from reconciler.core.text import clip, quote
from reconciler.errors import Problem
from reconciler.manifests.yaml_source import Source

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel contains the schemas inside the package; in a checkout they are in the top-level folder.
SCHEMA_DIR = next(folder for folder in (_PACKAGE / "schema", _PACKAGE.parent / "schema") if folder.is_dir())

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


# As in JSON Schema, true is no number; but a number such as 5.0 is not a whole number here.
_IS_TYPE: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
}


def check_schema(source: Source, schema_name: str) -> list[Problem]:
    """All violations in the file, each with the place of the value or key that causes it."""
    errors = _load_schema(schema_name).validator.iter_errors(source.data)
    return [problem for error in errors for problem in _explain(source, error)]


def default_threshold(name: str) -> float:
    """The default of one of `alarm_thresholds`: a fraction, or a number."""
    environment = _load_schema("reconcile")["properties"]["environments"]["additionalProperties"]
    return float(environment["properties"]["alarm_thresholds"]["properties"][name]["default"])


class _Schema(dict[str, Any]):
    """A part of a schema. Its validator is built once per run: building it takes longer than to validate a value."""

    @cached_property
    def validator(self) -> Any:
        return _Validator(self)


@lru_cache
def _load_schema(schema_name: str) -> _Schema:
    text = (SCHEMA_DIR / f"{schema_name}.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text, object_hook=_Schema)
    definitions = schema.pop("$defs")
    return _Schema(_resolve(schema, definitions))


def _resolve(schema: Any, definitions: _Schema) -> Any:
    """The schema with each `$ref` replaced by what it names. What stands next to it applies as well."""
    if isinstance(schema, list):
        return [_resolve(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = _Schema({key: _resolve(part, definitions) for key, part in schema.items() if key != "$ref"})
    if "$ref" not in schema:
        return found
    named = _resolve(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return _Schema({**found, "allOf": [named]}) if found else named


def _whole_pattern(_: object, pattern: str, instance: object, schema: Any) -> Iterator[ValidationError]:
    """Without this, `$` would also match before a final line break. Text that is too long is not searched."""
    if isinstance(instance, str) and len(instance) <= schema["maxLength"] and not re.fullmatch(pattern, instance):
        yield ValidationError("does not match the pattern")


def _required(_: object, fields: list[str], instance: object, __: object) -> Iterator[ValidationError]:
    """One error for all missing fields."""
    if isinstance(instance, dict) and any(field not in instance for field in fields):
        yield ValidationError("a field is missing")


def _unique(_: object, wanted: bool, instance: object, __: object) -> Iterator[ValidationError]:
    """In linear time, whatever the items are."""
    if wanted and isinstance(instance, list) and len(set(map(repr, instance))) < len(instance):
        yield ValidationError("has a duplicate")


def _type(_: object, wanted: str, instance: object, __: object) -> Iterator[ValidationError]:
    if not _IS_TYPE[wanted](instance):
        yield ValidationError("has the wrong type")


def _properties(_: object, properties: dict[str, _Schema], instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, part in properties.items():
            if name in instance:
                yield from _descend(part, instance[name], name)


def _items(_: object, part: _Schema, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, list):
        for index, item in enumerate(instance):
            yield from _descend(part, item, index)


def _descend(part: _Schema, value: object, place: str | int) -> Iterator[ValidationError]:
    for error in part.validator.iter_errors(value):
        error.path.appendleft(place)
        yield error


# Those of `jsonschema` build a validator for each value.
_RULES = {
    "pattern": _whole_pattern, "required": _required, "uniqueItems": _unique,
    "type": _type, "properties": _properties, "items": _items,
}  # fmt: skip
_Validator: Any = extend(Draft202012Validator, _RULES)  # type: ignore[no-untyped-call]


def _explain(source: Source, error: ValidationError) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    rule: Any = error.validator_value
    hint = f"expected: {schema['description']}" if "description" in schema else ""
    what = f"'{place[-1]}'" if place and isinstance(place[-1], str) else "this entry"
    match error.validator:
        case "additionalProperties":
            known = tuple(schema["properties"])
            for field in sorted(set(value) - set(known)):
                yield source.problem(
                    (*place, field), f"unknown field '{clip(field)}'", _nearest(field, known), at_key=True
                )
        case "required":
            for field in rule:
                if field not in value:
                    wanted = schema["properties"][field].get("description", "")
                    yield source.problem(place, f"the field '{field}' is missing", f"{field}: {wanted}")
        case "type":
            wanted = _TYPES[rule]
            message = f"{what} must be {wanted}, not {_show(value)}"
            yield source.problem(place, message, _quoting(error, hint))
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            name = str(value)
            yield source.problem((*place, name), f"the name '{clip(name)}' is not allowed", hint, at_key=True)
        case "minItems" | "minProperties":
            yield source.problem(place, f"{what} is empty", hint)
        case "uniqueItems":
            yield source.problem(place, f"{what} contains a duplicate", hint)
        case _:
            yield source.problem(place, f"{what} is {_show(value)}, which is not allowed", hint)


@lru_cache(maxsize=1000)
def _nearest(field: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(field, known, 1, 0.5) if len(field) <= 40 else []
    return f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(known)}"


def _quoting(error: ValidationError, hint: str) -> str:
    if error.validator_value == "string" and isinstance(error.instance, int | float):
        return f"{hint} (put it in quotes)" if hint else "put it in quotes"
    return hint


def _show(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return f"'{quote(str(value))}'"

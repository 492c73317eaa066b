"""The part of DynamoDB's expressions that the store uses; any other expression fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

Item = dict[str, Any]
Lookup = Callable[[str], Any]
Condition = Callable[[Item, Lookup, Lookup], bool]  # takes an item, the names and the values of the request

Parsed = tuple[Condition, list[str]]  # and the remaining tokens

TOKENS = re.compile(r"\s*(<>|<=|>=|[()=,<>]|[#:]?\w+)")


def same(one: Any, other: Any) -> bool:
    """DynamoDB's equality of typed values: numbers by value, sets without order."""
    if one is None or other is None or one.keys() != other.keys():
        return False
    ((kind, left),) = one.items()
    right = other[kind]
    match kind:
        case "N":
            return left == right or Decimal(left) == Decimal(right)
        case "SS" | "NS" | "BS":
            return sorted(left) == sorted(right)
        case "M":
            return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
        case "L":
            return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def same_items(one: Item | None, other: Item | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)


def plain(value: Any) -> Any:
    """A value as it returns over the network: text is `str`, never a subclass."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return {kind: str(content)}
        case "M":
            return {kind: {name: plain(part) for name, part in content.items()}}
        case "L":
            return {kind: [plain(part) for part in content]}
    return value


def holds(expression: str, item: Item, request: dict[str, Any]) -> bool:
    names, values = _lookups(request)
    return _parse(expression)(item, names, values)


def project(item: Item, **request: Any) -> Item:
    wanted = request.get("ProjectionExpression")
    if not wanted:
        return item
    names, _ = _lookups(request)
    attributes = [names(word.strip()) for word in wanted.split(",")]
    return {name: item[name] for name in attributes if name in item}


def update(item: Item, expression: str, request: dict[str, Any]) -> Item:
    """`SET a = :a, b = :b REMOVE c`."""
    names, values = _lookups(request)
    sets, removes = _parse_update(expression)
    changed = {**item, **{names(name): plain(values(value)) for name, value in sets}}
    for name in removes:
        changed.pop(names(name), None)
    return changed


def _lookups(request: dict[str, Any]) -> tuple[Lookup, Lookup]:
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    return (lambda name: names[name] if name.startswith("#") else name), values.__getitem__


@cache
def _parse_update(expression: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    match = re.fullmatch(r"(?:SET (?P<sets>.*?))?\s*(?:REMOVE (?P<removes>.*))?", expression, re.DOTALL)
    assert match, f"unsupported update expression: {expression}"
    terms = [term.partition("=") for term in (match["sets"] or "").split(",") if term]
    sets = [(name.strip(), value.strip()) for name, _, value in terms]
    removes = [name.strip() for name in (match["removes"] or "").split(",") if name]
    assert sets or removes, f"update expression without effect: {expression}"
    return tuple(sets), tuple(removes)


@cache
def _parse(expression: str) -> Condition:
    tokens = TOKENS.findall(expression)
    assert "".join(tokens) == re.sub(r"\s", "", expression), f"unsupported condition expression: {expression}"
    condition, rest = _either(tokens)
    assert not rest, f"unsupported condition expression: {expression}"
    return condition


def _either(tokens: list[str]) -> Parsed:
    left, tokens = _both(tokens)
    while tokens and tokens[0] == "OR":
        left, tokens = _join(any, left, _both(tokens[1:]))
    return left, tokens


def _both(tokens: list[str]) -> Parsed:
    left, tokens = _term(tokens)
    while tokens and tokens[0] == "AND":
        left, tokens = _join(all, left, _term(tokens[1:]))
    return left, tokens


def _join(how: Callable[..., bool], left: Condition, parsed: Parsed) -> Parsed:
    right, tokens = parsed
    return (lambda *seen: how(part(*seen) for part in (left, right))), tokens


def _term(tokens: list[str]) -> Parsed:
    match tokens:
        case ["NOT", *rest]:
            inner, rest = _term(rest)
            return (lambda *seen: not inner(*seen)), rest
        case ["(", *rest]:
            inner, rest = _either(rest)
            assert rest[0] == ")"
            return inner, rest[1:]
        case ["attribute_exists", "(", name, ")", *rest]:
            return (lambda item, names, _: names(name) in item), rest
        case ["attribute_not_exists", "(", name, ")", *rest]:
            return (lambda item, names, _: names(name) not in item), rest
        case ["begins_with", "(", name, ",", value, ")", *rest]:
            return (
                lambda item, names, values: item.get(names(name), {}).get("S", "").startswith(values(value)["S"])
            ), rest
        case [name, "BETWEEN", first, "AND", last, *rest]:  # of text
            return (
                lambda item, names, values: (
                    values(first)["S"] <= item.get(names(name), {}).get("S", "") <= values(last)["S"]
                )
            ), rest
        case [name, "=", value, *rest]:
            return (lambda item, names, values: same(item.get(names(name)), values(value))), rest
        case [name, "<>", value, *rest]:
            return (lambda item, names, values: not same(item.get(names(name)), values(value))), rest
        case [name, "IN", "(", *rest]:
            end = rest.index(")")
            options = [word for word in rest[:end] if word != ","]
            return (
                lambda item, names, values: any(same(item.get(names(name)), values(value)) for value in options)
            ), rest[end + 1 :]
    raise AssertionError(f"unsupported condition expression: {tokens}")
